use super::ForgeError;
use crate::names::{Branch, Repo};

/// The requests of mirrors, in addition to those of comments. Each method is one attempt.
pub trait Hosting: Send + Sync {
    /// A repository; `None` if it does not exist or the bot may not see it.
    fn hosted(&self, repo: &Repo) -> impl Future<Output = Result<Option<Hosted>, ForgeError>> + Send;

    /// Creates an empty repository of an organisation.
    fn make(&self, repo: &Repo, new: &NewRepo) -> impl Future<Output = Result<(), ForgeError>> + Send;

    /// A repository's pull requests whose heads are its own branches.
    fn own_pulls(&self, repo: &Repo) -> impl Future<Output = Result<Vec<OwnPull>, ForgeError>> + Send;

    /// Opens a pull request and returns its number.
    fn open_pull(&self, repo: &Repo, new: &NewPull) -> impl Future<Output = Result<u64, ForgeError>> + Send;

    /// Whether the default branch has a file or folder.
    fn has_path(&self, repo: &Repo, path: &str) -> impl Future<Output = Result<bool, ForgeError>> + Send;
}

/// A repository on a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosted {
    pub branch: Branch,
    /// Whether the bot may push to it.
    pub may_push: bool,
    /// Whether only authorized users can see it.
    pub is_private: bool,
}

/// A repository to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRepo {
    pub branch: Branch,
    /// One line.
    pub description: String,
    /// Whether only authorized users can see it.
    pub is_private: bool,
    /// Whether its commit ids are SHA-256.
    pub is_sha256: bool,
}

/// A pull request from a branch of the same repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPull {
    pub number: u64,
    /// The head branch.
    pub head: String,
    pub is_open: bool,
}

/// A pull request to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPull {
    /// The branch with the change.
    pub head: Branch,
    /// The target branch.
    pub base: Branch,
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
}
