//! Expected durations of stages, from earlier runs of the same recipe.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use base::names::RecipeName;

use crate::event::{Outcome, Stage};
use crate::fold::{RunView, fold};

use crate::run_dir::RunDir;

/// Number of earlier runs that count; older ones are of another machine or recipe.
pub const RUNS: usize = 15;

/// Number of runs for the duration of a whole run.
const NEWEST: usize = 100;
/// Maximum number of journals that are opened to find a recipe's runs.
const LOOKED_AT: usize = 400;

/// The expected duration of each stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected(BTreeMap<Stage, u64>);

impl Expected {
    /// The expected milliseconds of a stage; `None` if it never passed.
    pub fn of(&self, stage: Stage) -> Option<u64> {
        self.0.get(&stage).copied()
    }
}

/// The expectations for a recipe from cc-ci's state folder; empty if it never ran.
pub fn from_runs(state: &Path, recipe: &RecipeName) -> Expected {
    expected(recipe, &earlier_runs(state, recipe))
}

/// The median duration of each recipe's runs from the slot on, from the newest runs here. Recipes that never passed are
/// absent.
pub fn whole(state: &Path) -> BTreeMap<RecipeName, Duration> {
    let runs = RunDir::all(state).unwrap_or_default();
    let mut times: BTreeMap<RecipeName, Vec<u64>> = BTreeMap::new();
    for (_, dir) in runs.iter().rev().take(NEWEST) {
        let Some(run) = journal::read(&dir.journal()).ok().and_then(|read| fold(&read.records).ok()) else { continue };
        if let Some(took) = run.worked_ms() {
            times.entry(run.started.recipe.clone()).or_default().push(took);
        }
    }
    times.into_iter().filter_map(|(recipe, times)| Some((recipe, Duration::from_millis(median(times)?)))).collect()
}

/// The median duration of each stage over the runs of `recipe`. Runs that did not pass the stage do not count.
pub fn expected<'a>(recipe: &RecipeName, runs: impl IntoIterator<Item = &'a RunView>) -> Expected {
    let mut times: BTreeMap<Stage, Vec<u64>> = BTreeMap::new();
    for run in runs.into_iter().filter(|run| run.started.recipe == *recipe) {
        // A run's waiting time depends on others; the slots forecast it.
        for stage in run.stages.iter().filter(|stage| stage.stage != Stage::Slot) {
            if let (Some(Outcome::Passed), Some(took)) = (stage.outcome(), stage.took_ms) {
                times.entry(stage.stage).or_default().push(took);
            }
        }
    }
    Expected(times.into_iter().filter_map(|(stage, times)| Some((stage, median(times)?))).collect())
}

/// The median; of two middle values the mean.
fn median(mut times: Vec<u64>) -> Option<u64> {
    times.sort_unstable();
    let high = *times.get(times.len() / 2)?;
    let low = *times.get((times.len() - 1) / 2)?;
    Some(low.midpoint(high))
}

/// The newest runs of `recipe` that ended.
///
/// Unreadable journals are skipped: these are only estimates, and no run fails because of them. Run ids sort by start,
/// so that the newest are found without opening any.
pub fn earlier_runs(state: &Path, recipe: &RecipeName) -> Vec<RunView> {
    newest_runs(state, recipe).take(RUNS).collect()
}

/// The runs of `recipe` that ended, newest first, each read on demand.
pub fn newest_runs<'a>(state: &Path, recipe: &'a RecipeName) -> impl Iterator<Item = RunView> + use<'a> {
    let runs = RunDir::all(state).unwrap_or_default();
    runs.into_iter()
        .rev()
        .take(LOOKED_AT)
        .filter_map(|(_, dir)| fold(&journal::read(&dir.journal()).ok()?.records).ok())
        .filter(|run| run.started.recipe == *recipe && run.verdict.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn views() -> Vec<RunView> {
        [fixtures::passed(), fixtures::failed_upgrade(), fixtures::killed()]
            .iter()
            .map(|records| fold(records).unwrap())
            .collect()
    }

    #[test]
    fn medians_count_only_what_passed() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![9, 1, 5]), Some(5));
        assert_eq!(median(vec![9, 1, 5, 6]), Some(5));
        let views = views();
        let expected = expected(&views[0].started.recipe, &views);
        // Upgrade: 3500 in the green run, 3100 in the killed one; the rolled back one does not count.
        assert_eq!(expected.of(Stage::Upgrade), Some(3_300));
        assert_eq!(expected.of(Stage::Fresh), Some(3_580));
    }

    #[test]
    fn another_recipe_tells_nothing() {
        assert_eq!(expected(&"ghost".parse().unwrap(), &views()), Expected::default());
    }

    #[test]
    fn journals_that_cannot_be_read_are_left_out() {
        let state = tempfile::tempdir().unwrap();
        let recipe = "custom-html".parse().unwrap();
        assert_eq!(from_runs(state.path(), &recipe), Expected::default());
        let good: Vec<u8> = fixtures::passed().iter().flat_map(|record| journal::line(record).unwrap()).collect();
        for (run, bytes) in [("20260101-a", &b"garbage\n"[..]), ("20260102-b", b""), ("20260103-c", &good)] {
            let dir = RunDir::of(state.path(), &run.parse().unwrap());
            let _alive = dir.create().unwrap();
            std::fs::write(dir.journal(), bytes).unwrap();
        }
        assert_eq!(earlier_runs(state.path(), &recipe).len(), 1);
        assert_eq!(from_runs(state.path(), &recipe).of(Stage::Upgrade), Some(3_500));
    }
}
