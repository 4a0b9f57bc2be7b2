//! Lists a remote repository without a clone: the head of its default branch, and its tags.

use std::collections::BTreeMap;
use std::ffi::OsString;

use base::failure::Failure;
use base::names::Commit;

use super::words::{not_there, unreadable};
use super::{PATIENCE, Tag, address, git_elsewhere};
use crate::git_access::GitAccess;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// The head of its default branch.
    pub main: Commit,
    pub tags: Vec<Tag>,
}

impl Heads {
    /// Queries a repository. Blocking.
    ///
    /// # Errors
    /// It cannot be queried, or has no commit.
    pub fn of(source: &str, access: Option<&GitAccess>) -> Result<Self, Failure> {
        let from = address(source)?;
        let args = ["ls-remote".into(), "--quiet".into(), "--".into(), from, "HEAD".into(), "refs/tags/*".into()];
        let args: [OsString; 6] = args;
        let listed = git_elsewhere(None, &args, access, PATIENCE).map_err(|why| unreadable(source, &why))?;
        read(&listed).ok_or_else(|| not_there(source, "its default branch has no commit"))
    }
}

/// The lines of `git ls-remote`: an id, a tab, a name. An annotated tag has a second line with its commit.
fn read(listed: &str) -> Option<Heads> {
    let mut main = None;
    let mut tags: BTreeMap<&str, (bool, &str)> = BTreeMap::new();
    for (id, name) in listed.lines().filter_map(|line| line.split_once('\t')) {
        if name == "HEAD" {
            main = id.parse().ok();
        } else if let Some(tag) = name.strip_prefix("refs/tags/") {
            match tag.strip_suffix("^{}") {
                Some(tag) => tags.insert(tag, (true, id)),
                None => tags.insert(tag, (false, id)),
            };
        }
    }
    let tag =
        |(name, (annotated, id)): (&str, (bool, &str))| Tag { name: name.to_owned(), annotated, commit: id.to_owned() };
    Some(Heads { main: main?, tags: tags.into_iter().map(tag).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_the_commit_that_it_is_on() {
        let [main, tag, commit] = ['1', '2', '3'].map(|digit| digit.to_string().repeat(40));
        let listed =
            format!("{main}\tHEAD\n{tag}\trefs/tags/1.0.0+1\n{commit}\trefs/tags/1.0.0+1^{{}}\n{main}\trefs/tags/x\n");
        let heads = read(&listed).unwrap();
        let is = |name: &str, annotated, commit: &str| Tag { name: name.into(), annotated, commit: commit.into() };
        assert_eq!(heads.main.as_str(), main);
        assert_eq!(heads.tags, [is("1.0.0+1", true, &commit), is("x", false, &main)]);
        assert_eq!(read(&format!("{main}\trefs/tags/x\n")), None, "an empty repository has no HEAD");
    }

    #[test]
    fn a_repository_is_asked_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let git = |words: &[&str]| {
            let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
            let git = duct::cmd("git", who.iter().chain(words)).dir(folder.path()).stdout_capture();
            String::from_utf8(git.run().unwrap().stdout).unwrap()
        };
        let source = folder.path().to_str().unwrap();
        git(&["init", "--quiet", "."]);
        assert!(Heads::of(source, None).unwrap_err().what.contains("no commit"));
        git(&["commit", "--quiet", "--allow-empty", "--message", "one"]);
        git(&["tag", "--annotate", "--message", "a", "1.0.0+1"]);
        let heads = Heads::of(source, None).unwrap();
        assert_eq!(heads.main.as_str(), git(&["rev-parse", "HEAD"]).trim());
        assert_eq!((heads.tags.len(), heads.tags[0].commit.as_str()), (1, heads.main.as_str()));
        assert!(heads.tags[0].annotated);
        assert!(Heads::of("/nowhere/at/all", None).is_err());
    }
}
