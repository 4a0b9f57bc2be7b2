use std::fmt;

use base::names::Commit;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::names::{Branch, CommentId, PullId, Repo, User};

/// Start of every answer of cc-ci. It distinguishes answers from a person's comments under the same account, and finds
/// an answer again that was written before a crash.
pub const ANSWER_MARKER: &str = "<!-- cc-ci: answer -->";

/// A comment on a pull request.
#[derive(Clone, PartialEq, Eq)]
pub struct Comment {
    pub id: CommentId,
    pub pull: PullId,
    pub author: User,
    /// The markdown source.
    pub text: String,
    /// By the forge's clock, in whole seconds.
    pub created: Timestamp,
    /// The last edit; equals `created` if there was none.
    pub updated: Timestamp,
}

impl Comment {
    /// Whether it is an answer of cc-ci, given that the author is cc-ci's account.
    pub fn is_answer(&self) -> bool {
        self.text.starts_with(ANSWER_MARKER)
    }
}

impl fmt::Debug for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A comment is long and does not belong in a log.
        write!(f, "Comment({} on {} by {}, {} bytes)", self.id, self.pull, self.author.login, self.text.len())
    }
}

/// The pull requests that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The forge's clock at the response, if it returns one.
    pub at: Option<Timestamp>,
    pub pulls: Listed<Mark>,
}

/// A pull request's state. Between two equal marks there is no missed comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub pull: PullId,
    pub updated: Timestamp,
    pub comments: u64,
    /// `None` while it is open.
    pub ended: Option<PullEnd>,
}

/// How a pull request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PullEnd {
    /// Closed without a merge. It may be reopened.
    Closed,
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

/// A push to a pull request's head, as recorded by the forge: a row of the same sequence as comments, so that the order
/// is known even within one second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    pub id: CommentId,
    /// Whether it removed commits.
    pub is_force: bool,
    /// The pushed commits, the head last. For a push that removed commits: the head before and after it.
    pub commits: Vec<Commit>,
}

/// What was pushed to a pull request's head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pushes {
    /// The pushes, in any order.
    pub items: Vec<Push>,
    /// The newest time of any row of the timeline, whatever its type: everything older has been read.
    pub newest: Option<Timestamp>,
}

/// A list from a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// Whether it is a consistent snapshot. Across several pages, a deletion in between may have hidden an item.
    pub at_once: bool,
}

/// A pull request and the commit that it proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub id: PullId,
    /// The head commit.
    pub head: Commit,
    /// The repository of its head, if it still exists.
    pub head_repo: Option<Repo>,
    /// The target branch.
    pub base: Branch,
    pub author: User,
    /// `None` while it is open.
    pub ended: Option<PullEnd>,
}

impl Pull {
    /// Whether its head is in another repository, so that users without write access here may push to it. True as well
    /// if that repository is gone.
    pub fn is_fork(&self) -> bool {
        self.head_repo.as_ref() != Some(&self.id.repo)
    }
}

/// A commit's status, as a forge shows it on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub state: StatusState,
    /// Its name; a later status of the same name replaces it.
    pub context: String,
    /// One line, cut at 140 characters.
    pub description: String,
    /// The address with details.
    pub target: Option<Url>,
}

/// The state of a commit's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusState {
    Pending,
    /// Green.
    Success,
    /// Red.
    Failure,
    /// Inconclusive.
    Error,
}
