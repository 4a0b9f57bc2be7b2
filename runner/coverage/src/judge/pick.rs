//! Selects the run that decides a cell.

use super::Case;
use crate::Evidence;
use journal::event::{Outcome, Stage, VerdictKind};

/// The run that decides a cell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pick<'a> {
    /// A whole run of the newest commit, or of any if that is unknown.
    Whole(&'a Evidence),
    /// A green whole run of another commit.
    Other(&'a Evidence),
    /// A part of a run.
    Part(&'a Evidence),
    None,
}

/// Selects the most conclusive run about a stage, or about all of a run.
pub(super) fn pick<'a>(case: &Case<'a>, stage: Option<Stage>) -> Pick<'a> {
    let at_head =
        |run: &Evidence| case.repository.is_none_or(|repository| repository.same(&run.head, &repository.head));
    let best = |wanted: &dyn Fn(&Evidence) -> bool| {
        let runs = case.runs.iter().copied().filter(|run| wanted(run));
        // Among equal ranks, prefer a run that was green to its end, then the newest: min_by_key returns the first of
        // equals, and the newest comes first.
        runs.filter_map(|run| Some((rank(run, stage)?, run)))
            .min_by_key(|(rank, run)| (*rank, run.word != Some(VerdictKind::Passed)))
    };
    let green = |found: Option<(u8, &'a Evidence)>| found.filter(|(rank, _)| *rank == 0).map(|(_, run)| run);
    let whole = best(&|run| run.is_whole() && at_head(run));
    if let Some(run) = green(whole) {
        return Pick::Whole(run);
    }
    let part = green(best(&|run| !run.is_whole() && at_head(run)));
    let other = green(best(&|run| run.is_whole() && !at_head(run)));
    match (whole, part, other) {
        // Red at the newest commit takes precedence over green before it.
        (Some((1, run)), _, _) => Pick::Whole(run),
        (_, Some(run), _) => Pick::Part(run),
        (_, None, Some(run)) => Pick::Other(run),
        (Some((_, run)), None, None) => Pick::Whole(run),
        (None, None, None) => Pick::None,
    }
}

/// The rank of a run for a stage, best lowest; `None` if it says nothing about it.
fn rank(run: &Evidence, stage: Option<Stage>) -> Option<u8> {
    let Some(stage) = stage else {
        // A stage that a red run did not reach says nothing about the commit, so it is no better than no run.
        return run.word.map(|word| if word == VerdictKind::Passed { 0 } else { 2 });
    };
    let seen = run.seen(stage)?;
    match seen.outcome {
        Some(Outcome::Passed) => Some(0),
        Some(Outcome::Failed) => Some(1),
        None if seen.began => Some(2),
        Some(Outcome::Skipped) => Some(3),
        Some(Outcome::Blocked) => Some(4),
        None => None,
    }
}
