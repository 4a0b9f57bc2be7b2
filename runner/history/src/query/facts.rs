//! The evidence that the history has for a recipe's tests.

use base::names::{RecipeName, RunId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use super::run_detail::{OneRun, one};
use crate::row::{RUN, RUN_COLUMNS, at, parsed, run_row, word_of};
use crate::{Db, HistoryError};
use journal::event::Stage;

/// A run as evidence, with its date and version.
pub type RunFacts = OneRun;

/// The evidence for a recipe's tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeFacts {
    /// The newest whole green run.
    pub green: Option<RunFacts>,
    /// The newest whole run with a verdict about the recipe, preferably without a pull request; the overview shows it.
    pub standing: Option<RunFacts>,
    /// The newest run that ran tests against impostors: its checks of the stage `prove` say which tests fail as they
    /// must.
    pub proof: Option<RunFacts>,
    /// Checks that were red in any stored run, each with the newest such run.
    pub red: Vec<RedCheck>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedCheck {
    pub stage: Stage,
    pub name: String,
    /// The newest run in which it was red.
    pub run: RunId,
    pub at: Timestamp,
}

impl Db {
    /// The facts of one recipe; empty if it never ran.
    pub fn facts(&self, recipe: &RecipeName) -> Result<RecipeFacts, HistoryError> {
        self.ask(|sql| {
            let latest = |which: &str| {
                evidence(
                    sql,
                    recipe,
                    &format!("JOIN latest l ON l.recipe = r.recipe AND r.id = {which} WHERE r.recipe = ?1"),
                )
            };
            let proof = "JOIN stages s ON s.run = r.id AND s.stage = 'prove' WHERE r.recipe = ?1
                AND s.state IN ('passed', 'failed') ORDER BY r.at_ms DESC, r.run DESC LIMIT 1";
            Ok(RecipeFacts {
                green: latest("l.green_whole")?,
                standing: latest("coalesce(l.main, l.telling)")?,
                proof: evidence(sql, recipe, proof)?,
                red: red(sql, recipe)?,
            })
        })
    }
}

fn evidence(sql: &Connection, recipe: &RecipeName, which: &str) -> rusqlite::Result<Option<RunFacts>> {
    let ask = format!("SELECT {RUN}, r.id FROM runs r {which}");
    let found = sql
        .prepare_cached(&ask)?
        .query_row([recipe.as_str()], |row| Ok((row.get(RUN_COLUMNS)?, run_row(row)?)))
        .optional()?;
    found.map(|(id, run)| one(sql, id, run)).transpose()
}

/// Excludes stopped runs, whose checks are red because of the stop.
fn red(sql: &Connection, recipe: &RecipeName) -> rusqlite::Result<Vec<RedCheck>> {
    let mut ask = sql.prepare_cached(
        "SELECT c.stage, c.name, r.run, r.at_ms, max(r.at_ms || r.run) FROM runs r
            JOIN checks c INDEXED BY checks_red ON c.run = r.id AND c.outcome = 'failed'
            WHERE r.recipe = ?1 AND r.word IS NOT 'cancelled' GROUP BY c.stage, c.name ORDER BY c.stage, c.name",
    )?;
    let mut rows = ask.query([recipe.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(stage) = word_of(row.get_ref(0)?.as_str()?) {
            found.push(RedCheck { stage, name: row.get(1)?, run: parsed(row, 2)?, at: at(row, 3)? });
        }
    }
    Ok(found)
}
