//! The engine: takes an app through the planned stages and always through teardown. Nothing but
//! events comes out of it.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use base::failure::{Cause, Failure, Kind};
use futures_util::FutureExt;
use slots::{Lease, Lost};
use tokio_util::sync::CancellationToken;

use crate::context::usage;
use crate::context::{Keep, StageRun};
use crate::keep::keep;
use crate::slot::{self};
use crate::stage;
use crate::warm;
use host::queue::slots_of;
use host::snapshots;
use host::teardown;
use journal::event::Used;
use journal::event::{Event, Fault, Outcome, PlannedStage, Stage, StageResult, Verdict};
use journal::expect::Expected;
use journal::verdict::verdict;

/// Runs every stage and teardown, and gives the verdict that it also emitted.
pub async fn execute(cx: &mut StageRun, expected: &Expected) -> Verdict {
    let cancel = &cx.run.cancel.clone();
    let plan = cx.run.started.stages.clone();
    cx.run.emitter.emit(Event::RunStarted(Box::new(cx.run.started.clone())));
    if let Some(remark) = &cx.run.remark {
        cx.note(remark.clone());
    }
    let mut results: Vec<(Stage, StageResult)> = Vec::new();
    for planned in plan.iter().filter(|planned| planned.stage != Stage::Teardown) {
        let result = match why_not(planned, &results, cx, cancel) {
            Some(result) => {
                end(cx, planned.stage, &result, Duration::ZERO, None);
                result
            }
            None => one(cx, planned, expected, cancel).await,
        };
        results.push((planned.stage, result));
    }
    note_loss(cx);
    // What happens from here on changes nothing in what the stages have shown.
    let stopped = cancel.is_cancelled();
    let stays = if stopped { None } else { stays(cx).await };
    let (result, left) = match stays {
        Some(line) => {
            let result = StageResult { outcome: Outcome::Skipped, fault: None, reason: Some(line) };
            usage::end(cx);
            end(cx, Stage::Teardown, &result, Duration::ZERO, None);
            (result, Vec::new())
        }
        None => teardown(cx, &plan, expected).await,
    };
    results.push((Stage::Teardown, result));
    let cancelled = stopped && cx.holdings.lost.is_none();
    let verdict = verdict(&cx.run.started, &results, cx.run.emitter.elapsed_ms(), cancelled, &left);
    cx.run.emitter.emit(Event::RunEnded { verdict: verdict.clone() });
    verdict
}

/// Why the app is not torn down, if it stays. One that nothing could end later is not kept.
async fn stays(cx: &mut StageRun) -> Option<String> {
    let keep = match (cx.run.keep.clone(), cx.app.dir.asked_to_hold()) {
        (Keep::No, Some(time)) => Keep::For(time),
        (keep, _) => keep,
    };
    match keep {
        Keep::No => None,
        Keep::ByRun(run) => Some(format!("run {run} keeps the app")),
        // A run that never deployed has nothing to look at.
        Keep::For(_) if cx.run.swarm.services(&cx.app.spec.stack).await.is_ok_and(|services| services.is_empty()) => {
            None
        }
        Keep::For(time) => match stay(cx, time).await {
            Ok(line) => Some(line),
            Err(failure) => {
                cx.note(format!("the app is not kept: {}", failure.what));
                None
            }
        },
    }
}

/// The room first: what is kept without room on record would be too much.
async fn stay(cx: &mut StageRun, time: Duration) -> Result<String, Failure> {
    let stays = slot::stays(cx, &cx.run.runner, true);
    if let Some(lease) = &cx.holdings.lease {
        lease.keep(&stays).await?;
    }
    cx.holdings.lease = None;
    keep(cx, time).await
}

/// Why a stage is not run: by plan, by somebody's word, or because an earlier one is missing.
fn why_not(
    planned: &PlannedStage,
    done: &[(Stage, StageResult)],
    cx: &StageRun,
    cancel: &CancellationToken,
) -> Option<StageResult> {
    let because = |outcome, reason: String| Some(StageResult { outcome, fault: None, reason: Some(reason) });
    if cancel.is_cancelled() {
        return because(Outcome::Blocked, why_stopped(cx));
    }
    if let Some(reason) = &planned.skip {
        return because(Outcome::Skipped, reason.clone());
    }
    needs(planned.stage, cx.app.base_is_broken).iter().find_map(|needed| {
        let (_, result) = done.iter().find(|(stage, _)| stage == needed)?;
        let red = matches!(result.outcome, Outcome::Failed | Outcome::Blocked);
        red.then(|| StageResult {
            outcome: Outcome::Blocked,
            fault: None,
            reason: Some(format!("{needed} did not succeed")),
        })
    })
}

