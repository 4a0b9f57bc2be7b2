use std::fmt;

use harness::names::Commit;
use jiff::Timestamp;
use url::Url;

use crate::names::{Branch, CommentId, PullId, Repo, User};

/// A comment on a pull request.
#[derive(Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub id: CommentId,
    /// Where it stands.
    pub pull: PullId,
    /// Who wrote it.
    pub author: User,
    /// Its markdown, as it was written.
    pub text: String,
    /// When it was written, by the forge's clock, in whole seconds.
    pub created: Timestamp,
    /// When it was last edited; as `created` where it never was.
    pub updated: Timestamp,
}

impl fmt::Debug for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A comment is long, and nobody's business in a log.
        write!(f, "Comment({} on {} by {}, {} bytes)", self.id, self.pull, self.author.login, self.text.len())
    }
}

/// The pull requests that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// What the forge's clock said when it answered; none where it does not tell.
    pub at: Option<Timestamp>,
    /// The pull requests.
    pub pulls: Listed<Mark>,
}

/// How a pull request stood. Whoever saw the same mark twice has missed no comment between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The pull request.
    pub pull: PullId,
    /// When it last changed.
    pub updated: Timestamp,
    /// How many comments it has.
    pub comments: u64,
}

/// A list that a forge gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// Whether it came as of one moment. In several parts, what was deleted between two of them may have
    /// moved something out of sight.
    pub at_once: bool,
}

/// A pull request, with the commit that it proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Which one.
    pub id: PullId,
    /// The commit at its head.
    pub head: Commit,
    /// The repository of its head; none where that is gone.
    pub head_repo: Option<Repo>,
    /// The branch that it asks to be merged into.
    pub base: Branch,
    /// Who opened it.
    pub author: User,
    /// Whether it waits to be merged; neither merged nor closed.
    pub is_open: bool,
}

impl Pull {
    /// Whether its head is in another repository, so that somebody without a right to write here may push to
    /// it. Also where that repository is gone.
    #[must_use]
    pub fn is_fork(&self) -> bool {
        self.head_repo.as_ref() != Some(&self.id.repo)
    }
}

/// A commit's status, as a forge shows it beside a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// How it stands.
    pub state: State,
    /// What it is called; a later one of the same name replaces it.
    pub context: String,
    /// One line; what is longer than 140 characters is cut.
    pub description: String,
    /// Where more is to be read.
    pub target: Option<Url>,
}

/// The state of a commit's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is not over.
    Pending,
    /// Green.
    Success,
    /// Red.
    Failure,
    /// It could not be found out.
    Error,
}
