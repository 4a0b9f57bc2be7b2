//! A commit's files in a clone of their own, with and without what it changed in the code.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::AuditError;
use super::files::{Change, Role, parents, role};
use super::rust;
use source::{git, git_bytes};

/// A repository, read by git.
#[derive(Debug)]
pub(super) struct Tree(PathBuf);

impl Tree {
    pub(super) fn at(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    /// A clone that shares the objects of `origin` and writes nothing there.
    pub(super) fn clone_of(origin: &Self, dir: &Path) -> Result<Self, AuditError> {
        let origin = std::path::absolute(&origin.0).map_err(|error| AuditError::git(error.to_string()))?;
        let words = ["clone", "--quiet", "--shared", "--no-checkout", "--template=", "--"].map(OsString::from);
        let args: Vec<OsString> = words.into_iter().chain([origin.into(), dir.into()]).collect();
        git(None, &args).map_err(AuditError::git)?;
        Ok(Self::at(dir))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.0
    }

    pub(super) fn git(&self, args: &[&str]) -> Result<String, AuditError> {
        git(Some(&self.0), &args.iter().map(OsString::from).collect::<Vec<_>>()).map_err(AuditError::git)
    }

    /// A file of a commit; none where it is not there.
    fn file(&self, commit: &str, path: &str) -> Option<Vec<u8>> {
        let args = ["cat-file", "blob", &format!("{commit}:{path}")].map(OsString::from);
        git_bytes(Some(&self.0), &args).ok()
    }

    /// What a commit changed against its first parent; all of it where it has none.
    pub(super) fn changes(&self, commit: &str) -> Result<Vec<Change>, AuditError> {
        let list =
            self.git(&["diff-tree", "--root", "-r", "-z", "--no-renames", "--no-commit-id", "--name-only", commit])?;
        let paths = list.split('\0').filter(|path| !path.is_empty());
        let before = format!("{commit}^");
        let of = |path: &str| Change {
            path: path.to_owned(),
            role: role(path).unwrap_or_else(|| self.declared(commit, path)),
            was: self.file(&before, path),
            is: self.file(commit, path),
        };
        Ok(paths.map(of).collect())
    }

    /// The role of a Rust file, by who declares it: `#[cfg(test)] mod fixtures;` makes it a test's.
    fn declared(&self, commit: &str, path: &str) -> Role {
        let (parents, name) = parents(path);
        let text = |parent: &String| self.file(commit, parent).and_then(|bytes| String::from_utf8(bytes).ok());
        let for_tests = |text: String| rust::read(&text).is_some_and(|read| read.test_files.contains(&name));
        if parents.iter().filter_map(text).any(for_tests) { Role::Test } else { Role::Code }
    }

    /// The folders of all packages of a commit.
    pub(super) fn packages(&self, commit: &str) -> Result<BTreeSet<String>, AuditError> {
        let list = self.git(&["ls-tree", "-r", "-z", "--name-only", commit])?;
        let folder = |path: &str| match path {
            "Cargo.toml" => Some(String::new()),
            _ => path.strip_suffix("/Cargo.toml").map(str::to_owned),
        };
        Ok(list.split('\0').filter_map(folder).collect())
    }

    /// Puts the files of a commit there, and nothing else.
    pub(super) fn check_out(&self, commit: &str) -> Result<(), AuditError> {
        self.git(&["checkout", "--quiet", "--force", "--detach", commit])?;
        self.git(&["clean", "-ffdxq"]).map(drop)
    }

    /// Puts the code back to what it was before, and leaves the tests. Gives the files in which the two could not be
    /// told apart, so that their tests went with the code.
    pub(super) fn put_back(&self, changes: &[Change]) -> Result<Vec<String>, AuditError> {
        let mut together = Vec::new();
        for change in changes.iter().filter(|change| change.role == Role::Code) {
            let path = self.0.join(&change.path);
            let written = match without_fix(change) {
                Some(Ok(bytes)) => write(&path, &bytes),
                Some(Err(bytes)) => {
                    together.push(change.path.clone());
                    write(&path, &bytes)
                }
                None => match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                },
            };
            written.map_err(|error| AuditError::Disk { path: path.display().to_string(), error })?;
        }
        Ok(together)
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, bytes)
}

/// A file of code as it was, with the tests that it has now. An error holds it as it was, where code and tests cannot
/// be told apart; none where it was not there.
fn without_fix(change: &Change) -> Option<Result<Vec<u8>, Vec<u8>>> {
    let was = change.was.clone()?;
    let Some(is) = change.is.as_ref().filter(|_| change.path.ends_with(".rs")) else { return Some(Ok(was)) };
    let (old, new) = (std::str::from_utf8(&was).ok(), std::str::from_utf8(is).ok());
    let both = old.zip(new).and_then(|(old, new)| rust::put_together(old, new));
    Some(both.map(String::into_bytes).ok_or(was))
}
