//! A build in Drone's JSON (`core/build.go`, `core/stage.go` and `core/step.go` of Drone 2.25; seen in its responses).

use std::collections::BTreeMap;
use std::time::Duration;

use base::names::Commit;
use jiff::Timestamp;
use serde::Deserialize;

/// The step of the pipeline `testme` that is the run.
const STEP: &str = "testme";

/// A build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Its number in its repository.
    pub number: u64,
    pub standing: BuildStanding,
    /// The commit whose pipeline it runs.
    pub commit: Option<Commit>,
    /// The build that it restarts.
    pub parent: Option<u64>,
    /// Drone's reason why it could not run.
    pub reason: Option<String>,
    /// When a runner started it.
    pub started: Option<Timestamp>,
    /// `None` if it has not ended.
    pub took: Option<Duration>,
    /// Its only step; absent before a runner has started it, and in lists.
    pub step: Option<BuildStep>,
}

/// A step of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildStep {
    /// The number of its stage in the build.
    pub stage: u64,
    /// Its number in the stage.
    pub number: u64,
    pub standing: BuildStanding,
    /// Its exit code, once it has ended: 130 if a user cancelled the build, 137 if the runner killed it, 255 if its
    /// container could not be created.
    pub exit_code: i32,
}

/// The status of a build or a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildStanding {
    /// Waits for a runner or for another build.
    Waiting,
    /// Waits for an approval.
    Blocked,
    Running,
    /// All steps were green.
    Passed,
    /// A step was red.
    Failed,
    /// Stopped, declined or skipped.
    Stopped,
    /// It could not run.
    Broken,
    /// A status that this release of cc-ci does not know.
    Unknown,
}

impl BuildStanding {
    pub(super) fn of(status: &str) -> Self {
        match status {
            "pending" | "waiting_on_dependencies" => Self::Waiting,
            "blocked" => Self::Blocked,
            "running" => Self::Running,
            "success" => Self::Passed,
            "failure" => Self::Failed,
            "killed" | "declined" | "skipped" => Self::Stopped,
            "error" => Self::Broken,
            _ => Self::Unknown,
        }
    }

    /// Whether it is final.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Passed | Self::Failed | Self::Stopped | Self::Broken)
    }
}

/// A build in Drone's JSON, which omits empty lists, zeros and empty texts.
#[derive(Deserialize)]
pub(super) struct BuildJson {
    number: u64,
    status: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    parent: u64,
    #[serde(default)]
    event: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    started: i64,
    #[serde(default)]
    finished: i64,
    #[serde(default)]
    params: Option<BTreeMap<String, String>>,
    #[serde(default)]
    stages: Option<Vec<StageJson>>,
}

#[derive(Deserialize)]
struct StageJson {
    number: u64,
    status: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    steps: Option<Vec<StepJson>>,
}

#[derive(Deserialize)]
struct StepJson {
    number: u64,
    name: String,
    status: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    exit_code: i32,
}

impl BuildJson {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.params.as_ref()?.get(name).map(String::as_str)
    }

    pub(super) fn build(&self) -> Build {
        let stages = self.stages.as_deref().unwrap_or_default();
        let steps = || stages.iter().flat_map(|stage| stage.steps.iter().flatten().map(move |step| (stage, step)));
        let standing = match BuildStanding::of(&self.status) {
            // Approvals are per stage; the build as a whole is pending.
            BuildStanding::Waiting
                if stages.iter().any(|stage| BuildStanding::of(&stage.status) == BuildStanding::Blocked) =>
            {
                BuildStanding::Blocked
            }
            standing => standing,
        };
        let errors = [&self.error].into_iter().chain(stages.iter().map(|stage| &stage.error));
        let reason = errors.chain(steps().map(|(_, step)| &step.error)).find(|text| !text.is_empty());
        let chosen = steps().find(|(_, step)| step.name == STEP).or_else(|| steps().last());
        let ran = self.finished.checked_sub(self.started).filter(|_| self.started > 0 && self.finished > 0);
        Build {
            number: self.number,
            standing,
            commit: self.after.parse().ok(),
            // A promotion or a rollback has a parent too, and is no new attempt of it.
            parent: Some(self.parent).filter(|parent| *parent > 0 && self.event == "custom"),
            reason: reason.cloned(),
            started: Timestamp::from_second(self.started).ok().filter(|_| self.started > 0),
            took: ran.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs),
            step: chosen.map(|(stage, step)| BuildStep {
                stage: stage.number,
                number: step.number,
                standing: BuildStanding::of(&step.status),
                exit_code: step.exit_code,
            }),
        }
    }
}
