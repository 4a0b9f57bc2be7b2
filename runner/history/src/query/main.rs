//! Runs of the default branch.

use std::collections::BTreeMap;

use base::names::RecipeName;
use jiff::Timestamp;

use super::journal::lines;
use super::run_detail::{OneRun, one};
use crate::row::{RUN, RUN_COLUMNS, RunRow, run_row};
use crate::rows::{CheckRow, StageRow};
use crate::{Db, HistoryError};
use journal::event::Event;

/// Number of runs that are searched for one of the default branch.
const LOOKED_AT: u32 = 40;

/// A run of the default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MainRun {
    pub run: RunRow,
    pub stages: Vec<StageRow>,
    pub checks: Vec<CheckRow>,
    /// Fingerprints of cc-ci's tests at that time.
    pub tests: BTreeMap<String, String>,
}

impl Db {
    /// The newest whole run with a verdict about the recipe that was over at a given time, and whose commit was the
    /// head of this repository's default branch. Older journals lack that fact.
    pub fn main_run(
        &self,
        recipe: &RecipeName,
        source: &str,
        over_by: Timestamp,
    ) -> Result<Option<MainRun>, HistoryError> {
        self.ask(|sql| {
            let mut ask = sql.prepare_cached(&format!(
                "SELECT {RUN}, r.id FROM runs r WHERE r.recipe = ?1 AND r.source = ?2 AND r.pull IS NULL AND r.telling = 1
                    AND r.at_ms + r.took_ms <= ?3 ORDER BY r.at_ms DESC, r.run DESC LIMIT {LOOKED_AT}"
            ))?;
            let mut rows = ask.query((recipe.as_str(), source, over_by.as_millisecond()))?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(RUN_COLUMNS)?;
                let first = lines(sql, id, 0, 1)?.into_iter().next().and_then(|line| line.record());
                let Some(Event::RunStarted(started)) = first.map(|record| record.event) else { continue };
                if started.on_main {
                    let OneRun { run, stages, checks, .. } = one(sql, id, run_row(row)?)?;
                    return Ok(Some(MainRun { run, stages, checks, tests: started.tests }));
                }
            }
            Ok(None)
        })
    }
}
