//! The verdict on a run, as a function of the results of its stages.
//!
//! Blocked is never green and skipped is never red. The first fault in the order of the stages decides, so that a
//! consequence does not hide its cause. Objects left by teardown turn a green run red and do not change a red run.

use base::failure::{Cause, Failure, Kind};

use crate::event::{Decision, Fault, ObjectFact, Outcome, RunStarted, Stage, StageResult, Verdict, VerdictKind};
use crate::selection::Selection;
use crate::text::{count, one_line, seconds};

/// The verdict on a run.
///
/// `results` has the stages that ended, in any order; a missing planned stage counts as red. `took_ms` is the whole
/// run's duration in milliseconds. If the run was `cancelled`, the verdict is cancelled, whatever the results. `left`
/// is teardown's last list of objects.
pub fn verdict(
    started: &RunStarted,
    results: &[(Stage, StageResult)],
    took_ms: u64,
    cancelled: bool,
    left: &[ObjectFact],
) -> Verdict {
    let mut results = results.to_vec();
    results.sort_by_key(|(stage, _)| *stage);

    let first = named_fault(&results).or_else(|| unnamed_fault(&results));

    if cancelled {
        return cancelled_verdict(first, left);
    }
    let decided = first
        .or_else(|| missing(started, &results))
        .or_else(|| nothing_tested(started, &results))
        .or_else(|| left_behind(left));
    match decided {
        Some((outcome, decision)) => Verdict {
            word: VerdictKind::Failed(decision.fault.cause),
            line: format!("{}{}", red_line(outcome, &decision), left_note(&decision, left)),
            decided_by: Some(decision),
        },
        None => Verdict { word: VerdictKind::Passed, line: green_line(started, &results, took_ms), decided_by: None },
    }
}

fn is_red(result: &StageResult) -> bool {
    matches!(result.outcome, Outcome::Failed | Outcome::Blocked)
}

/// The first stage that is not green and has a fault.
fn named_fault(results: &[(Stage, StageResult)]) -> Option<(Outcome, Decision)> {
    results.iter().filter(|(_, result)| is_red(result)).find_map(|(stage, result)| {
        let decision = Decision { stage: *stage, fault: result.fault.clone()? };
        Some((result.outcome, decision))
    })
}

/// The first stage that is not green, if none has a fault. A stage is blocked by another one, so without that one cc-ci
/// itself has a bug, and the run is still not green.
fn unnamed_fault(results: &[(Stage, StageResult)]) -> Option<(Outcome, Decision)> {
    let (stage, result) = results.iter().find(|(_, result)| is_red(result))?;
    let what = match &result.reason {
        Some(reason) => reason.clone(),
        None => format!("{stage} was {} without a reason", result.outcome.name()),
    };
    Some((result.outcome, Decision { stage: *stage, fault: bug(what) }))
}

/// A planned stage that never ended.
fn missing(started: &RunStarted, results: &[(Stage, StageResult)]) -> Option<(Outcome, Decision)> {
    let planned = started.stages.iter().filter(|planned| planned.skip.is_none());
    let stage = planned.map(|planned| planned.stage).find(|stage| !results.iter().any(|(ended, _)| ended == stage))?;
    let fault = bug(format!("{stage} was planned and has no result"));
    Some((Outcome::Failed, Decision { stage, fault }))
}

fn bug(what: String) -> Fault {
    let look_at = "a fault of cc-ci: report it with the journal of this run";
    Fault { cause: Cause::Infrastructure, failure: Failure::new(Kind::Bug, what, look_at) }
}

/// A run without any selected stage has shown nothing. Preparation and teardown say nothing about the recipe; neither
/// does an install that only prepares for tests that do not exist.
fn nothing_tested(started: &RunStarted, results: &[(Stage, StageResult)]) -> Option<(Outcome, Decision)> {
    // A run on a kept app has no selection in this field: any stage counts there.
    let asked = Selection::parse(&started.only).unwrap_or_default();
    let asks_for = |stage: Stage| stage == Stage::Prove || asked.asks_for(stage);
    let mut of_interest = results.iter().filter(|(stage, _)| asks_for(*stage));
    if of_interest.clone().any(|(_, result)| result.outcome != Outcome::Skipped) {
        return None;
    }
    let first = of_interest.find(|(_, result)| result.reason.is_some());
    let why = first.and_then(|(_, result)| result.reason.clone());
    let why = why.unwrap_or_else(|| "every stage that would test was skipped".to_owned());
    let stage = first.map_or(Stage::Install, |(stage, _)| *stage);
    let look_at = match started.only.is_empty() {
        true => "the opt-outs of the recipe's folder: at least one stage has to run",
        false => "`cc-ci plan`, which shows what each stage would run; docs/enroll-recipe.md on how to write tests",
    };
    let fault = Fault { cause: Cause::Test, failure: Failure::new(Kind::NothingTested, why, look_at) };
    Some((Outcome::Failed, Decision { stage, fault }))
}

