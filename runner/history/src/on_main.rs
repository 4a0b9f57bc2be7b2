//! Compares failures on a pull request with a run of the default branch in the history. Pure.
//!
//! Only comparable results count: the same check of the same stage with the same test; for a red stage without a red
//! check, the same kind of failure of the same stage. Without such a run, or if it did not reach the check, nothing is
//! reported.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::query::MainRun;
use crate::{Db, HistoryError, StageState};
use journal::event::{CheckResult, Origin, Outcome, Stage};
use journal::fold::{RunView, StageView};
use journal::on_main::OnMain;
use journal::tone::Tone;

/// Compares a red run of a pull request with one of the default branch; `None` if nothing is comparable.
pub fn compare(view: &RunView, main: &MainRun) -> Option<OnMain> {
    if view.tone() != Tone::Failed {
        return None;
    }
    let (mut red, mut green) = (Vec::new(), Vec::new());
    for stage in view.stages.iter().filter(|stage| stage.outcome() == Some(Outcome::Failed)) {
        let checks: Vec<&CheckResult> = stage.checks.iter().filter(|check| check.outcome == Outcome::Failed).collect();
        let told =
            checks.iter().map(|check| (check.name.clone(), of_check(&view.started.tests, stage.stage, check, main)));
        let whole = checks.is_empty().then(|| (stage.stage.to_string(), of_stage(stage, main)));
        for (name, was_red) in told.chain(whole) {
            match was_red {
                Some(true) => red.push(name),
                Some(false) => green.push(name),
                None => {}
            }
        }
    }
    let is_told = !red.is_empty() || !green.is_empty();
    let (run, commit) = (main.run.run.clone(), main.run.head.clone());
    is_told.then_some(OnMain { commit, at: main.run.at, run, red, green })
}

/// Whether the check was red there; `None` if unknown.
fn of_check(tests: &BTreeMap<String, String>, stage: Stage, check: &CheckResult, main: &MainRun) -> Option<bool> {
    // A test of the recipe's repository differs between commits, and one of cc-ci's folder may have changed since.
    let is_same = check.origin != Origin::Recipe && tests.get(&check.name) == main.tests.get(&check.name);
    let there = main.checks.iter().filter(|known| is_same && known.stage == stage && known.name == check.name);
    let there: Vec<Outcome> = there.map(|known| known.outcome).collect();
    if there.contains(&Outcome::Failed) {
        return Some(true);
    }
    (!there.is_empty() && there.iter().all(|outcome| *outcome == Outcome::Passed)).then_some(false)
}

fn of_stage(stage: &StageView, main: &MainRun) -> Option<bool> {
    let kind = stage.result()?.fault.as_ref()?.failure.kind.code();
    let there = main.stages.iter().find(|known| known.stage == stage.stage)?;
    match there.state {
        StageState::Ended(Outcome::Passed) => Some(false),
        StageState::Ended(Outcome::Failed) => (there.kind.as_deref() == Some(kind)).then_some(true),
        _ => None,
    }
}

/// Compares with the newest run of the default branch that was over when this one was.
///
/// # Errors
/// The history does not answer.
pub fn look(db: &Db, view: &RunView) -> Result<Option<OnMain>, HistoryError> {
    let started = &view.started;
    if started.pull_request.is_none() || view.tone() != Tone::Failed {
        return Ok(None);
    }
    let took = SignedDuration::from_millis(i64::try_from(view.took_ms).unwrap_or(i64::MAX));
    let over = view.at.checked_add(took).unwrap_or(Timestamp::MAX);
    let main = db.main_run(&started.recipe, &started.source, over)?;
    Ok(main.and_then(|main| compare(view, &main)))
}

#[cfg(test)]
mod tests;
