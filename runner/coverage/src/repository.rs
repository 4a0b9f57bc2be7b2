//! A recipe's own repository: its newest commit, its releases, its README.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use base::failure::{Failure, Kind};
use base::names::Commit;
use coopcloud::version::Version;
use jiff::Timestamp;

use super::standing::{Readme, readme};
use source::git_access::GitAccess;
use source::{Checkout, git};

/// A recipe's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The head of the default branch.
    pub head: Commit,
    pub release: Option<PublishedRelease>,
    /// The tree of every known commit: commits with the same tree have the same files.
    pub trees: BTreeMap<Commit, String>,
    pub readme: Option<Readme>,
}

/// A release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedRelease {
    /// Its tag.
    pub name: String,
    /// When the tag was created.
    pub at: Timestamp,
    pub commit: Commit,
}

impl Repository {
    /// Whether two commits have the same files.
    pub fn same(&self, a: &Commit, b: &Commit) -> bool {
        a == b || self.trees.get(a).is_some_and(|tree| self.trees.get(b) == Some(tree))
    }

    /// Reads a repository: in place if it is a folder, else from a clone below `scratch`.
    ///
    /// # Errors
    /// It is unreachable or has no commit.
    pub fn read(source: &str, scratch: &Path, access: Option<GitAccess>) -> Result<Self, Failure> {
        let folder = Path::new(source);
        let checkout = match folder.is_dir() {
            true => Checkout::read_only(folder),
            false => Checkout::clone_from(source, scratch, access)?,
        };
        let head = checkout.resolve(&source::Revision::Default)?;
        let ask = |args: &[&str]| {
            git(Some(checkout.dir()), &args.iter().map(OsString::from).collect::<Vec<_>>()).map_err(|why| {
                let what = format!("the history of {} cannot be read: {why}", source::without_credentials(source));
                Failure::new(Kind::InvalidRecipe, what, "the repository, and CCCI_SOURCES")
            })
        };
        let history = ask(&["log", "--all", "--format=%H %T"])?;
        let trees = history.lines().filter_map(|line| line.split_once(' '));
        let tags = ask(&[
            "for-each-ref",
            "refs/tags",
            "--format=%(creatordate:unix) %(objectname) %(*objectname) %(refname:strip=2)",
        ])?;
        Ok(Self {
            release: newest_release(&tags),
            trees: trees.filter_map(|(commit, tree)| Some((commit.parse().ok()?, tree.to_owned()))).collect(),
            readme: checkout.file(head.as_str(), "README.md").map(|text| readme(&text)),
            head,
        })
    }
}

/// The newest of tags in git's list: by version, since clocks may be wrong and tags are recreated.
fn newest_release(tags: &str) -> Option<PublishedRelease> {
    let of = |line: &str| {
        let mut words = line.split(' ');
        let (at, object, peeled, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let commit = if peeled.is_empty() { object } else { peeled };
        let at = Timestamp::from_second(at.parse().ok()?).ok()?;
        Some((Version::parse(name)?, PublishedRelease { name: name.to_owned(), at, commit: commit.parse().ok()? }))
    };
    tags.lines().filter_map(of).max_by(|a, b| a.0.cmp(&b.0)).map(|(_, release)| release)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "1111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222";

    #[test]
    fn the_newest_release_is_the_highest_version_and_names_a_commit() {
        let tags = format!("300 {B} {A} 1.2.0+1.0\n100 {A}  1.10.0+1.0\n200 {A}  not-a-version\nnonsense\n");
        let release = newest_release(&tags).unwrap();
        assert_eq!((release.name.as_str(), release.at.as_second()), ("1.10.0+1.0", 100));
        assert_eq!(release.commit.as_str(), A);
        let annotated = newest_release(&format!("300 {B} {A} 1.2.0+1.0\n")).unwrap();
        assert_eq!(annotated.commit.as_str(), A, "an annotated tag is a thing of its own");
    }

    #[test]
    fn commits_with_the_same_files_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            let name = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"];
            let args: Vec<OsString> = name.iter().chain(args).map(OsString::from).collect();
            git(Some(folder.path()), &args).unwrap()
        };
        git(&["init", "--quiet"]);
        std::fs::write(folder.path().join("README.md"), "# x\n").unwrap();
        git(&["add", "."]);
        git(&["commit", "--quiet", "-m", "one"]);
        git(&["tag", "-a", "1.0.0+1.0", "-m", "one"]);
        git(&["commit", "--quiet", "--allow-empty", "-m", "two"]);
        let read = Repository::read(folder.path().to_str().unwrap(), Path::new("/nowhere"), None).unwrap();
        let release = read.release.clone().unwrap();
        assert_ne!(release.commit, read.head);
        assert!(read.same(&release.commit, &read.head));
        assert!(!read.same(&A.parse().unwrap(), &read.head));
        assert!(read.readme.is_some());
    }
}
