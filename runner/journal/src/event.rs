//! The events of a run. Every report is a fold over them, so any report can be made again from a journal, and a killed
//! run still has one.

use std::collections::BTreeMap;

use base::exchange::Exchange;
use base::failure::{Cause, Failure};
use base::names::{Commit, Domain, RecipeName, RunId, StackName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the journal's format, in its first line. It is raised when a reader must change.
pub const JOURNAL_FORMAT: u32 = 1;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counts from 0 within the run, without gaps.
    pub seq: u64,
    /// By the runner's clock.
    pub at: Timestamp,
    /// Milliseconds since the run began, by a monotonic clock.
    pub ms: u64,
    #[serde(flatten)]
    pub event: Event,
}

/// An event. Everything that leaves the engine is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Always the first event: what is tested, where, and the plan.
    RunStarted(Box<RunStarted>),
    /// A stage begins.
    StageStarted {
        /// The stage.
        stage: Stage,
        /// Its timeout in seconds.
        deadline_s: u64,
        /// The median duration in earlier runs, in milliseconds; null in the first run.
        expected_ms: Option<u64>,
    },
    /// The run's current activity, for display: "waiting for app: starting".
    Progress {
        /// The active stage.
        stage: Stage,
        /// One line.
        text: String,
    },
    /// A call of abra has ended.
    AbraCalled {
        /// The calling stage.
        stage: Stage,
        /// The call.
        call: AbraCall,
    },
    /// A check has ended.
    CheckEnded {
        /// The stage of the check.
        stage: Stage,
        /// The result.
        check: CheckResult,
    },
    /// A remark that changes no outcome, such as a volume that no label covers.
    Noted {
        /// The stage of the remark.
        stage: Stage,
        /// One line.
        text: String,
    },
    /// The last log lines of a service, read at the end of a stage or at a failure.
    ServiceLogs {
        /// The stage that read them.
        stage: Stage,
        /// The service's short name, without the stack.
        service: String,
        /// The lines.
        text: String,
        /// Whether earlier lines were cut.
        cut: bool,
    },
    /// Every task of the stack, read at the end of a stage or at a failure.
    TaskHistory {
        /// The stage that read them.
        stage: Stage,
        /// The tasks, oldest first.
        tasks: Vec<TaskFact>,
    },
    /// The deployed compose file: merged and interpolated.
    ComposeDeployed {
        /// The stage of the deployment.
        stage: Stage,
        /// The version or commit that it belongs to.
        version: String,
        /// The YAML text.
        yaml: String,
    },
    /// A stage has ended.
    StageEnded {
        /// The stage.
        stage: Stage,
        /// The outcome and its cause.
        #[serde(flatten)]
        result: StageResult,
        /// Its duration in milliseconds.
        took_ms: u64,
        /// The usage of the run's apps; absent if it was not measured, as in older journals.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        used: Option<Used>,
    },
    /// Teardown's last list of docker objects, which should be empty.
    ObjectsLeft {
        /// The objects that still exist.
        objects: Vec<ObjectFact>,
    },
    /// Always the last event; without it, the run was killed.
    RunEnded {
        /// The verdict.
        verdict: Verdict,
    },
}

impl Event {
    /// The values of the field `event`, in the order of a run. A reader skips others.
    pub const NAMES: [&str; 12] = [
        "run-started",
        "stage-started",
        "progress",
        "abra-called",
        "check-ended",
        "noted",
        "service-logs",
        "task-history",
        "compose-deployed",
        "stage-ended",
        "objects-left",
        "run-ended",
    ];
}

