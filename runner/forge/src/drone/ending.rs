//! How a build ended, from Drone's fields. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::build::{Build, BuildStanding};

/// The exit code of a step that Drone's server marked as cancelled.
const CANCELLED: i32 = 130;
/// The exit code of a process that SIGKILL ended. The runner sets it if it killed the step, or if the container was
/// OOM-killed.
const KILLED: i32 = 137;
/// Maximum difference between the clocks of Drone and the runner.
const CLOCKS: Duration = Duration::from_secs(15);

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildEnd {
    /// The step ended by itself, with cc-ci's exit code.
    Exited { code: i32 },
    /// The step's process was killed, and not by Drone.
    Killed,
    /// A user cancelled it in Drone or over its API. Drone does not record who.
    Cancelled,
    /// The repository's time limit in Drone killed it.
    TimeLimit {
        /// The limit, in minutes.
        minutes: u64,
    },
    /// It could not run.
    Error {
        /// Drone's reason.
        why: String,
    },
    /// Drone does not have it any more.
    Forgotten,
    /// Drone reports it as running, and its run was found dead.
    FoundDead,
}

impl BuildEnd {
    /// The end of a build; `None` if it has not ended. `limit` is the time limit of its repository, if known.
    pub fn of(build: &Build, limit: Option<Duration>) -> Option<Self> {
        let step = build.step.as_ref().map(|step| (step.standing, step.exit_code));
        let why = || build.reason.clone().unwrap_or_else(|| "Drone names no reason".to_owned());
        Some(match (build.standing, step) {
            (BuildStanding::Passed, Some((BuildStanding::Passed, code))) => Self::Exited { code },
            // A condition or an earlier step skipped it, or its failure is ignored: nothing was tested.
            (BuildStanding::Passed, _) => Self::Error { why: "the build passed without its step testme".to_owned() },
            (BuildStanding::Failed, Some((BuildStanding::Broken, _))) | (BuildStanding::Broken, _) => {
                Self::Error { why: why() }
            }
            (BuildStanding::Failed, Some((_, KILLED))) => Self::Killed,
            // Not an exit code of a red step: the pipeline has steps other than cc-ci's.
            (BuildStanding::Failed, None | Some((_, ..=0))) => Self::Error { why: why() },
            (BuildStanding::Failed, Some((_, code))) => Self::Exited { code },
            (BuildStanding::Stopped, Some((_, code))) if code != CANCELLED => {
                let struck = limit.filter(|limit| build.took.is_some_and(|took| took + CLOCKS >= *limit));
                struck.map_or(Self::Cancelled, |limit| Self::TimeLimit { minutes: limit.as_secs() / 60 })
            }
            (BuildStanding::Stopped, _) => Self::Cancelled,
            (BuildStanding::Waiting | BuildStanding::Blocked | BuildStanding::Running | BuildStanding::Unknown, _) => {
                return None;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::BuildStep;
    use super::*;

    fn build(standing: BuildStanding, step: Option<(BuildStanding, i32)>) -> Build {
        let step = step.map(|(standing, exit_code)| BuildStep { stage: 1, number: 1, standing, exit_code });
        let took = standing.is_end().then(|| Duration::from_secs(3_600));
        Build { number: 12, standing, commit: None, parent: None, reason: None, started: None, took, step }
    }

    #[test]
    fn the_end_is_told_by_the_step_and_by_who_ended_it() {
        use BuildStanding::{Blocked, Broken, Failed, Passed, Running, Stopped, Unknown, Waiting};

        let hour = Some(Duration::from_secs(3_600));
        let day = Some(Duration::from_secs(86_400));
        let exited = |code| Some(BuildEnd::Exited { code });
        let error = |why: &str| Some(BuildEnd::Error { why: why.to_owned() });
        let limit = Some(BuildEnd::TimeLimit { minutes: 60 });
        for (standing, step, limited, wanted) in [
            (Passed, Some((Passed, 0)), hour, exited(0)),
            (Passed, Some((Stopped, 0)), hour, error("the build passed without its step testme")),
            (Passed, Some((Failed, 10)), hour, error("the build passed without its step testme")),
            (Passed, None, hour, error("the build passed without its step testme")),
            (Failed, Some((Failed, 10)), hour, exited(10)),
            (Failed, Some((Failed, 137)), hour, Some(BuildEnd::Killed)),
            (Failed, None, None, error("Drone names no reason")),
            (Failed, Some((Passed, 0)), None, error("Drone names no reason")),
            (Broken, None, None, error("Drone names no reason")),
            (Failed, Some((Broken, 255)), None, error("Drone names no reason")),
            (Stopped, Some((Stopped, 130)), hour, Some(BuildEnd::Cancelled)),
            (Stopped, Some((Stopped, 137)), hour, limit),
            (Stopped, Some((Stopped, 137)), day, Some(BuildEnd::Cancelled)),
            (Stopped, Some((Stopped, 137)), None, Some(BuildEnd::Cancelled)),
            (Stopped, None, hour, Some(BuildEnd::Cancelled)),
            (Waiting, None, hour, None),
            (Blocked, None, hour, None),
            (Running, Some((Running, 0)), hour, None),
            (Unknown, None, hour, None),
        ] {
            assert_eq!(BuildEnd::of(&build(standing, step), limited), wanted, "{standing:?} {step:?}");
        }
        let why = "linter: untrusted repositories cannot configure network_mode".to_owned();
        let broken = Build { reason: Some(why.clone()), ..build(Broken, None) };
        assert_eq!(BuildEnd::of(&broken, hour), Some(BuildEnd::Error { why }));
    }
}