/// The stages without which a stage says nothing. A fresh install of the head is worth a look even
/// when the base release is broken: it tells whether the change itself is any good.
fn needs(stage: Stage, base_is_broken: bool) -> &'static [Stage] {
    match stage {
        Stage::Prepare | Stage::Teardown => &[],
        Stage::Slot if base_is_broken => &[],
        Stage::Slot => &[Stage::Prepare],
        Stage::Dependencies => &[Stage::Slot],
        Stage::Install => &[Stage::Prepare, Stage::Slot, Stage::Dependencies],
        Stage::Upgrade => &[Stage::Install],
        Stage::Prove => &[Stage::Install, Stage::Upgrade, Stage::Functional],
        Stage::Backup | Stage::Functional => &[Stage::Install, Stage::Upgrade],
        Stage::Fresh if base_is_broken => &[Stage::Slot, Stage::Dependencies],
        Stage::Fresh => &[Stage::Prepare, Stage::Upgrade],
        // On whatever of the head is there: a fresh install, or what the stages before have left.
        Stage::Faults if base_is_broken => &[Stage::Slot, Stage::Dependencies, Stage::Fresh],
        Stage::Faults => &[Stage::Prepare, Stage::Install, Stage::Upgrade, Stage::Fresh],
        Stage::Variants if base_is_broken => &[Stage::Slot, Stage::Dependencies],
        Stage::Variants => &[Stage::Prepare, Stage::Slot, Stage::Dependencies],
    }
}

async fn one(
    cx: &mut StageRun,
    planned: &PlannedStage,
    expected: &Expected,
    cancel: &CancellationToken,
) -> StageResult {
    let start = Instant::now();
    let limit = Duration::from_secs(planned.deadline_s);
    cx.stage = planned.stage;
    cx.deadline = start + limit;
    cx.faults.clear();
    cx.skipped = None;
    cx.not_shown = None;
    cx.run.emitter.emit(Event::StageStarted {
        stage: planned.stage,
        deadline_s: planned.deadline_s,
        expected_ms: expected.of(planned.stage),
    });
    usage::begin(cx);
    let mut bug = None;
    let mut late = false;
    {
        let work = AssertUnwindSafe(stage::run(planned.stage, cx)).catch_unwind();
        tokio::select! {
            ended = work => if let Err(panic) = ended { bug = Some(words_of(panic.as_ref())) },
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(limit) => late = true,
        }
    }
    if let Some(words) = bug {
        let what = format!("cc-ci itself failed in {}: {words}", planned.stage);
        push(cx, Failure::new(Kind::Bug, what, "please report it with the run's journal"));
    }
    let busy = cx.run.busy.lock().map(|text| text.clone()).unwrap_or_default();
    if late && planned.stage == Stage::Slot && cx.holdings.lease.is_none() {
        let what = format!("there was no slot in {} s: {busy}", planned.deadline_s);
        let look_at = "`cc-ci status`, who holds the others; `cc-ci caps`, how many there are; --max-wait and MAX_TESTS of the runs";
        push(cx, Failure::new(Kind::NoSlot, what, look_at));
    } else if late {
        let what = format!("{} did not end in {} s; it was last busy with: {busy}", planned.stage, planned.deadline_s);
        let fault = cx.fault(Failure::new(Kind::Deadline, what, "the task history and the logs, in the report"));
        cx.faults.push(Fault { cause: cause_of_lateness(planned.stage, fault.cause), ..fault });
    }
    if let Some(trouble) = cx.run.emitter.trouble() {
        // First: what else went wrong on such a disk is likely to follow from it.
        let what = format!("the journal cannot be written: {trouble}");
        let fault = cx.fault(Failure::new(Kind::DiskFull, what, "free space in cc-ci's state folder"));
        cx.faults.insert(0, fault);
    }
    let result = settle(cx, cancel).await;
    let took = start.elapsed();
    let used = if cancel.is_cancelled() { None } else { usage::of_stage(cx).await };
    end(cx, planned.stage, &result, took, used);
    result
}

/// Why the run does not go on.
fn why_stopped(cx: &StageRun) -> String {
    match (&cx.holdings.lost, &cx.holdings.cancelled_by) {
        (Some(failure), _) => failure.what.clone(),
        (None, Some(by)) => format!("the run was cancelled by {by}"),
        (None, None) => "the run was cancelled".to_owned(),
    }
}

/// Takes note of how the slot was lost, if it was.
fn note_loss(cx: &mut StageRun) {
    match cx.holdings.lease.as_ref().and_then(Lease::lost).cloned() {
        None => {}
        Some(Lost::Cancelled(by)) => cx.holdings.cancelled_by = Some(by),
        Some(lost) => cx.holdings.lost = Some(lost.failure()),
    }
}

