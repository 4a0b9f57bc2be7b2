//! The API's types. Names and meanings are stable: fields are added, never changed.

use schemars::JsonSchema;
use serde::Serialize;

use crate::when::iso;
use history::{CheckRow, RunRow, StageRow, StageState};
use journal::text::clean;
use journal::tone::Tone;

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Run {
    /// The run's id.
    pub(crate) run: String,
    /// The recipe.
    pub(crate) recipe: String,
    /// The tested commit, in full.
    pub(crate) commit: String,
    /// The version that the commit names.
    pub(crate) version: Option<String>,
    /// The release that the upgrade starts from.
    pub(crate) base: Option<String>,
    /// The pull request's number.
    pub(crate) pull_request: Option<u64>,
    /// The requested part; empty for everything.
    pub(crate) only: Vec<String>,
    /// When it began, in UTC.
    pub(crate) at: String,
    /// Milliseconds that it took, or has taken so far.
    pub(crate) took_ms: u64,
    /// live, ended or no-end (it was killed).
    pub(crate) state: String,
    /// passed, failed, blocked, cancelled or no end; null while it is in progress.
    pub(crate) verdict: Option<String>,
    /// Who has to act, if it is red.
    pub(crate) cause: Option<String>,
    /// The code of the failure that decided the verdict.
    pub(crate) failure: Option<String>,
    /// The stage that decided the verdict.
    pub(crate) stage: Option<String>,
    /// The verdict in one line, or the run's current activity.
    pub(crate) line: String,
    /// What to look at, if it is not green.
    pub(crate) look_at: Option<String>,
}

/// One stage of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Stage {
    /// Its name.
    pub(crate) stage: String,
    /// passed, failed, blocked, skipped, running or waiting.
    pub(crate) outcome: String,
    /// What happened, or why it was skipped.
    pub(crate) why: Option<String>,
    /// Milliseconds from the run's start to its own.
    pub(crate) from_ms: Option<u64>,
    /// Milliseconds that it took.
    pub(crate) took_ms: Option<u64>,
    /// The median of earlier runs, in milliseconds.
    pub(crate) expected_ms: Option<u64>,
    /// The peak memory of the run's apps, in bytes.
    pub(crate) memory_peak: Option<u64>,
    /// Their disk usage at the end, in bytes.
    pub(crate) disk: Option<u64>,
}

/// One check of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Check {
    /// Its name.
    pub(crate) name: String,
    /// The stage.
    pub(crate) stage: String,
    /// generic, overlay or recipe.
    pub(crate) origin: String,
    /// passed, failed, blocked or skipped.
    pub(crate) outcome: String,
    /// The evidence, or the failure.
    pub(crate) text: String,
    /// Milliseconds that it took.
    pub(crate) took_ms: u64,
    /// The journal's record of it.
    pub(crate) record: u64,
}

/// One run with its stages and checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct WholeRun {
    /// The run.
    #[serde(flatten)]
    pub(crate) run: Run,
    /// Its stages, in order.
    pub(crate) stages: Vec<Stage>,
    /// Its checks, in order.
    pub(crate) checks: Vec<Check>,
}

/// One recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Recipe {
    /// Its name.
    pub(crate) recipe: String,
    /// Its newest run that tests the whole recipe, else its newest.
    pub(crate) newest: Run,
    /// That run's stages.
    pub(crate) stages: Vec<Stage>,
}

/// A page of the list of runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Runs {
    /// The runs, newest first.
    pub(crate) runs: Vec<Run>,
    /// The value of `before` for the next page; null at the end.
    pub(crate) next: Option<String>,
}

/// An error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Trouble {
    /// What is wrong.
    pub(crate) error: String,
}

impl From<&RunRow> for Run {
    fn from(run: &RunRow) -> Self {
        Self {
            run: run.run.to_string(),
            recipe: run.recipe.to_string(),
            commit: run.head.to_string(),
            version: run.head_version.as_deref().map(clean),
            base: run.base.as_deref().map(clean),
            pull_request: run.pull_request,
            only: run.only.clone(),
            at: iso(run.at),
            took_ms: run.took_ms,
            state: run.state.name().to_owned(),
            verdict: run.tone.map(|tone| tone.word().to_owned()),
            cause: run.cause().map(|cause| cause.words().to_owned()),
            failure: run.kind.clone(),
            stage: run.stage.map(|stage| stage.name().to_owned()),
            line: clean(&run.line),
            look_at: run.look_at.as_deref().map(clean),
        }
    }
}

impl From<&StageRow> for Stage {
    fn from(stage: &StageRow) -> Self {
        let outcome = match stage.state {
            StageState::Waiting => "waiting",
            StageState::Running => "running",
            StageState::Ended(outcome) => Tone::from(outcome).word(),
        };
        Self {
            stage: stage.stage.name().to_owned(),
            outcome: outcome.to_owned(),
            why: stage.what.as_deref().or(stage.reason.as_deref()).map(clean),
            from_ms: stage.from_ms,
            took_ms: stage.took_ms,
            expected_ms: stage.expected_ms,
            memory_peak: stage.memory_peak,
            disk: stage.disk,
        }
    }
}

impl From<&CheckRow> for Check {
    fn from(check: &CheckRow) -> Self {
        Self {
            name: clean(&check.name),
            stage: check.stage.name().to_owned(),
            origin: check.origin.name().to_owned(),
            outcome: check.outcome.name().to_owned(),
            text: clean(&check.text),
            took_ms: check.took_ms,
            record: check.line,
        }
    }
}
