//! Which upgrades were tried.

use base::names::RecipeName;

use crate::row::{RUN, RUN_COLUMNS, RunRow, run_row, word_of};
use crate::{Db, HistoryError};
use journal::event::Outcome;

/// A pair of versions, and what the newest run that tried it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionPair {
    /// The release that the upgrade starts from; none where there was no release yet.
    pub base: Option<String>,
    /// The version that the head's compose file names.
    pub head_version: Option<String>,
    /// How many runs tried it.
    pub runs: u64,
    /// The newest of them.
    pub newest: RunRow,
    /// How its upgrade ended; none where it did not come so far.
    pub upgrade: Option<Outcome>,
}

impl Db {
    /// The pairs of versions that a recipe's runs tried, the newest run's first.
    pub fn version_pairs(&self, recipe: &RecipeName) -> Result<Vec<VersionPair>, HistoryError> {
        // SQLite gives `id` of the row that has the maximum.
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