/// The stage's result from its faults, with the engine's own end told apart from the app's.
async fn settle(cx: &mut StageRun, cancel: &CancellationToken) -> StageResult {
    if cancel.is_cancelled() {
        note_loss(cx);
        let fault = cx.holdings.lost.clone().map(|failure| Fault { cause: Cause::Infrastructure, failure });
        return StageResult { outcome: Outcome::Blocked, fault, reason: Some(why_stopped(cx)) };
    }
    let known = |kind| matches!(kind, Kind::EngineRestarted | Kind::EngineUnreachable);
    let lost = cx.run.engine.lock().await.lost_in(&cx.run.swarm, cx.stage).await;
    let killed = stage::killed(cx).await;
    if cx.faults.is_empty()
        && lost.is_none()
        && killed.is_empty()
        && let Some(failure) = stage::fallen(cx).await
    {
        push(cx, failure);
    }
    if cx.faults.is_empty() {
        for fault in killed {
            cx.note(format!("{}; the stage passed all the same", fault.failure.what));
        }
        if let Some(lost) = lost {
            cx.note(format!("{}; what the stage showed holds all the same", lost.what));
        }
        let outcome = if cx.skipped.is_some() { Outcome::Skipped } else { Outcome::Passed };
        return StageResult { outcome, fault: None, reason: cx.skipped.take().or_else(|| cx.not_shown.take()) };
    }
    if let Some(lost) = lost {
        if !known(cx.faults[0].failure.kind) {
            let first = cx.faults[0].failure.what.clone();
            let failure = lost.with_detail(format!("what the stage saw: {first}"));
            cx.faults.insert(0, Fault { cause: Cause::Infrastructure, failure });
        }
    } else {
        if cx.stage != Stage::Dependencies
            && let Some(gone) = stage::lost(cx).await
        {
            cx.faults.insert(0, gone);
        }
        name_kill(&mut cx.faults, killed);
        stage::collect_tasks(cx).await;
        stage::collect_logs(cx).await;
    }
    let fault = cx.faults[0].clone();
    // A head that cannot be prepared either has nothing to install afresh.
    if cx.stage == Stage::Prepare && cx.faults.iter().any(|fault| fault.cause != Cause::BaseRelease) {
        cx.app.base_is_broken = false;
    }
    if cx.stage == Stage::Install && fault.cause == Cause::BaseRelease {
        cx.app.base_is_broken = true;
    }
    let outcome = if fault.cause == Cause::Infrastructure { Outcome::Blocked } else { Outcome::Failed };
    StageResult { outcome, fault: Some(fault), reason: None }
}

/// A kill for memory explains what else was seen, and so goes before it.
fn name_kill(faults: &mut Vec<Fault>, killed: Vec<Fault>) {
    let is_named = |fault: &Fault| matches!(fault.failure.kind, Kind::OutOfMemory | Kind::NodeOutOfMemory);
    // What the machine did, such as a full disk, is not explained by it.
    if faults.first().is_some_and(|first| is_named(first) || first.cause == Cause::Infrastructure) {
        return;
    }
    let Some(Fault { cause, failure }) = killed.into_iter().next() else { return };
    let seen = faults.first().map(|first| match first.failure.detail.as_str() {
        "" => format!("what the stage saw: {}", first.failure.what),
        detail => format!("what the stage saw: {}\n{detail}", first.failure.what),
    });
    faults.insert(0, Fault { cause, failure: failure.with_detail(seen.unwrap_or_default()) });
}

