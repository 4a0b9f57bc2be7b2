//! Whether every test that PARITY.md names exists and ran.

use super::Case;
use super::pick::{Pick, pick};
use super::stage::list;
use crate::promise::ParityRow;
use crate::{Cell, CellState, Evidence, Feature, Rule};

const FEATURE: Feature = Feature::Parity;

pub(super) fn cell(case: &Case<'_>) -> Cell {
    let Some(rows) = &case.promise.parity else {
        return Cell::new(FEATURE, CellState::Missing, "PARITY.md does not exist");
    };
    if rows.is_empty() {
        return Cell::new(FEATURE, CellState::Missing, "PARITY.md has no row");
    }
    let blocked = |row: &&ParityRow| blocker(case, row).is_some();
    let open: Vec<&ParityRow> = rows.iter().filter(|row| !blocked(row)).collect();
    for row in &open {
        let gone: Vec<&str> = row.files.iter().map(String::as_str).filter(|file| !case.promise.has(file)).collect();
        let why = match (gone.is_empty(), row.files.is_empty()) {
            (false, _) => format!("the row {} names {}, which does not exist", row.corpus, list(&gone)),
            (true, true) => format!("the row {} names no test", row.corpus),
            (true, false) => continue,
        };
        return Cell::illusion(FEATURE, Rule::ParityGone, why);
    }
    let run = match pick(case, None) {
        Pick::None => return Cell::new(FEATURE, CellState::Missing, "no run has shown it"),
        Pick::Other(run) | Pick::Part(run) | Pick::Whole(run) => run,
    };
    let idle: Vec<&str> =
        open.iter().flat_map(|row| &row.files).map(String::as_str).filter(|file| !ran(run, file)).collect();
    let cell = if !idle.is_empty() {
        Cell::illusion(FEATURE, Rule::ParityNotRun, format!("did not run: {}", list(&idle)))
    } else {
        ran_all(case, rows, run)
    };
    cell.by(case.shown(run))
}

fn ran_all(case: &Case<'_>, rows: &[ParityRow], run: &Evidence) -> Cell {
    if let Some((row, blocker)) = rows.iter().find_map(|row| Some((row, blocker(case, row)?))) {
        return Cell::new(FEATURE, CellState::Blocked, format!("the row {}: {blocker}", row.corpus));
    }
    match pick(case, None) {
        Pick::Part(_) => Cell::new(FEATURE, CellState::Advisory, "ran in a part of a run, which decides nothing"),
        Pick::Other(_) => {
            let why = format!("ran at {}, and that is not the newest", case.of_commit(run));
            Cell::new(FEATURE, CellState::Stale, why)
        }
        _ => Cell::new(
            FEATURE,
            CellState::Gating,
            format!("{} rows, all of whose tests ran at {}", rows.len(), case.of_commit(run)),
        ),
    }
}

fn blocker<'a>(case: &Case<'a>, row: &ParityRow) -> Option<&'a str> {
    let missing = &case.promise.missing;
    missing.iter().find(|(name, _)| row.corpus.contains(name.as_str())).map(|(_, blocker)| blocker.as_str())
}

/// Whether a run ran a file; recipe.toml counts as the health check of every deployment.
fn ran(run: &Evidence, file: &str) -> bool {
    run.checks().filter(|check| check.ran()).any(|check| match file {
        "recipe.toml" => check.name == "install.answers",
        _ if file.ends_with('/') => check.file().starts_with(file),
        _ => check.file() == file,
    })
}
