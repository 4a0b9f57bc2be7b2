//! Which run a cell is about.

use super::Case;
use crate::Evidence;
use journal::event::{Outcome, Stage, VerdictKind};

/// The run that a cell is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pick<'a> {
    /// A whole run of the newest commit, or of any where that is not known.
    Whole(&'a Evidence),
    /// A green whole run of another commit.
    Other(&'a Evidence),
    /// A part of a run.
    Part(&'a Evidence),
    /// No run.
    None,
}

/// Picks the run that says most about a stage; about all of a run where none is named.
pub(super) fn pick<'a>(case: &Case<'a>, stage: Option<Stage>) -> Pick<'a> {
    let at_head =
        |run: &Evidence| case.repository.is_none_or(|repository| repository.same(&run.head, &repository.head));
    let best = |wanted: &dyn Fn(&Evidence) -> bool| {
        let runs = case.runs.iter().copied().filter(|run| wanted(run));
        // Of runs that say as much, one that was green to its end; of those the newest: min_by_key takes the first
        // of equals, and the newest comes first.
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
        // Red at the newest commit is more than green before it.
        (Some((1, run)), _, _) => Pick::Whole(run),
        (_, Some(run), _) => Pick::Part(run),
        (_, None, Some(run)) => Pick::Other(run),
        (Some((_, run)), None, None) => Pick::Whole(run),
        (None, None, None) => Pick::None,
    }
}

/// How much a run says about a stage; the less, the more. None where it says nothing.
fn rank(run: &Evidence, stage: Option<Stage>) -> Option<u8> {
    let Some(stage) = stage else {
        // What a red run did not come to says nothing of the commit, so it is no better than no run of it.
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
