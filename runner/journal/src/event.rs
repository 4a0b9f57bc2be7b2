//! The events of a run: the single truth. Every report is a fold over them, so any report can be
//! made again from a journal, and a killed run still has one.

use std::collections::BTreeMap;

use base::exchange::Exchange;
use base::failure::{Cause, Failure};
use base::names::{Commit, Domain, RecipeName, RunId, StackName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the journal's format, in its first line. It grows when a reader must change.
pub const JOURNAL_FORMAT: u32 = 1;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counts from 0 within the run, with no gap.
    pub seq: u64,
    /// When it happened, by the runner's clock.
    pub at: Timestamp,
    /// Milliseconds since the run began, by a clock that nobody moves.
    pub ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What a run says. Nothing else leaves the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Always the first event: what is tested, where, and what is planned.
    RunStarted(Box<RunStarted>),
    /// A stage begins.
    StageStarted {
        /// Which one.
        stage: Stage,
        /// Seconds that it may take.
        deadline_s: u64,
        /// Milliseconds that it took in earlier runs (median); none on the first.
        expected_ms: Option<u64>,
    },
    /// What the run is doing now, for people who watch: "waiting for app: starting".
    Progress {
        /// The stage that is busy.
        stage: Stage,
        /// One line.
        text: String,
    },
    /// A call of abra has ended.
    AbraCalled {
        /// The stage that called.
        stage: Stage,
        /// The call.
        call: AbraCall,
    },
    /// A check has ended.
    CheckEnded {
        /// The stage that it belongs to.
        stage: Stage,
        /// The result.
        check: CheckResult,
    },
    /// Something to tell that changes no outcome, such as a volume that no label covers.
    Noted {
        /// The stage that noticed.
        stage: Stage,
        /// One line.
        text: String,
    },
    /// The last log lines of a service, taken at the end of a stage or at a failure.
    ServiceLogs {
        /// The stage that took them.
        stage: Stage,
        /// The service's short name, without the stack.
        service: String,
        /// The lines.
        text: String,
        /// Whether earlier lines were cut.
        cut: bool,
    },
    /// Every task that the stack had, at the end of a stage or at a failure.
    TaskHistory {
        /// The stage that took it.
        stage: Stage,
        /// The tasks, oldest first.
        tasks: Vec<TaskFact>,
    },
    /// The compose file as it was deployed: merged and interpolated.
    ComposeDeployed {
        /// The stage that deployed it.
        stage: Stage,
        /// The version or commit that it belongs to.
        version: String,
        /// The YAML text.
        yaml: String,
    },
    /// A stage has ended.
    StageEnded {
        /// Which one.
        stage: Stage,
        /// How it ended, and why.
        #[serde(flatten)]
        result: StageResult,
        /// How long it took, in milliseconds.
        took_ms: u64,
        /// What the run's apps held meanwhile; none where nothing was measured, as in journals of before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        used: Option<Used>,
    },
    /// Teardown's last list of docker objects; empty is what it must be.
    ObjectsLeft {
        /// The objects that are still there.
        objects: Vec<ObjectFact>,
    },
    /// Always the last event; a journal without it is that of a killed run.
    RunEnded {
        /// The verdict.
        verdict: Verdict,
    },
}

impl Event {
    /// The values of the field `event`, in the order of a run. A reader leaves out the others.
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
    /// The journal's format; a reader refuses one that it does not know.
    pub format: u32,
    /// The run's id: the time of its start and random letters.
    #[schemars(with = "String")]
    pub run: RunId,
    /// The first attempt, where this is the run of a restarted build; absent in other runs and in older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub restart_of: Option<RunId>,
    /// The recipe.
    #[schemars(with = "String")]
    pub recipe: RecipeName,
    /// Where its repository was taken from; without credentials.
    pub source: String,
    /// The full id of the tested commit.
    #[schemars(with = "String")]
    pub head: Commit,
    /// The first line of that commit's message.
    pub head_subject: String,
    /// The version that the head's compose file names, if it names one.
    pub head_version: Option<String>,
    /// The release that the upgrade starts from; none where there is no release yet.
    pub base: Option<String>,
    /// The pull request's number.
    pub pull_request: Option<u64>,
    /// Whether the tested commit was the newest of the repository's default branch when it was cloned. Journals of before
    /// do not say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_main: bool,
    /// The app's domain.
    #[schemars(with = "String")]
    pub domain: Domain,
    /// The app's stack.
    #[schemars(with = "String")]
    pub stack: StackName,
    /// The apps that are deployed beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<DependencyFact>,
    /// The part that was asked for; empty where it was everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// The stages in order, each with its deadline or the reason why it is skipped.
    pub stages: Vec<PlannedStage>,
    /// The files of cc-ci's folder for the recipe, each with the first 16 digits of the SHA-256 of its content: a run is
    /// evidence for these tests and no others. Empty in journals of before, and where there is no folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tests: BTreeMap<String, String>,
    /// cc-ci's own version.
    pub cc_ci: String,
    /// Host, engine, abra.
    pub host: HostFacts,
}

