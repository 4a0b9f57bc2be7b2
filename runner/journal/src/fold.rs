//! Folds the records of a run into one view that every report renders.

use jiff::Timestamp;

use crate::event::{
    AbraCall, CheckResult, Event, ObjectFact, Outcome, PlannedStage, Record, RunStarted, Stage, StageResult, TaskFact,
    Used, Verdict, VerdictKind,
};
use crate::exit::Exit;
use crate::tone::Tone;

/// A run from its records so far.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    pub started: RunStarted,
    /// When it began.
    pub at: Timestamp,
    /// Its duration so far, in milliseconds.
    pub took_ms: u64,
    /// The planned stages in order, then any that ran without a plan.
    pub stages: Vec<StageView>,
    /// Teardown's last list of objects; `None` if the run did not reach it.
    pub left: Option<Vec<ObjectFact>>,
    /// `None` while it runs, or if it was killed.
    pub verdict: Option<Verdict>,
}

/// One stage from its records.
#[derive(Debug, Clone, PartialEq)]
pub struct StageView {
    pub stage: Stage,
    /// `None` if it was not planned.
    pub planned: Option<PlannedStage>,
    pub state: StageProgress,
    /// Milliseconds from the run's start to the stage's; `None` if it did not begin.
    pub from_ms: Option<u64>,
    /// Its duration in milliseconds; `None` if it did not end.
    pub took_ms: Option<u64>,
    /// The median of earlier runs in milliseconds, if there are any.
    pub expected_ms: Option<u64>,
    /// The usage of the run's apps, if it was measured.
    pub used: Option<Used>,
    /// In the order in which they ended.
    pub checks: Vec<CheckResult>,
    pub calls: Vec<AbraCall>,
    pub notes: Vec<String>,
    /// Its last activity.
    pub busy_with: Option<String>,
    pub logs: Vec<Log>,
    /// The tasks of the stack, from the last list.
    pub tasks: Vec<TaskFact>,
    /// Deployed compose files.
    pub compose: Vec<Compose>,
}

/// A stage's progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageProgress {
    /// It has not begun.
    Waiting,
    /// It has begun and not ended; in a journal without an end, the kill struck it.
    Running,
    Ended(StageResult),
}

/// The last log lines of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The service's short name.
    pub service: String,
    pub text: String,
    /// Whether earlier lines were cut.
    pub cut: bool,
}

/// A deployed compose file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compose {
    /// The version or commit that it belongs to.
    pub version: String,
    pub yaml: String,
}

/// The records do not begin with the start of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the records do not begin with run-started")]
pub struct NoStart;

/// Folds the records of one run.
///
/// # Errors
/// [`NoStart`].
pub fn fold(records: &[Record]) -> Result<RunView, NoStart> {
    let (first, rest) = records.split_first().ok_or(NoStart)?;
    let mut view = RunView::begin(first)?;
    for record in rest {
        view.apply(record);
    }
    Ok(view)
}

impl RunView {
    /// The view after the first record.
    ///
    /// # Errors
    /// [`NoStart`].
    pub fn begin(first: &Record) -> Result<Self, NoStart> {
        let Event::RunStarted(started) = &first.event else { return Err(NoStart) };
        Ok(Self {
            started: (**started).clone(),
            at: first.at,
            took_ms: first.ms,
            stages: started.stages.iter().map(StageView::planned).collect(),
            left: None,
            verdict: None,
        })
    }

    /// How long a passed run held its slot, in milliseconds: without preparation and waiting.
    pub fn worked_ms(&self) -> Option<u64> {
        let passed = self.verdict.as_ref().is_some_and(|verdict| verdict.word == VerdictKind::Passed);
        let before = self.stages.iter().filter(|stage| matches!(stage.stage, Stage::Prepare | Stage::Slot));
        passed.then(|| self.took_ms.saturating_sub(before.filter_map(|stage| stage.took_ms).sum()))
    }

