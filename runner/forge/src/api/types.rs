use std::fmt;

use base::names::Commit;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::names::{Branch, CommentId, PullId, Repo, User};

/// Every answer of cc-ci's begins with it. It tells them from what a person writes under the same account, and finds
/// one again that was begun before a crash.
pub const ANSWER_MARKER: &str = "<!-- cc-ci: answer -->";

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

impl Comment {
    /// Whether it is one of cc-ci's answers, if it is by cc-ci's account at all.
    pub fn is_answer(&self) -> bool {
        self.text.starts_with(ANSWER_MARKER)
    }
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
    /// How it ended; none while it is open.
    pub ended: Option<PullEnd>,
}

/// How a pull request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PullEnd {
    /// Closed without being merged. It may be opened again.
    Closed,
    /// Merged.
    Merged,
}

impl fmt::Display for PullEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Merged => "merged",
        })
    }
}

/// A push to a pull request's head, as the forge wrote it down: a row of the same numbers as comments, so that it is
/// known what came first also within one second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Its number.
    pub id: CommentId,
    /// Whether it took commits away.
    pub is_force: bool,
    /// What was pushed, the head last. Of a push that took commits away: the head before it and the one after.
    pub commits: Vec<Commit>,
}

/// What was pushed to a pull request's head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pushes {
    /// The pushes, in any order.
    pub items: Vec<Push>,
    /// The newest moment that any row of the pull request had, whatever the row tells: what is older was read.
    pub newest: Option<Timestamp>,
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
    /// How it ended; none while it waits to be merged.
    pub ended: Option<PullEnd>,
}

impl Pull {
    /// Whether its head is in another repository, so that somebody without a right to write here may push to
    /// it. Also where that repository is gone.
    pub fn is_fork(&self) -> bool {
        self.head_repo.as_ref() != Some(&self.id.repo)
    }
}

/// A commit's status, as a forge shows it beside a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// How it stands.
    pub state: StatusState,
    /// What it is called; a later one of the same name replaces it.
    pub context: String,
    /// One line; what is longer than 140 characters is cut.
    pub description: String,
    /// Where more is to be read.
    pub target: Option<Url>,
}

/// The state of a commit's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusState {
    /// It is not over.
    Pending,
    /// Green.
    Success,
    /// Red.
    Failure,
    /// It could not be found out.
    Error,
}