/// The facts of a run at its start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunStarted {
    /// The journal's format; a reader refuses an unknown one.
    pub format: u32,
    /// The run's id: the time of its start and random letters.
    #[schemars(with = "String")]
    pub run: RunId,
    /// The first attempt, if this is the run of a restarted build; absent in other runs and in older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub restart_of: Option<RunId>,
    /// The recipe.
    #[schemars(with = "String")]
    pub recipe: RecipeName,
    /// The address of its repository, without credentials.
    pub source: String,
    /// The full id of the tested commit.
    #[schemars(with = "String")]
    pub head: Commit,
    /// The first line of that commit's message.
    pub head_subject: String,
    /// The version in the head's compose file, if any.
    pub head_version: Option<String>,
    /// The release that the upgrade starts from; null if there is none yet.
    pub base: Option<String>,
    /// The pull request's number.
    pub pull_request: Option<u64>,
    /// Whether the tested commit was the head of the repository's default branch when it was cloned. Absent in older
    /// journals.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_main: bool,
    /// The app's domain.
    #[schemars(with = "String")]
    pub domain: Domain,
    /// The app's stack.
    #[schemars(with = "String")]
    pub stack: StackName,
    /// The apps that are deployed for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<DependencyFact>,
    /// The requested part; empty for everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// The stages in order, each with its timeout or the reason why it is skipped.
    pub stages: Vec<PlannedStage>,
    /// The files of cc-ci's folder for the recipe, each with the first 16 digits of the SHA-256 of its content: a run
    /// is evidence only for these tests. Empty in older journals, and without a folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tests: BTreeMap<String, String>,
    /// The version of cc-ci.
    pub cc_ci: String,
    /// Host, engine, abra.
    pub host: HostFacts,
}

/// An app that a run deploys for the tested one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DependencyFact {
    /// Its recipe.
    #[schemars(with = "String")]
    pub recipe: RecipeName,
    /// The reason, for people.
    pub why: String,
    /// Its newest release, or the commit of its default branch if there is none.
    pub release: String,
    /// Its domain.
    #[schemars(with = "String")]
    pub domain: Domain,
    /// Its stack.
    #[schemars(with = "String")]
    pub stack: StackName,
}

/// One stage of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedStage {
    /// The stage.
    pub stage: Stage,
    /// Its timeout in seconds.
    pub deadline_s: u64,
    /// The reason, if it is skipped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub skip: Option<String>,
    /// Its steps, a line each.
    pub steps: Vec<String>,
    /// Generic checks that the recipe opted out of, each with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opt_outs: Vec<OptOut>,
}

/// A generic check that does not run, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OptOut {
    /// The check's name.
    pub check: String,
    /// The recipe folder's reason.
    pub reason: String,
}

/// The machine of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostFacts {
    /// Host name.
    pub name: String,
    /// Engine version, such as 20.10.24.
    pub engine: String,
    /// Whether the kernel has IPVS, which swarm's virtual addresses need.
    pub ipvs: bool,
    /// The abra program and its version.
    pub abra: String,
}

/// The stages of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Checkout, abra's rules, images: everything before the first deployment, outside its timeout.
    Prepare,
    /// The right to hold live apps, which all runners on the swarm share, and the claims of the apps' names.
    Slot,
    /// The apps that the recipe needs are deployed and answer, and logins are prepared.
    Dependencies,
    /// The base release is deployed and answers; the head if there is no release yet.
    Install,
    /// The base release is upgraded to the tested commit in place, and its data survives.
    Upgrade,
    /// Seed, back up, wipe, see the check fail, restore, see it pass.
    Backup,
    /// Tests of what the app is for.
    Functional,
    /// Only with `cc-ci prove`: every test against impostors, where it must be red.
    Prove,
    /// The tested commit on empty volumes, unless install was that already.
    Fresh,
    /// Injected faults, as they happen on servers: only those that `recipe.toml` enables.
    Faults,
    /// Install and upgrade with the compose files and settings of each variant in `recipe.toml`.
    Variants,
    /// Everything is removed, whatever happened before.
    Teardown,
}

impl Stage {
    /// In order.
    pub const ALL: [Self; 12] = [
        Self::Prepare,
        Self::Slot,
        Self::Dependencies,
        Self::Install,
        Self::Upgrade,
        Self::Backup,
        Self::Functional,
        Self::Prove,
        Self::Fresh,
        Self::Faults,
        Self::Variants,
        Self::Teardown,
    ];

    /// The name in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Slot => "slot",
            Self::Dependencies => "dependencies",
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Backup => "backup",
            Self::Functional => "functional",
            Self::Prove => "prove",
            Self::Fresh => "fresh",
            Self::Faults => "faults",
            Self::Variants => "variants",
            Self::Teardown => "teardown",
        }
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// The outcome of a check or a stage. Blocked is never green.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It ran and was green.
    Passed,
    /// It ran and was red.
    Failed,
    /// It could not run.
    Blocked,
    /// It was disabled, or has nothing to do, for the given reason.
    Skipped,
}

