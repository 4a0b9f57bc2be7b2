//! The tested upgrades.

use base::names::RecipeName;

use crate::row::{RUN, RUN_COLUMNS, RunRow, run_row, word_of};
use crate::{Db, HistoryError};
use journal::event::Outcome;

/// A pair of versions, and the result of the newest run with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionPair {
    /// The release that the upgrade starts from; `None` without a release.
    pub base: Option<String>,
    /// The version in the head's compose file.
    pub head_version: Option<String>,
    /// Number of runs.
    pub runs: u64,
    /// The newest run.
    pub newest: RunRow,
    /// The outcome of its upgrade; `None` if it was not reached.
    pub upgrade: Option<Outcome>,
}

impl Db {
    /// The pairs of versions in a recipe's runs, the newest run's first.
    pub fn version_pairs(&self, recipe: &RecipeName) -> Result<Vec<VersionPair>, HistoryError> {
        // SQLite returns `id` of the row with the maximum.
        let ask = format!(
            "SELECT {RUN}, p.runs, s.state FROM (
                SELECT id, max(at_ms || run), count(*) AS runs FROM runs WHERE recipe = ?1 GROUP BY base, head_version
            ) p JOIN runs r ON r.id = p.id LEFT JOIN stages s ON s.run = r.id AND s.stage = 'upgrade'
            ORDER BY r.at_ms DESC, r.run DESC"
        );
        self.ask(|sql| {
            let mut ask = sql.prepare_cached(&ask)?;
            let pairs = ask.query_map([recipe.as_str()], |row| {
                let newest = run_row(row)?;
                let state: Option<String> = row.get(RUN_COLUMNS + 1)?;
                Ok(VersionPair {
                    base: newest.base.clone(),
                    head_version: newest.head_version.clone(),
                    runs: row.get(RUN_COLUMNS)?,
                    newest,
                    upgrade: state.and_then(|state| word_of(&state)),
                })
            })?;
            pairs.collect()
        })
    }
}
