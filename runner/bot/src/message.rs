//! What reaches the worker.

use forge::api::PullEnd;
use forge::names::{CommentId, PullId};

use super::builds::{Over, RestartedBuild, SeenBuild};
use super::job::Job;
use journal::event::Record;

/// What reaches the worker.
#[derive(Debug)]
pub enum WorkerMessage {
    /// A word that is in the book.
    Word(Box<Job>),
    /// What the run of a comment says.
    Record(CommentId, Box<Record>),
    /// The process of a comment's run has ended.
    Ended(CommentId, ChildExit),
    /// The process of a run from before a restart is gone.
    Gone(CommentId),
    /// How the build of a comment's run stands.
    Build(CommentId, Box<SeenBuild>),
    /// The build of a comment's run is over.
    Over(CommentId, Over),
    /// The build of a comment's run was restarted in Drone.
    Restarted(CommentId, Box<RestartedBuild>),
    /// A pull request is closed or merged; it may have been told before.
    PullEnded {
        /// Which one.
        pull: PullId,
        /// How.
        end: PullEnd,
        /// The last word that was known when this was found out; none where every known one is older.
        until: Option<CommentId>,
    },
    /// What became of the app that the run of a comment kept.
    KeptApp(CommentId, Result<(), String>),
}

/// How a run's process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildExit {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// The last lines of its standard error.
    pub said: Vec<String>,
}