async fn teardown(
    cx: &mut StageRun,
    plan: &[PlannedStage],
    expected: &Expected,
) -> (StageResult, Vec<journal::event::ObjectFact>) {
    let start = Instant::now();
    cx.stage = Stage::Teardown;
    cx.faults.clear();
    let deadline_s =
        plan.iter().find(|planned| planned.stage == Stage::Teardown).map_or(120, |planned| planned.deadline_s);
    cx.deadline = start + Duration::from_secs(deadline_s);
    cx.run.emitter.emit(Event::StageStarted {
        stage: Stage::Teardown,
        deadline_s,
        expected_ms: expected.of(Stage::Teardown),
    });
    usage::end(cx);
    stage::collect_logs(cx).await;
    stage::collect_tasks(cx).await;
    let (stayed, failures) = warm::leave(cx, Duration::from_secs(deadline_s)).await;
    failures.into_iter().for_each(|failure| push(cx, failure));
    let limit = Duration::from_secs(deadline_s);
    // Beside the removal: neither needs the other, and the bot is no part of the app.
    let claims = cx.holdings.claims_to_end();
    let (mut speaker, forgetting) = (cx.speaker(), cx.holdings.forgetting.take());
    let (mut ended, forgotten) =
        tokio::join!(teardown::tear_down_and_say(&claims, Some(&cx.app.dir), limit, &mut speaker), async {
            if let Some(begun) = forgetting {
                // Its error is that of the next try, if it is still one.
                let _ = begun.await;
            }
            snapshots::forget(&cx.run.swarm, &cx.app.dir, start + limit).await
        });
    // It says nothing of the recipe, and a janitor tries it again.
    if let Err(failure) = forgotten {
        cx.note(format!("{}; {}", failure.what, failure.look_at));
    }
    ended.left.extend(stayed);
    cx.run.emitter.emit(Event::ObjectsLeft { objects: ended.left.clone() });
    if let Some(failure) = ended.failure {
        push(cx, failure);
    } else if let Some(object) = ended.left.first() {
        let what =
            format!("{} objects could not be removed, the first is {} {}", ended.left.len(), object.kind, object.name);
        push(cx, Failure::new(Kind::LeftBehind, what, "who still uses it; then `cc-ci reap`"));
    }
    give_slot_back(cx, cx.faults.is_empty()).await;
    let result = match cx.faults.first() {
        None => StageResult { outcome: Outcome::Passed, fault: None, reason: None },
        Some(fault) => StageResult { outcome: Outcome::Failed, fault: Some(fault.clone()), reason: None },
    };
    let took = start.elapsed();
    let used = usage::of_stage(cx).await;
    end(cx, Stage::Teardown, &result, took, used);
    (result, ended.left)
}

/// After the teardown. Where something is left the slot is not given back: a janitor does that, when nothing
/// is left.
async fn give_slot_back(cx: &mut StageRun, clean: bool) {
    let slots = slots_of(&cx.run.swarm, &cx.run.runner.settings);
    let stays = slot::stays(cx, &cx.run.runner, false);
    let ended = match cx.holdings.lease.take() {
        // It may have a place in the queue; a run that only looks at a kept app never had one.
        None if matches!(cx.run.keep, Keep::ByRun(_)) => Ok(()),
        None if !clean => Ok(()),
        None => slots.forget_run(&cx.app.spec.run).await,
        Some(_) if !clean => Ok(()),
        Some(lease) if stays.is_empty() => lease.release().await,
        Some(lease) => lease.keep(&stays).await,
    };
    if let Err(failure) = ended {
        cx.note(format!("the slot could not be given back, so it expires: {}", failure.what));
    }
}

fn push(cx: &mut StageRun, failure: Failure) {
    let fault = cx.fault(failure);
    cx.faults.push(fault);
}

/// Checkout, pulls and removal are the machine's work, not the recipe's.
fn cause_of_lateness(stage: Stage, usual: Cause) -> Cause {
    match stage {
        Stage::Prepare | Stage::Slot | Stage::Teardown => Cause::Infrastructure,
        Stage::Dependencies => Cause::Dependency,
        _ => usual,
    }
}

fn end(cx: &StageRun, stage: Stage, result: &StageResult, took: Duration, used: Option<Used>) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    cx.run.emitter.emit(Event::StageEnded { stage, result: result.clone(), took_ms, used });
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic with no words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_for_memory_goes_before_what_it_explains() {
        let fault = |kind, what: &str| Fault { cause: Cause::Recipe, failure: Failure::new(kind, what, "x") };
        let kill = || vec![fault(Kind::OutOfMemory, "killed")];
        let mut faults = vec![fault(Kind::CheckFailed, "a test is red")];
        name_kill(&mut faults, kill());
        assert_eq!(faults.len(), 2);
        assert_eq!(faults[0].failure.kind, Kind::OutOfMemory);
        assert_eq!(faults[0].failure.detail, "what the stage saw: a test is red");
        name_kill(&mut faults, kill());
        assert_eq!(faults.len(), 2, "what is named already is not named twice");
        let mut other = vec![fault(Kind::CheckFailed, "a test is red")];
        name_kill(&mut other, Vec::new());
        assert_eq!(other[0].failure.kind, Kind::CheckFailed);
    }

    #[test]
    fn a_slow_machine_is_not_the_recipes_fault() {
        assert_eq!(cause_of_lateness(Stage::Prepare, Cause::Recipe), Cause::Infrastructure);
        assert_eq!(cause_of_lateness(Stage::Teardown, Cause::Recipe), Cause::Infrastructure);
        assert_eq!(cause_of_lateness(Stage::Install, Cause::BaseRelease), Cause::BaseRelease);
    }
}
