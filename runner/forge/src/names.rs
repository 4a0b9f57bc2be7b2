//! Names from a forge. They are untrusted text until they are one of these types.

use std::fmt;
use std::str::FromStr;

use base::name_type;
use base::names::{NameError, is_ref};
use serde::{Deserialize, Serialize};

name_type! {
    /// The owner of repositories on a forge: a user or an organisation.
    Owner, |text| forge_name("an owner on a forge", text)
}
name_type! {
    /// The name of a repository, without its owner.
    RepoName, |text| forge_name("a repository's name", text)
}
name_type! {
    /// A user's login name.
    Login, |text| forge_name("a user's name", text)
}
name_type! {
    /// The name of a branch, safe in an argument list and in a path.
    Branch, branch
}

fn forge_name(what: &'static str, text: &str) -> Result<(), NameError> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let is_one = (1..=100).contains(&text.len()) && text.bytes().all(fine) && !text.starts_with(['.', '-']);
    let why = "1 to 100 letters, digits and . _ -, beginning with none of . -";
    if is_one { Ok(()) } else { Err(NameError::new(what, text, why)) }
}

fn branch(text: &str) -> Result<(), NameError> {
    let why = "1 to 200 letters, digits and . _ / - +, with no .. and no - or / in front";
    if is_ref(text) { Ok(()) } else { Err(NameError::new("a branch's name", text, why)) }
}

/// A repository on a forge.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Repo {
    pub owner: Owner,
    pub name: RepoName,
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl FromStr for Repo {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (owner, name) = text.split_once('/').unwrap_or((text, ""));
        Ok(Self { owner: owner.parse()?, name: name.parse()? })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PullId {
    /// The target repository.
    pub repo: Repo,
    pub number: u64,
}

impl fmt::Display for PullId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.repo, self.number)
    }
}

/// A comment's number, unique on its forge. A later comment has a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommentId(pub u64);

impl fmt::Display for CommentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A user of a forge. The id is permanent, the name may be reassigned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct User {
    pub id: i64,
    /// The user's current name.
    pub login: Login,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_an_option_or_a_path_is_no_name() {
        for text in ["", ".", "..", "-x", ".git", "a/b", "a b", "a\nb", "ä", "a%2f", &"a".repeat(101)] {
            assert!(text.parse::<RepoName>().is_err() && text.parse::<Login>().is_err(), "{text:?}");
        }
        for text in ["", "-x", "/x", "a..b", "a b", "a\\b", "x;y", "$(x)", &"a".repeat(201)] {
            assert!(text.parse::<Branch>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn usual_names_are_names() {
        assert_eq!("coop-cloud/custom_html.x".parse::<Repo>().unwrap().to_string(), "coop-cloud/custom_html.x");
        assert!("a/b/c".parse::<Repo>().is_err() && "a".parse::<Repo>().is_err());
        assert!("feature/1.2+3".parse::<Branch>().is_ok());
    }

    #[test]
    fn a_name_is_checked_wherever_it_comes_from() {
        assert!(serde_json::from_str::<Login>("\"--upload-pack\"").is_err());
        assert!(serde_json::from_str::<Login>("\"ada\"").is_ok());
    }
}
