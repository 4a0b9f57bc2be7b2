//! What is known of a build.

use base::names::RunId;
use forge::drone::BuildEnd;
use forge::names::CommentId;
use url::Url;

/// A build, as it was seen the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenBuild {
    /// Its number; none while it is not known to be there.
    pub number: Option<u64>,
    /// What it is called: `coop/cc-ci/12`.
    pub name: Option<String>,
    /// Its page.
    pub link: Option<Url>,
    /// Whether its run was seen on this swarm.
    pub on_swarm: bool,
    /// How it stands.
    pub state: AtDrone,
}

/// How a build stands that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtDrone {
    /// It waits for a runner of Drone.
    Waits,
    /// It waits for an approval in Drone.
    Blocked,
    /// It runs.
    Runs,
    /// It runs, and Drone's time limit kills it soon.
    EndsSoon {
        /// In so many minutes.
        left: u64,
        /// The limit, in minutes.
        limit: u64,
    },
    /// Nobody knows: Drone does not answer as it should, and is asked again.
    Away(String),
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// Its run came to its verdict.
    Verdict,
    /// It ended, and no verdict of its run came here.
    Ended {
        /// How, by Drone.
        end: BuildEnd,
        /// The last lines that its step printed, where Drone has them.
        log: Vec<String>,
    },
    /// It was let go of before there was one.
    NotStarted,
    /// There can be none.
    Refused {
        /// What happened.
        what: String,
        /// What to look at.
        look_at: String,
    },
}

/// A build that was started for a comment and has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedBuild {
    /// The comment.
    pub comment: CommentId,
    /// The run's id that the build was started with; a restart has the same parameter.
    pub run: RunId,
    /// Its number, or that of its newest restart.
    pub number: u64,
}

/// A restart of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartedBuild {
    /// Its number.
    pub number: u64,
    /// What it is called: `coop/cc-ci/13`.
    pub name: String,
    /// Its page.
    pub link: Option<Url>,
}