impl Outcome {
    /// The name in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Skipped => "skipped",
        }
    }
}

/// The origin of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It applies to every recipe.
    Generic,
    /// It is from the recipe's folder.
    Overlay,
    /// It is from the recipe's own repository.
    Recipe,
}

impl Origin {
    /// The name in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Overlay => "overlay",
            Self::Recipe => "recipe",
        }
    }
}

/// One assertion with a name, and its outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// Its name: `upgrade.moved`, or the overlay file's path in the recipe's folder.
    pub name: String,
    /// Its origin.
    pub origin: Origin,
    /// Its outcome.
    pub outcome: Outcome,
    /// One line: the evidence, or why it was skipped.
    pub text: String,
    /// Who has to act, and what happened, if it is red or blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Its duration in milliseconds.
    pub took_ms: u64,
    /// Its actions, for people.
    #[serde(flatten)]
    pub shown: CheckTrace,
}

/// A check's visible actions, redacted and bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckTrace {
    /// Its requests with their responses, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
    /// How many exchanges were omitted between the tenth and the eleventh of these.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exchanges_left_out: u64,
    /// The last lines of a green check's output.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// The files of a green check, such as a browser's picture, by their path in the run's folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A failure and who has to act on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// Who has to act.
    pub cause: Cause,
    /// What happened.
    #[serde(flatten)]
    pub failure: Failure,
}

/// The result of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageResult {
    /// Its outcome.
    pub outcome: Outcome,
    /// The first fault, if it is red or blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Why it was skipped; if it passed, what it has not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The usage of the run's own apps in a stage, in bytes. Only the engine's own node is measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Used {
    /// The peak of their total memory, sampled from the engine once a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak: Option<u64>,
    /// Their disk usage at the stage's end: volumes and the containers' writable layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// The usage of each app.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<AppUsed>,
}

/// The usage of one app in a stage, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppUsed {
    /// Its recipe.
    pub app: String,
    /// The peak of its memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak: Option<u64>,
    /// Its disk usage at the stage's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
}

impl Used {
    /// For people: `memory peak 412 MiB, disk 35 MiB`.
    pub fn words(&self) -> String {
        let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
        let memory = self.memory_peak.map(|bytes| format!("memory peak {} MiB", mib(bytes)));
        let disk = self.disk.map(|bytes| format!("disk {} MiB", mib(bytes)));
        memory.into_iter().chain(disk).collect::<Vec<_>>().join(", ")
    }
}

/// One call of the abra program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AbraCall {
    /// The arguments. No secret is ever among them.
    pub args: Vec<String>,
    /// The exit code; null if it was killed.
    pub exit: Option<i32>,
    /// The output without ANSI sequences; replaced by a remark if it contains secrets.
    pub output: String,
    /// Its duration in milliseconds.
    pub took_ms: u64,
}

/// One task of a service, from the swarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskFact {
    /// The service's short name.
    pub service: String,
    /// The task's id.
    pub task: String,
    /// The image.
    pub image: String,
    /// The state: running, failed, rejected, …
    pub state: String,
    /// The state that swarm wants.
    pub desired: String,
    /// The error, or empty.
    pub error: String,
    /// The container's exit code, if it ended.
    pub exit: Option<i64>,
    /// When it was created.
    pub at: String,
}

/// One docker object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectFact {
    /// Container, service, volume, secret, config, network.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The kind of verdict.
    pub word: VerdictKind,
    /// One line for people.
    pub line: String,
    /// The stage and the fault that decided, if it is not green.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Decision>,
}

/// Kinds of verdicts; each has its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// The change is good.
    Passed,
    /// It is not, or this could not be shown; with who has to act.
    Failed(Cause),
    /// A user stopped the run.
    Cancelled,
}

/// What decided a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The stage.
    pub stage: Stage,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_events_are_those_that_serde_writes() {
        let schema = schemars::schema_for!(Event);
        let variants = schema.as_value()["oneOf"].as_array().unwrap();
        let names: Vec<&str> =
            variants.iter().map(|variant| variant["properties"]["event"]["const"].as_str().unwrap()).collect();
        assert_eq!(names, Event::NAMES);
    }
}
