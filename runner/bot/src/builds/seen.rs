//! The state of a build.

use base::names::RunId;
use forge::drone::BuildEnd;
use forge::names::CommentId;
use url::Url;

/// A build's last known state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenBuild {
    /// Absent while the build is not known to exist.
    pub number: Option<u64>,
    /// For people: `coop/cc-ci/12`.
    pub name: Option<String>,
    pub link: Option<Url>,
    /// Whether its run was seen on this swarm.
    pub on_swarm: bool,
    pub state: AtDrone,
}

/// The status of a build that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtDrone {
    /// Waits for a runner of Drone.
    Waits,
    /// Waits for an approval in Drone.
    Blocked,
    Runs,
    /// Runs, and Drone's time limit kills it soon.
    EndsSoon {
        /// Remaining minutes.
        left: u64,
        /// The limit, in minutes.
        limit: u64,
    },
    /// Unknown: Drone does not answer as expected, with retries.
    Away(String),
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// Its run has a verdict.
    Verdict,
    /// It ended without a verdict in the journal.
    Ended {
        /// Drone's status.
        end: BuildEnd,
        /// The last lines of the step's log, if Drone has them.
        log: Vec<String>,
    },
    /// Cancelled before a build was started.
    NotStarted,
    /// A build cannot be started.
    Refused { what: String, look_at: String },
}

/// A build that was started for a comment and has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedBuild {
    pub comment: CommentId,
    /// The run's id that the build was started with; a restart has the same parameter.
    pub run: RunId,
    /// The number of the build or of its newest restart.
    pub number: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartedBuild {
    pub number: u64,
    /// For people: `coop/cc-ci/13`.
    pub name: String,
    pub link: Option<Url>,
}
