//! A repository put together in memory, commit by commit.

use std::collections::BTreeMap;
use std::path::Path;

use super::Error;
use super::git::{self, Built, Commit, File, Mode, Model, Tag};

/// Where a builder stands: the files, and the commit that they grew from.
#[derive(Debug, Clone, Default)]
struct State {
    files: BTreeMap<String, File>,
    commit: Option<usize>,
}

/// A repository that is being put together. It starts empty, on `main`.
///
/// ```
/// # fn main() -> Result<(), testbed::repos::Error> {
/// use testbed::repos::Source;
/// let dir = tempfile::tempdir().unwrap();
/// let built = Source::load("custom-html")?
///     .builder()?
///     .at("good/new-release")?
///     .replace("compose.yml", "retries: 3", "retries: 1")?
///     .commit("Give up sooner")
///     .pull(99)
///     .build(&dir.path().join("custom-html"))?;
/// assert!(built.refs.contains_key("refs/pull/99/head"));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Builder {
    model: Model,
    heads: BTreeMap<String, State>,
    now: State,
}

impl Builder {
    /// An empty repository.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds files or replaces them. A name that ends in `.sh` does not make a file executable.
    pub fn files<N: Into<String>, T: Into<Vec<u8>>>(mut self, files: impl IntoIterator<Item = (N, T)>) -> Self {
        for (name, bytes) in files {
            self.now.files.insert(name.into(), File { bytes: bytes.into(), mode: Mode::Plain });
        }
        self
    }

    /// Adds a symlink.
    pub fn link(mut self, name: impl Into<String>, target: impl Into<String>) -> Self {
        self.now.files.insert(name.into(), File { bytes: target.into().into_bytes(), mode: Mode::Link });
        self
    }

    pub(crate) fn file(&mut self, name: String, file: File) {
        self.now.files.insert(name, file);
    }

    /// Takes a file away.
    ///
    /// # Errors
    /// When it is not there.
    pub fn delete(mut self, name: &str) -> Result<Self, Error> {
        match self.now.files.remove(name) {
            Some(_) => Ok(self),
            None => Err(Error::Missing(format!("file {name}"))),
        }
    }

    /// Changes one text in one file.
    ///
    /// # Errors
    /// When the file is not there, or does not hold `old` exactly once: a change that changes
    /// nothing, or more than was meant, would test something else.
    pub fn replace(mut self, name: &str, old: &str, new: &str) -> Result<Self, Error> {
        let file = self.now.files.get_mut(name).ok_or_else(|| Error::Missing(format!("file {name}")))?;
        let text = String::from_utf8_lossy(&file.bytes);
        let found = text.matches(old).count();
        if found != 1 {
            return Err(Error::Replace { file: name.to_owned(), old: old.to_owned(), found });
        }
        file.bytes = text.replacen(old, new, 1).into_bytes();
        Ok(self)
    }

    /// Commits the files as they are. Author and committer are fixed; the date is one hour after
    /// the parent's.
    pub fn commit(mut self, message: &str) -> Self {
        self.model.commits.push(Commit {
            parent: self.now.commit,
            files: self.now.files.clone(),
            message: message.to_owned(),
        });
        self.now.commit = Some(self.model.commits.len() - 1);
        self
    }

    /// Tags the last commit, with an object of its own (`git tag -a`).
    pub fn tag_annotated(self, name: &str, message: &str) -> Self {
        self.tag(name, Some(message.to_owned()))
    }

    /// Tags the last commit without an object (`git tag`), which abra refuses for a version.
    pub fn tag_lightweight(self, name: &str) -> Self {
        self.tag(name, None)
    }

    fn tag(mut self, name: &str, message: Option<String>) -> Self {
        if let Some(commit) = self.now.commit {
            self.model.tags.push(Tag { name: name.to_owned(), commit, message });
        }
        self
    }

    /// Lets a branch point at the last commit.
    pub fn branch(mut self, name: &str) -> Self {
        if let Some(commit) = self.now.commit {
            self.model.refs.insert(format!("refs/heads/{name}"), commit);
            self.heads.insert(name.to_owned(), self.now.clone());
        }
        self
    }

    /// Lets `refs/pull/<number>/head` point at the last commit, as a forge does.
    pub fn pull(mut self, number: u64) -> Self {
        if let Some(commit) = self.now.commit {
            self.model.refs.insert(format!("refs/pull/{number}/head"), commit);
        }
        self
    }

    /// Goes on from a branch made before.
    ///
    /// # Errors
    /// When there is no such branch.
    pub fn at(mut self, branch: &str) -> Result<Self, Error> {
        self.now = self.heads.get(branch).cloned().ok_or_else(|| Error::Missing(format!("branch {branch}")))?;
        Ok(self)
    }

    /// Writes the repository, with `main` checked out. What an earlier call made there is replaced.
    ///
    /// # Errors
    /// When git fails, or something else is there.
    pub fn build(&self, dest: &Path) -> Result<Built, Error> {
        git::write(&self.model, dest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_must_fit_exactly_once() {
        let builder = Builder::new().files([("a", "x x y")]);
        assert!(matches!(builder.clone().replace("a", "x", "z"), Err(Error::Replace { found: 2, .. })));
        assert!(matches!(builder.clone().replace("a", "q", "z"), Err(Error::Replace { found: 0, .. })));
        assert!(matches!(builder.clone().replace("b", "x", "z"), Err(Error::Missing(_))));
        assert_eq!(builder.replace("a", "y", "z").unwrap().now.files["a"].bytes, b"x x z");
    }

    #[test]
    fn a_branch_goes_on_from_where_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let built = Builder::new()
            .files([("a", "1")])
            .commit("one")
            .branch("main")
            .files([("b", "2")])
            .commit("two")
            .branch("side")
            .at("main")
            .unwrap()
            .files([("c", "3")])
            .commit("three")
            .branch("main")
            .build(&dir.path().join("r"))
            .unwrap();
        assert!(built.path.join("c").is_file());
        assert!(!built.path.join("b").exists());
        assert!(matches!(Builder::new().at("gone"), Err(Error::Missing(_))));
    }
}
