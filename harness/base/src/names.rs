//! Names that reach an argument list, a path or a label. A value of these types has been validated; text from outside
//! becomes one of them or an error, and is never passed on otherwise.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Why a text is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {what}: {why}")]
pub struct NameError {
    /// The kind of name, with its article: "a recipe name".
    pub what: &'static str,
    /// The text, cut at 120 characters.
    pub text: String,
    /// The violated rule.
    pub why: String,
}

impl NameError {
    pub fn new(what: &'static str, text: &str, why: impl Into<String>) -> Self {
        Self { what, text: text.chars().take(120).collect(), why: why.into() }
    }
}

/// Defines text types with a validation `check(&str) -> Result<(), NameError>`. The caller needs serde.
#[macro_export]
macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl ::std::str::FromStr for $name {
            type Err = $crate::names::NameError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }
        impl TryFrom<String> for $name {
            type Error = $crate::names::NameError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

/// Whether a text is valid as the name of a branch, tag, release or commit in an argument list: no option, no path
/// trick, no unusual character.
pub fn is_ref(text: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-' | b'+');
    (1..=200).contains(&text.len()) && text.bytes().all(fine) && !text.starts_with(['-', '/']) && !text.contains("..")
}

name_type! {
    /// The name of a recipe: letters, digits, hyphens and underscores, at most 100 characters. abra accepts any
    /// folder's name; a dot is refused, since abra keeps such a recipe in a folder of another name.
    RecipeName, check_recipe
}
name_type! {
    /// The public host name of an app, which abra uses as its name too.
    Domain, check_domain
}
name_type! {
    /// A full git commit id: 40 lower-case hexadecimal digits, or 64 in a repository with SHA-256.
    Commit, check_commit
}
name_type! {
    /// The id of one run: a time and random letters, so that ids sort by start.
    RunId, check_run_id
}
name_type! {
    /// A realm that cc-ci created on a login provider: `ci-` and a run's id, or another text of 1 to 32 lower-case
    /// letters, digits and hyphens. Users' realms are unlikely to have such a name, and a provider's own (`master`)
    /// cannot have it.
    RealmName, check_realm
}
name_type! {
    /// The id of a client of a login provider: 1 to 100 lower-case letters, digits and hyphens.
    ClientId, check_client
}

/// The longest stack name that abra creates; a longer one is cut, so two long domains could collide. Source: abra's
/// "max sanitised app name length", from memory, high confidence.
pub const STACK_NAME_MAX: usize = 45;

/// The longest label of a host name.
const HOST_PART_MAX: usize = 63;

/// Docker refuses a secret or config with a longer name.
pub const OBJECT_NAME_MAX: usize = 64;

impl Domain {
    /// The swarm stack that abra creates for this domain: dots become underscores, cut at [`STACK_NAME_MAX`].
    pub fn stack(&self) -> StackName {
        let mut name = self.0.replace('.', "_");
        name.truncate(STACK_NAME_MAX);
        StackName(name)
    }
}

/// The name of a swarm stack, derived from a [`Domain`], never from free text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StackName(String);

impl StackName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The name of one of the stack's objects: `<stack>_<part>`.
    pub fn object(&self, part: &str) -> String {
        format!("{}_{part}", self.0)
    }
}
impl TryFrom<String> for StackName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        let fine = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if text.is_empty() || text.len() > STACK_NAME_MAX || !fine {
            return Err(NameError::new("a stack name", &text, "1 to 45 letters, digits, - and _"));
        }
        Ok(Self(text))
    }
}
impl From<StackName> for String {
    fn from(name: StackName) -> Self {
        name.0
    }
}
impl fmt::Display for StackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl RealmName {
    /// Prefix of every realm of cc-ci.
    pub const PREFIX: &str = "ci-";
}
impl From<&RunId> for RealmName {
    fn from(run: &RunId) -> Self {
        Self(format!("{}{run}", Self::PREFIX))
    }
}

impl RunId {
    /// Maximum length.
    const LONGEST: usize = 32;