/// Objects that still exist after teardown.
fn left_behind(left: &[ObjectFact]) -> Option<(Outcome, Decision)> {
    if left.is_empty() {
        return None;
    }
    let failure = Failure::new(
        Kind::LeftBehind,
        format!("{} left after teardown: {}", count(left.len(), "object"), names(left)),
        "what uses them (`docker ps -a`, `docker volume inspect`), then `cc-ci reap`",
    );
    let detail: Vec<String> = left.iter().map(|object| format!("{} {}", object.kind, object.name)).collect();
    let fault = Fault { cause: Cause::Infrastructure, failure: failure.with_detail(detail.join("\n")) };
    Some((Outcome::Failed, Decision { stage: Stage::Teardown, fault }))
}

fn cancelled_verdict(first: Option<(Outcome, Decision)>, left: &[ObjectFact]) -> Verdict {
    let mut line = String::from("cancelled");
    // A failure from before the cancellation is reported; stages that could not run because of it are not.
    let seen = first.filter(|(outcome, _)| *outcome == Outcome::Failed);
    if let Some((outcome, decision)) = &seen {
        line = format!("{line}; {}", red_line(*outcome, decision));
    }
    if !left.is_empty() {
        line = format!("{line}; {} left: {}", count(left.len(), "object"), names(left));
    }
    Verdict { word: VerdictKind::Cancelled, line, decided_by: seen.map(|(_, decision)| decision) }
}

fn red_line(outcome: Outcome, decision: &Decision) -> String {
    let verb = if outcome == Outcome::Blocked { "blocked" } else { "failed" };
    let fault = &decision.fault;
    let what = one_line(&fault.failure.what, 300);
    if fault.failure.kind == Kind::NothingTested {
        return format!("nothing was tested: {what}");
    }
    format!("{verb} by {} in {}: {what}", fault.cause.words(), decision.stage)
}

fn left_note(decision: &Decision, left: &[ObjectFact]) -> String {
    if left.is_empty() || decision.fault.failure.kind == Kind::LeftBehind {
        return String::new();
    }
    format!("; {} left after teardown", count(left.len(), "object"))
}

fn green_line(started: &RunStarted, results: &[(Stage, StageResult)], took_ms: u64) -> String {
    let ran =
        |wanted: Stage| results.iter().any(|(stage, result)| *stage == wanted && result.outcome == Outcome::Passed);
    let upgraded = match &started.base {
        Some(base) if ran(Stage::Upgrade) => format!(", upgraded from {}", one_line(base, 80)),
        _ => String::new(),
    };
    let passed = results.iter().filter(|(_, result)| result.outcome == Outcome::Passed).count();
    let only = if started.only.is_empty() { String::new() } else { format!(", only {}", started.only.join(", ")) };
    let skipped: Vec<&str> = results
        .iter()
        // If parts were selected, the selection itself explains the rest.
        .filter(|(_, result)| result.outcome == Outcome::Skipped && started.only.is_empty())
        .map(|(stage, _)| stage.name())
        .collect();
    let skipped = if skipped.is_empty() { String::new() } else { format!(" ({} skipped)", skipped.join(", ")) };
    let not_shown: String = results
        .iter()
        .filter(|(_, result)| result.outcome == Outcome::Passed)
        .filter_map(|(_, result)| Some(format!("; {}", one_line(result.reason.as_deref()?, 200))))
        .collect();
    format!(
        "passed: {} at {}{upgraded}{only}, {}{skipped} in {}{not_shown}",
        started.recipe,
        started.head.short(),
        count(passed, "stage"),
        seconds(took_ms),
    )
}

fn names(objects: &[ObjectFact]) -> String {
    let mut text: Vec<String> =
        objects.iter().take(3).map(|object| format!("{} {}", object.kind, object.name)).collect();
    if objects.len() > 3 {
        text.push(format!("{} more", objects.len() - 3));
    }
    text.join(", ")
}

#[cfg(test)]
mod tests;
