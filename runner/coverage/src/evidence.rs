//! Evidence from runs: the part of a run's view about what ran and how it ended. It is independent of where runs are
//! stored, in a folder of journals or a database.

use base::failure::Kind;
use base::names::{Commit, RecipeName, RunId};
use jiff::Timestamp;

use journal::event::{CheckResult, Origin, Outcome, Stage, Verdict, VerdictKind};
use journal::fold::{RunView, StageProgress, StageView};
use journal::text::clean;
use recipe_folder::prints::Prints;

/// One run, as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub run: RunId,
    pub at: Timestamp,
    pub recipe: RecipeName,
    /// The tested commit.
    pub head: Commit,
    /// The version in the commit.
    pub version: Option<String>,
    /// The release that the upgrade started from; `None` if install was a fresh install of the commit.
    pub base: Option<String>,
    pub pull_request: Option<u64>,
    /// The requested part; empty for everything.
    pub only: Vec<String>,
    /// `None` if it has no end.
    pub word: Option<VerdictKind>,
    /// Fingerprints of the tests that it ran; absent in older journals.
    pub tests: Option<Prints>,
    pub stages: Vec<StageEvidence>,
}

/// One stage of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageEvidence {
    pub stage: Stage,
    /// `None` if it did not end.
    pub outcome: Option<Outcome>,
    pub began: bool,
    /// Why it was skipped or blocked, or the failure.
    pub reason: Option<String>,
    /// The recipe folder's tests in the plan.
    pub planned: Vec<String>,
    pub checks: Vec<Check>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub origin: Origin,
    pub outcome: Outcome,
    pub kind: Option<Kind>,
    pub text: String,
}

impl Check {
    /// The file of the recipe's folder that it is about: for `restored: data/check.hurl`, `data/check.hurl`.
    pub fn file(&self) -> &str {
        let name = self.name.split_once(": ").map_or(self.name.as_str(), |(_, name)| name);
        let name = name.strip_suffix(MUST_BE_RED).unwrap_or(name);
        name.split_once(AGAINST).map_or(name, |(name, _)| name)
    }

    /// Whether it ran, rather than being skipped or blocked.
    pub fn ran(&self) -> bool {
        matches!(self.outcome, Outcome::Passed | Outcome::Failed)
    }

    /// Whether it shows that its test can fail: it failed by an assertion and not because it is broken, or it had to
    /// fail and did.
    pub fn shows_red(&self) -> bool {
        match self.outcome {
            Outcome::Failed => !matches!(
                self.kind,
                None | Some(Kind::CheckBroken | Kind::Hollow | Kind::WipeDidNothing | Kind::ComesAndGoes)
            ),
            Outcome::Passed => self.had_to_be_red(),
            Outcome::Blocked | Outcome::Skipped => false,
        }
    }

    /// Whether it is a proof: green if its test was red.
    pub fn had_to_be_red(&self) -> bool {
        self.name.ends_with(MUST_BE_RED) || self.name.contains(AGAINST)
    }
}

/// The suffix and separator in names of proofs, as the stages write them.
const MUST_BE_RED: &str = " must be red";
const AGAINST: &str = " against ";

impl From<&CheckResult> for Check {
    fn from(check: &CheckResult) -> Self {
        Self {
            name: check.name.clone(),
            origin: check.origin,
            outcome: check.outcome,
            kind: check.fault.as_ref().map(|fault| fault.failure.kind),
            text: check.fault.as_ref().map_or_else(|| check.text.clone(), |fault| fault.failure.what.clone()),
        }
    }
}

impl From<&StageView> for StageEvidence {
    fn from(view: &StageView) -> Self {
        let steps = view.planned.iter().flat_map(|planned| &planned.steps);
        let fault = view.result().and_then(|result| result.fault.as_ref()).map(|fault| fault.failure.what.clone());
        Self {
            stage: view.stage,
            outcome: view.outcome(),
            began: view.state != StageProgress::Waiting && view.from_ms.is_some(),
            reason: fault.or_else(|| view.reason().map(str::to_owned)),
            planned: steps
                .filter_map(|step| Some(step.strip_prefix("run ")?.to_owned()))
                .filter(|name| is_file(name))
                .collect(),
            checks: view.checks.iter().map(Check::from).collect(),
        }
    }
}

/// Steps that begin with "run" and name no file are something else.
fn is_file(name: &str) -> bool {
    name.contains('/') && !name.contains(' ')
}

impl From<&RunView> for Evidence {
    fn from(view: &RunView) -> Self {
        let started = &view.started;
        Self {
            run: started.run.clone(),
            at: view.at,
            recipe: started.recipe.clone(),
            head: started.head.clone(),
            version: started.head_version.as_deref().map(clean),
            base: started.base.as_deref().map(clean),
            pull_request: started.pull_request,
            only: started.only.clone(),
            word: view.verdict.as_ref().map(|verdict: &Verdict| verdict.word),
            tests: (!started.tests.is_empty()).then(|| started.tests.clone()),
            stages: view.stages.iter().map(StageEvidence::from).collect(),
        }
    }
}

impl Evidence {
    /// Whether everything was requested.
    pub fn is_whole(&self) -> bool {
        self.only.is_empty()
    }

    /// Whether it was whole and green.
    pub fn is_green(&self) -> bool {
        self.is_whole() && self.word == Some(VerdictKind::Passed)
    }

    /// One of its stages. Without a release to start from, install counts as the fresh install.
    pub fn seen(&self, stage: Stage) -> Option<&StageEvidence> {
        let of = |stage| self.stages.iter().find(|seen| seen.stage == stage);
        match (stage, of(stage)) {
            (Stage::Fresh, Some(fresh)) if self.base.is_none() && fresh.outcome == Some(Outcome::Skipped) => {
                of(Stage::Install)
            }
            (_, seen) => seen,
        }
    }

    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.stages.iter().flat_map(|seen| &seen.checks)
    }
}

/// The runs of a state folder, newest first, and the errors of unreadable ones, a line each.
pub fn of_state(state: &std::path::Path) -> (Vec<Evidence>, Vec<String>) {
    use journal::fold::fold;

    let (mut found, mut remarks) = (Vec::new(), Vec::new());
    let runs = journal::run_dir::RunDir::all(state).unwrap_or_else(|error| {
        remarks.push(format!("{} cannot be read: {error}", state.display()));
        Vec::new()
    });
    for (run, dir) in runs.into_iter().rev() {
        match journal::read(&dir.journal()) {
            // A run that is just being created, or was killed then, has shown nothing.
            Err(journal::ReadError::Empty) => {}
            Err(journal::ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => remarks.push(format!("run {run} is no evidence: {error}")),
            Ok(read) => found.extend(fold(&read.records).ok().as_ref().map(Evidence::from)),
        }
    }
    (found, remarks)
}