    /// The id followed by `-b` and a build's number, cut if necessary.
    pub fn with_build(&self, number: u64) -> Self {
        let suffix = format!("-b{number}");
        // An id is ASCII, and the longest suffix leaves ten letters of it.
        let kept = self.0.len().min(Self::LONGEST.saturating_sub(suffix.len()));
        Self(format!("{}{suffix}", &self.0[..kept]))
    }
}

impl RecipeName {
    /// The name as a label of a host name: unchanged if it is valid, else the result of [`Self::cut`].
    pub fn host_part(&self) -> String {
        let is_one = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.0.len() <= HOST_PART_MAX && self.0.bytes().all(is_one) {
            self.0.clone()
        } else {
            self.cut(HOST_PART_MAX)
        }
    }

    /// The name in lower case with hyphens for underscores, cut to leave room for a hyphen and four digits of a hash of
    /// the whole name.
    pub fn cut(&self, room: usize) -> String {
        // A recipe's name is ASCII.
        let name = self.0.to_ascii_lowercase().replace('_', "-");
        let kept = room.saturating_sub(1 + 4).min(name.len());
        format!("{}-{}", name[..kept].trim_end_matches('-'), self.digits())
    }

    /// Four digits of a hash: names that are equal after the cut have different ones.
    fn digits(&self) -> String {
        let hash = Sha256::digest(self.0.as_bytes());
        format!("{:02x}{:02x}", hash[0], hash[1])
    }
}

