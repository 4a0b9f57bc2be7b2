//! What is known of a build.

use trigger::drone::Standing;
use url::Url;

/// A build, as it was seen the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its number; none while it is not known to be there.
    pub number: Option<u64>,
    /// What it is called: `coop/cc-ci/12`.
    pub name: Option<String>,
    /// Its page.
    pub link: Option<Url>,
    /// How it stands.
    pub state: AtDrone,
}

/// How a build stands that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtDrone {
    /// It waits for a runner of Drone, or for somebody's approval there.
    Waits,
    /// It runs.
    Runs,
    /// Nobody knows: Drone does not answer as it should, and is asked again.
    Away(String),
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// Its run came to its verdict, or Drone says how it stands at the end; none where Drone has forgotten it.
    Ended(Option<Standing>),
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

/// The end of a build in words: "it failed".
#[must_use]
pub(in crate::answer) fn word(standing: Option<Standing>) -> &'static str {
    match standing {
        Some(Standing::Passed) => "passed",
        Some(Standing::Failed) => "failed",
        Some(Standing::Stopped) => "was stopped",
        Some(Standing::Broken) => "could not run",
        _ => "is not known to Drone any more",
    }
}