    /// Applies the next record.
    pub fn apply(&mut self, record: &Record) {
        self.took_ms = self.took_ms.max(record.ms);
        match &record.event {
            Event::RunStarted(_) => {}
            Event::StageStarted { stage, expected_ms, .. } => {
                let view = self.stage_mut(*stage);
                view.state = StageProgress::Running;
                view.from_ms = Some(record.ms);
                view.expected_ms = *expected_ms;
            }
            Event::Progress { stage, text } => self.stage_mut(*stage).busy_with = Some(text.clone()),
            Event::AbraCalled { stage, call } => self.stage_mut(*stage).calls.push(call.clone()),
            Event::CheckEnded { stage, check } => self.stage_mut(*stage).checks.push(check.clone()),
            Event::Noted { stage, text } => self.stage_mut(*stage).notes.push(text.clone()),
            Event::ServiceLogs { stage, service, text, cut } => {
                let log = Log { service: service.clone(), text: text.clone(), cut: *cut };
                self.stage_mut(*stage).logs.push(log);
            }
            Event::TaskHistory { stage, tasks } => self.stage_mut(*stage).tasks.clone_from(tasks),
            Event::ComposeDeployed { stage, version, yaml } => {
                let compose = Compose { version: version.clone(), yaml: yaml.clone() };
                self.stage_mut(*stage).compose.push(compose);
            }
            Event::StageEnded { stage, result, took_ms, used } => {
                let view = self.stage_mut(*stage);
                view.used.clone_from(used);
                view.state = StageProgress::Ended(result.clone());
                // A blocked or skipped stage ends without having begun.
                view.took_ms = view.from_ms.map(|_| *took_ms);
                view.busy_with = None;
            }
            Event::ObjectsLeft { objects } => self.left = Some(objects.clone()),
            Event::RunEnded { verdict } => self.verdict = Some(verdict.clone()),
        }
    }

    fn stage_mut(&mut self, stage: Stage) -> &mut StageView {
        let at = match self.stages.iter().position(|view| view.stage == stage) {
            Some(at) => at,
            None => {
                self.stages.push(StageView::new(stage, None));
                self.stages.len() - 1
            }
        };
        &mut self.stages[at]
    }

    /// The stage that runs now, or ran when the run was killed.
    pub fn running(&self) -> Option<&StageView> {
        self.stages.iter().rev().find(|stage| stage.state == StageProgress::Running)
    }

    pub fn stage(&self, stage: Stage) -> Option<&StageView> {
        self.stages.iter().find(|view| view.stage == stage)
    }

    /// The verdict's line; for a run without an end, where it was killed.
    pub fn line(&self) -> String {
        match (&self.verdict, self.running()) {
            (Some(verdict), _) => verdict.line.clone(),
            (None, Some(stage)) => format!("no end: the run was killed during {}", stage.stage),
            (None, None) => "no end: the run was killed between two stages".to_owned(),
        }
    }

    /// What to look at, if it is not green.
    pub fn look_at(&self) -> Option<&str> {
        match &self.verdict {
            Some(verdict) => verdict.decided_by.as_ref().map(|decision| decision.fault.failure.look_at.as_str()),
            None => Some(
                "what ended the process: a cancelled build, a reboot, a kill (the kernel's log has its own); \
                 `cc-ci reap` finishes its teardown",
            ),
        }
    }

    /// The stage that decided the verdict, if it is not green.
    pub fn deciding_stage(&self) -> Option<Stage> {
        let verdict = self.verdict.as_ref()?;
        verdict.decided_by.as_ref().map(|decision| decision.stage)
    }

    /// The tone of the whole run: green only with a passed verdict.
    pub fn tone(&self) -> Tone {
        let Some(verdict) = &self.verdict else { return Tone::NoEnd };
        match verdict.word {
            VerdictKind::Passed => Tone::Passed,
            VerdictKind::Cancelled => Tone::Cancelled,
            // A stage that could not run has not shown that the change is bad.
            VerdictKind::Failed(_) => match self.deciding_stage().and_then(|stage| self.stage(stage)) {
                Some(view) if view.outcome() == Some(Outcome::Blocked) => Tone::Blocked,
                _ => Tone::Failed,
            },
        }
    }

    /// The exit code of the run; without an end that of infrastructure.
    pub fn exit(&self) -> Exit {
        self.verdict.as_ref().map_or(Exit::Infrastructure, Exit::from)
    }
}

impl StageView {
    fn planned(planned: &PlannedStage) -> Self {
        Self::new(planned.stage, Some(planned.clone()))
    }