impl Commit {
    /// The first eight digits, as in abra's `chaos-version` label.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

fn check_recipe(text: &str) -> Result<(), NameError> {
    let bad = |why: &str| Err(NameError::new("a recipe name", text, why));
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    if bytes.contains(&b'.') {
        return bad(
            "abra keeps a recipe with a dot in its name in a folder with _ in its place, and finds it under neither",
        );
    }
    let fine = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if bytes.len() > 100 || !bytes.iter().all(fine) || !edge(bytes.first()) || !edge(bytes.last()) {
        return bad("1 to 100 letters, digits, hyphens and underscores, with a letter or digit at either end");
    }
    Ok(())
}

fn check_domain(text: &str) -> Result<(), NameError> {
    let bad = |why: &str| Err(NameError::new("a domain", text, why));
    if text.is_empty() || text.len() > 253 {
        return bad("1 to 253 characters");
    }
    for label in text.split('.') {
        let bytes = label.as_bytes();
        if bytes.is_empty() || bytes.len() > 63 {
            return bad("each part between dots has 1 to 63 characters");
        }
        let fine = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        if !bytes.iter().all(fine) || bytes[0] == b'-' || bytes[bytes.len() - 1] == b'-' {
            return bad("lower-case letters, digits and inner hyphens only");
        }
    }
    Ok(())
}

fn check_commit(text: &str) -> Result<(), NameError> {
    let fine = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if !matches!(text.len(), 40 | 64) || !text.bytes().all(fine) {
        return Err(NameError::new("a full commit id", text, "40 or 64 lower-case hexadecimal digits"));
    }
    Ok(())
}

fn check_run_id(text: &str) -> Result<(), NameError> {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() || text.len() > RunId::LONGEST || !text.bytes().all(fine) {
        return Err(NameError::new("a run id", text, "1 to 32 lower-case letters, digits and hyphens"));
    }
    Ok(())
}

fn check_realm(text: &str) -> Result<(), NameError> {
    match text.strip_prefix(RealmName::PREFIX).map(check_run_id) {
        Some(Ok(())) => Ok(()),
        _ => Err(NameError::new(
            "the name of a realm of cc-ci",
            text,
            "ci- and 1 to 32 lower-case letters, digits and hyphens",
        )),
    }
}

fn check_client(text: &str) -> Result<(), NameError> {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() || text.len() > 100 || text.starts_with('-') || !text.bytes().all(fine) {
        return Err(NameError::new(
            "the id of a client",
            text,
            "1 to 100 lower-case letters, digits and hyphens, with no hyphen at the start",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stack_name_is_the_domain_with_underscores_cut_at_45() {
        let domain: Domain = "custom-html-pr1-1a2b3c4.ci.localhost".parse().unwrap();
        assert_eq!(domain.stack().as_str(), "custom-html-pr1-1a2b3c4_ci_localhost");
        let long: Domain = "a-very-long-name-of-an-app.and-a-base-domain.example.org".parse().unwrap();
        assert_eq!(long.stack().as_str().len(), STACK_NAME_MAX);
    }

    #[test]
    fn what_could_leave_a_path_or_an_argument_is_refused() {
        for text in ["", "-n", "_n", "n-", "n_", "../x", "a/b", "a b", "a\n", "a.b", ".", "é", &"a".repeat(101)] {
            assert!(text.parse::<RecipeName>().is_err(), "{text:?}");
        }
        for text in ["", ".", "a..b", "-a.b", "a_b", "a.b-", "a b", "a/b", "é.org"] {
            assert!(text.parse::<Domain>().is_err(), "{text:?}");
        }
        for text in ["HEAD", "", "1a2b3c4d", &"a".repeat(41), &"a".repeat(63), &"a".repeat(65), &"A".repeat(64)] {
            assert!(text.parse::<Commit>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_commit_has_40_digits_or_the_64_of_sha_256() {
        for length in [40, 64] {
            let commit: Commit = "0a".repeat(length / 2).parse().unwrap();
            assert_eq!((commit.as_str().len(), commit.short()), (length, "0a0a0a0a"));
        }
    }

    #[test]
    fn any_name_that_abra_takes_has_a_part_of_a_host_of_its_own() {
        let of = |text: &str| text.parse::<RecipeName>().unwrap().host_part();
        assert_eq!((of("custom-html").as_str(), of("n8n").as_str()), ("custom-html", "n8n"));
        assert_eq!(of("Open_Project"), "open-project-bf35");
        let alike = ["open_project", "Open-Project", "OPEN-PROJECT", "open-project"].map(of);
        assert!((0..4).all(|n| alike[..n].iter().all(|other| *other != alike[n])), "{alike:?}");
        assert!("a.b".parse::<RecipeName>().unwrap_err().to_string().contains("abra keeps a recipe with a dot"));
    }

    #[test]
    fn a_realm_is_named_after_its_run_and_a_providers_own_is_none_of_ours() {
        let run: RunId = "20251121-a1b2".parse().unwrap();
        let realm = RealmName::from(&run);
        assert_eq!(realm.as_str(), "ci-20251121-a1b2");
        assert_eq!(realm.as_str().parse::<RealmName>().unwrap(), realm);
        for text in ["master", "ci", "ci-", "CI-a", "ci-a/../master", "ci-a b", "other-ci-a"] {
            assert!(text.parse::<RealmName>().is_err(), "{text:?}");
        }
        for text in ["", "-a", "a b", "a/b", "A"] {
            assert!(text.parse::<ClientId>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_run_of_a_build_has_an_id_of_its_own(id in "[a-z0-9-]{1,32}", number: u64, other: u64) {
            let run: RunId = id.parse().unwrap();
            let of = run.with_build(number);
            prop_assert_eq!(of.as_str().parse::<RunId>().unwrap(), of.clone());
            let suffix = format!("-b{number}");
            prop_assert!(of.as_str().ends_with(&suffix));
            prop_assert_eq!(of == run.with_build(other), number == other);
        }

        #[test]
        fn no_text_panics_and_what_passes_is_harmless(text in ".{0,80}") {
            if let Ok(name) = text.parse::<RecipeName>() {
                prop_assert!(!name.as_str().starts_with('-') && !name.as_str().contains(['/', '.', ' ']));
                let domain = format!("{}.x", name.host_part());
                prop_assert!(domain.parse::<Domain>().is_ok(), "{}", domain);
                prop_assert!(name.host_part().parse::<ClientId>().is_ok());
            }
            if let Ok(domain) = text.parse::<Domain>() {
                prop_assert!(domain.stack().as_str().len() <= STACK_NAME_MAX);
                prop_assert!(!domain.as_str().contains(['/', '_']));
            }
            let _ = text.parse::<Commit>();
            let _ = text.parse::<RunId>();
            let _ = text.parse::<ClientId>();
            if let Ok(realm) = text.parse::<RealmName>() {
                prop_assert!(!realm.as_str().contains(['/', '.', '?', '#', '%', ' ']));
            }
        }
    }
}
