//! The records of a run, folded into one view that every report renders.

use jiff::Timestamp;

use crate::event::{
    AbraCall, CheckResult, Event, ObjectFact, Outcome, PlannedStage, Record, RunStarted, Stage, StageResult, TaskFact,
    Used, Verdict, VerdictKind,
};
use crate::exit::Exit;
use crate::tone::Tone;

/// A run as its records tell it, up to the last one.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// The facts at its start.
    pub started: RunStarted,
    /// When it began.
    pub at: Timestamp,
    /// How long it took or has taken so far, in milliseconds.
    pub took_ms: u64,
    /// Its stages: the planned ones in their order, then any that ran without a plan.
    pub stages: Vec<StageView>,
    /// Teardown's last list of objects; none where the run did not come that far.
    pub left: Option<Vec<ObjectFact>>,
    /// The verdict; none while it runs, and for ever where it was killed.
    pub verdict: Option<Verdict>,
}

/// One stage as its records tell it.
#[derive(Debug, Clone, PartialEq)]
pub struct StageView {
    /// Which one.
    pub stage: Stage,
    /// What was planned; none where the plan did not have it.
    pub planned: Option<PlannedStage>,
    /// How far it came.
    pub state: StageProgress,
    /// Milliseconds from the run's start to the stage's; none where it did not begin.
    pub from_ms: Option<u64>,
    /// Milliseconds that it took; none where it did not end.
    pub took_ms: Option<u64>,
    /// The median of earlier runs in milliseconds, where there were any.
    pub expected_ms: Option<u64>,
    /// What the run's apps held meanwhile, where it was measured.
    pub used: Option<Used>,
    /// Its checks in the order in which they ended.
    pub checks: Vec<CheckResult>,
    /// Its calls of abra.
    pub calls: Vec<AbraCall>,
    /// What it noticed.
    pub notes: Vec<String>,
    /// What it was busy with last.
    pub busy_with: Option<String>,
    /// Log lines of services.
    pub logs: Vec<Log>,
    /// The tasks of the stack, by the last list that was taken.
    pub tasks: Vec<TaskFact>,
    /// Compose files as they were deployed.
    pub compose: Vec<Compose>,
}

/// How far a stage came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageProgress {
    /// It has not begun.
    Waiting,
    /// It has begun and not ended; in a journal without an end it is what the kill struck.
    Running,
    /// It has ended.
    Ended(StageResult),
}

/// The last log lines of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The service's short name.
    pub service: String,
    /// The lines.
    pub text: String,
    /// Whether earlier lines were cut.
    pub cut: bool,
}

/// A compose file as it was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compose {
    /// The version or commit that it belongs to.
    pub version: String,
    /// The YAML text.
    pub yaml: String,
}

/// Why records do not make a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the records do not begin with run-started")]
pub struct NoStart;

/// Folds the records of one run.
///
/// # Errors
/// [`NoStart`] when the first record is another one or there is none.
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
    /// [`NoStart`] when it is not the start of a run.
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

    /// How long the run held its slot in milliseconds, where it passed: from the beginning without preparation
    /// and waiting.
    pub fn worked_ms(&self) -> Option<u64> {
        let passed = self.verdict.as_ref().is_some_and(|verdict| verdict.word == VerdictKind::Passed);
        let before = self.stages.iter().filter(|stage| matches!(stage.stage, Stage::Prepare | Stage::Slot));
        passed.then(|| self.took_ms.saturating_sub(before.filter_map(|stage| stage.took_ms).sum()))
    }

    /// Takes the next record.
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
                // One that was blocked or skipped ends without having begun.
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

    /// One stage.
    pub fn stage(&self, stage: Stage) -> Option<&StageView> {
        self.stages.iter().find(|view| view.stage == stage)
    }

    /// The verdict's line; for a run without an end, that it has none, and where it was killed.
    pub fn line(&self) -> String {
        match (&self.verdict, self.running()) {
            (Some(verdict), _) => verdict.line.clone(),
            (None, Some(stage)) => format!("no end: the run was killed during {}", stage.stage),
            (None, None) => "no end: the run was killed between two stages".to_owned(),
        }
    }

    /// What to look at, in a run that is not green.
    pub fn look_at(&self) -> Option<&str> {
        match &self.verdict {
            Some(verdict) => verdict.decided_by.as_ref().map(|decision| decision.fault.failure.look_at.as_str()),
            None => Some(
                "what ended the process: a cancelled build, a reboot, a kill (the kernel's log has its own); \
                 `cc-ci reap` finishes its teardown",
            ),
        }
    }

    /// The stage that decided, where the verdict is not green and one did.
    pub fn deciding_stage(&self) -> Option<Stage> {
        let verdict = self.verdict.as_ref()?;
        verdict.decided_by.as_ref().map(|decision| decision.stage)
    }

    /// How the whole looks: green only with a verdict that says so.
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

    /// The exit code that belongs to the view; a run without an end has that of infrastructure.
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

    /// How it ended, if it did.
    pub fn outcome(&self) -> Option<Outcome> {
        self.result().map(|result| result.outcome)
    }

    /// Its result, if it ended.
    pub fn result(&self) -> Option<&StageResult> {
        match &self.state {
            StageProgress::Ended(result) => Some(result),
            StageProgress::Waiting | StageProgress::Running => None,
        }
    }

    /// How it looks in a run that has stopped.
    pub fn tone(&self) -> Tone {
        match &self.state {
            StageProgress::Waiting if self.reason().is_some() => Tone::Skipped,
            StageProgress::Waiting => Tone::NotReached,
            StageProgress::Running => Tone::NoEnd,
            StageProgress::Ended(result) => Tone::from(result.outcome),
        }
    }

    /// Opt-outs of the plan that no check has told, as check and reason: they show in every report.
    pub fn unseen_opt_outs(&self) -> impl Iterator<Item = (&str, &str)> {
        let told = |name: &str| self.checks.iter().any(|check| check.name == name);
        let planned = self.planned.iter().flat_map(|planned| &planned.opt_outs);
        planned
            .filter(move |opt_out| !told(&opt_out.check))
            .map(|opt_out| (opt_out.check.as_str(), opt_out.reason.as_str()))
    }

    /// Why it was or will be skipped, or by what it was blocked.
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