/// An app that a run deploys beside the tested one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DependencyFact {
    /// Its recipe.
    #[schemars(with = "String")]
    pub recipe: RecipeName,
    /// Why it is there, in words.
    pub why: String,
    /// Its newest release; the commit of its default branch where there is none.
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
    /// Which one.
    pub stage: Stage,
    /// Seconds that it may take.
    pub deadline_s: u64,
    /// Why it is skipped, if it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub skip: Option<String>,
    /// What it will do, a line each.
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

/// The machine that a run works on.
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

/// The stages of a run, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Checkout, abra's rules, images: everything before the first deploy, outside its timeout.
    Prepare,
    /// The right to hold live apps, which all runners on the swarm share, and the apps' names.
    Slot,
    /// The apps that the recipe needs are deployed and answer, and logins are made ready.
    Dependencies,
    /// The base release is deployed and answers; the head where there is no release yet.
    Install,
    /// The base release goes to the tested commit in place, and its data is still there.
    Upgrade,
    /// Seed, back up, wipe, see the check fail, restore, see it pass.
    Backup,
    /// What the app is for.
    Functional,
    /// With `cc-ci prove` alone: every test against impostors, where it must be red.
    Prove,
    /// The tested commit on empty volumes, where install was not that already.
    Fresh,
    /// What goes wrong on servers, made on purpose: only what `recipe.toml` switches on.
    Faults,
    /// Install and upgrade with the compose files and settings of each variant that `recipe.toml` names.
    Variants,
    /// Everything goes, whatever happened before.
    Teardown,
}

impl Stage {
    /// All of them, in their order.
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

/// How a check or a stage ended. Blocked is never green.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It ran and was green.
    Passed,
    /// It ran and was red.
    Failed,
    /// It could not run.
    Blocked,
    /// It was switched off, or there is nothing that it could do, for the reason given.
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

/// Where a check comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Every recipe gets it.
    Generic,
    /// The recipe's folder brings it.
    Overlay,
    /// The recipe's own repository brings it.
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

/// One assertion with a name, and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// Its name: `upgrade.moved`, or the overlay file's path below the recipe's folder.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// How it ended.
    pub outcome: Outcome,
    /// One line: what was shown, or why it was skipped.
    pub text: String,
    /// Who has to act, and what happened; for the red and the blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What it did, for people to look at.
    #[serde(flatten)]
    pub shown: CheckTrace,
}

/// What a check did: as far as it can be seen, clean of secrets and bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckTrace {
    /// What it asked and was answered, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
    /// How many exchanges more there were, between the tenth and the eleventh of these.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exchanges_left_out: u64,
    /// The last lines that a green check printed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// The files that a green check left, such as a browser's picture; below the run's folder.
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

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageResult {
    /// How.
    pub outcome: Outcome,
    /// The first fault, for the red and the blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Why it was skipped, if it was; of one that passed, what it has not shown all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What the run's own apps held in a stage, in bytes. Only what the engine's own node has is seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Used {
    /// The most memory that all of them held at one time, by the engine's figures once a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak: Option<u64>,
    /// The disk that they held at the stage's end: volumes and the containers' own layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// The same of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<AppUsed>,
}

/// What one app held in a stage, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppUsed {
    /// Its recipe.
    pub app: String,
    /// The most memory that it held at one time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak: Option<u64>,
    /// The disk that it held at the stage's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
}

impl Used {
    /// In a few words: `memory peak 412 MiB, disk 35 MiB`.
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
    /// The words after the program's name. No secret is ever among them.
    pub args: Vec<String>,
    /// The exit code; none where it was killed.
    pub exit: Option<i32>,
    /// What it printed, ANSI stripped; replaced by a remark where it holds secrets.
    pub output: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// One task of a service, as the swarm tells it.
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
    /// The error, empty where there is none.
    pub error: String,
    /// The container's exit code, where it ended.
    pub exit: Option<i64>,
    /// When it was made.
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

/// The answer of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// What the run says about the change.
    pub word: VerdictKind,
    /// One line for people.
    pub line: String,
    /// The stage and the fault that decided, where it is not green.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Decision>,
}

/// The word of a verdict; each has its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// The change is good.
    Passed,
    /// It is not, or it could not be shown, and this is who has to act.
    Failed(Cause),
    /// Somebody stopped the run.
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