    fn new(stage: Stage, planned: Option<PlannedStage>) -> Self {
        Self {
            stage,
            planned,
            state: StageProgress::Waiting,
            from_ms: None,
            took_ms: None,
            expected_ms: None,
            used: None,
            checks: Vec::new(),
            calls: Vec::new(),
            notes: Vec::new(),
            busy_with: None,
            logs: Vec::new(),
            tasks: Vec::new(),
            compose: Vec::new(),
        }
    }

    pub fn outcome(&self) -> Option<Outcome> {
        self.result().map(|result| result.outcome)
    }

    pub fn result(&self) -> Option<&StageResult> {
        match &self.state {
            StageProgress::Ended(result) => Some(result),
            StageProgress::Waiting | StageProgress::Running => None,
        }
    }

    /// Its tone in a run that has stopped.
    pub fn tone(&self) -> Tone {
        match &self.state {
            StageProgress::Waiting if self.reason().is_some() => Tone::Skipped,
            StageProgress::Waiting => Tone::NotReached,
            StageProgress::Running => Tone::NoEnd,
            StageProgress::Ended(result) => Tone::from(result.outcome),
        }
    }

    /// Opt-outs in the plan without a check, as check and reason: every report shows them.
    pub fn unseen_opt_outs(&self) -> impl Iterator<Item = (&str, &str)> {
        let told = |name: &str| self.checks.iter().any(|check| check.name == name);
        let planned = self.planned.iter().flat_map(|planned| &planned.opt_outs);
        planned
            .filter(move |opt_out| !told(&opt_out.check))
            .map(|opt_out| (opt_out.check.as_str(), opt_out.reason.as_str()))
    }

    /// Why it was or will be skipped, or what blocked it.
    pub fn reason(&self) -> Option<&str> {
        let ended = self.result().and_then(|result| result.reason.as_deref());
        ended.or_else(|| self.planned.as_ref()?.skip.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use proptest::prelude::*;

    #[test]
    fn a_run_without_an_end_names_the_stage_that_the_kill_struck() {
        let records = fixtures::killed();
        let view = fold(&records).unwrap();
        assert_eq!(view.line(), "no end: the run was killed during backup");
        assert_eq!((view.tone(), view.exit()), (Tone::NoEnd, Exit::Infrastructure));
        assert_eq!(view.stage(Stage::Functional).unwrap().tone(), Tone::NotReached);
    }

    #[test]
    fn everything_that_was_told_is_in_the_view() {
        let view = fold(&fixtures::failed_upgrade()).unwrap();
        let upgrade = view.stage(Stage::Upgrade).unwrap();
        assert_eq!(upgrade.outcome(), Some(Outcome::Failed));
        assert!(!upgrade.calls.is_empty() && !upgrade.tasks.is_empty() && !upgrade.logs.is_empty());
        assert!(!upgrade.compose.is_empty() && !upgrade.checks.is_empty());
        assert_eq!(view.deciding_stage(), Some(Stage::Upgrade));
        assert_eq!(view.left, Some(vec![]));
    }

    #[test]
    fn a_journal_from_before_apps_were_measured_is_read() {
        let whole = fold(&fixtures::passed()).unwrap();
        assert_eq!(whole.stage(Stage::Upgrade).unwrap().used.as_ref().unwrap().memory_peak, Some(412 << 20));
        let old: Vec<Record> = fixtures::passed()
            .iter()
            .map(|record| {
                let mut json = serde_json::to_value(record).unwrap();
                json.as_object_mut().unwrap().remove("used");
                serde_json::from_value(json).unwrap()
            })
            .collect();
        let view = fold(&old).unwrap();
        assert!(view.stages.iter().all(|stage| stage.used.is_none()));
        assert_eq!((view.tone(), view.took_ms), (whole.tone(), whole.took_ms));
    }

    #[test]
    fn records_without_a_start_are_refused() {
        assert_eq!(fold(&[]), Err(NoStart));
        assert_eq!(fold(&fixtures::passed()[1..]), Err(NoStart));
    }

    proptest! {
        #[test]
        fn a_prefix_of_a_green_run_is_never_green(cut in 1..200_usize) {
            let records = fixtures::passed();
            let cut = cut.min(records.len());
            let view = fold(&records[..cut]).unwrap();
            let whole = cut == records.len();
            prop_assert_eq!(view.tone() == Tone::Passed, whole);
            prop_assert_eq!(view.exit() == Exit::Passed, whole);
        }
    }
}
