//! The worker's messages.

use forge::api::PullEnd;
use forge::names::{CommentId, PullId};

use super::builds::{Over, RestartedBuild, SeenBuild};
use super::job::Job;
use journal::event::Record;

#[derive(Debug)]
pub enum WorkerMessage {
    /// A stored command.
    Word(Box<Job>),
    /// A record of a comment's run.
    Record(CommentId, Box<Record>),
    /// The process of a comment's run has exited.
    Ended(CommentId, ChildExit),
    /// The process of a run from before a restart is gone.
    Gone(CommentId),
    /// The status of the build of a comment's run.
    Build(CommentId, Box<SeenBuild>),
    /// The build of a comment's run is over.
    Over(CommentId, Over),
    /// The build of a comment's run was restarted in Drone.
    Restarted(CommentId, Box<RestartedBuild>),
    /// A pull request is closed or merged. May be sent more than once.
    PullEnded {
        pull: PullId,
        end: PullEnd,
        /// The newest command known when this was found out; `None` if every known one is older.
        until: Option<CommentId>,
    },
    /// The result of removing the app that a comment's run kept.
    KeptApp(CommentId, Result<(), String>),
}

/// How a run's process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildExit {
    /// Absent if a signal ended it.
    pub code: Option<i32>,
    /// The last lines of its standard error.
    pub said: Vec<String>,
}
