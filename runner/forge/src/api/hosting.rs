use super::ForgeError;
use crate::names::{Branch, Repo};

/// What mirrors ask of a forge, beside what comments need. Each method is one attempt.
pub trait Hosting: Send + Sync {
    /// A repository as it is now; none where there is none, or the bot may not see it.
    fn hosted(&self, repo: &Repo) -> impl Future<Output = Result<Option<Hosted>, ForgeError>> + Send;

    /// Makes an empty repository of an organisation.
    fn make(&self, repo: &Repo, new: &NewRepo) -> impl Future<Output = Result<(), ForgeError>> + Send;

    /// The pull requests of a repository whose heads are branches of its own.
    fn own_pulls(&self, repo: &Repo) -> impl Future<Output = Result<Vec<OwnPull>, ForgeError>> + Send;

    /// Opens a pull request; its number.
    fn open_pull(&self, repo: &Repo, new: &NewPull) -> impl Future<Output = Result<u64, ForgeError>> + Send;

    /// Whether a file or folder is there on the default branch.
    fn has_path(&self, repo: &Repo, path: &str) -> impl Future<Output = Result<bool, ForgeError>> + Send;
}

/// A repository on a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosted {
    /// Its default branch.
    pub branch: Branch,
    /// Whether the bot may push to it.
    pub may_push: bool,
    /// Whether it is hidden from those whom nobody let in.
    pub is_private: bool,
}

/// A repository to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRepo {
    /// Its default branch.
    pub branch: Branch,
    /// A line about it.
    pub description: String,
    /// Whether it is hidden from those whom nobody let in.
    pub is_private: bool,
    /// Whether its commit ids are those of SHA-256.
    pub is_sha256: bool,
}

/// A pull request from a branch of the repository itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPull {
    /// Its number.
    pub number: u64,
    /// The branch at its head.
    pub head: String,
    /// Whether it waits to be merged.
    pub is_open: bool,
}

/// A pull request to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPull {
    /// The branch of the repository that has the change.
    pub head: Branch,
    /// The branch that it asks to be merged into.
    pub base: Branch,
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
}
