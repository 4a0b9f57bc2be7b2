//! The overview: the current state of each recipe's stages.

use std::collections::BTreeMap;

use base::names::RecipeName;
use jiff::Timestamp;
use rusqlite::Connection;

use crate::row::{self, RUN, RUN_COLUMNS, RunRow, run_row};
use crate::rows::{STAGE, StageRow, stage_row};
use crate::{Db, HistoryError};

/// A recipe's row of the overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeRow {
    pub recipe: RecipeName,
    /// The result of the decisive run; `None` if no run was conclusive yet.
    pub standing: Option<RecipeStanding>,
    /// Its newest run of any kind: live or not, in part or whole, even one that infrastructure ended.
    pub newest: RunRow,
    /// When its newest green run began, in part or whole.
    pub green_at: Option<Timestamp>,
}

/// The decisive run of a recipe: the newest whole one with a verdict about the recipe. Cancelled runs and those that
/// infrastructure ended are inconclusive. Runs without a pull request take precedence, since they test what is
/// published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeStanding {
    pub run: RunRow,
    pub stages: Vec<StageRow>,
}

impl Db {
    /// Every recipe that has a run, by name.
    pub fn overview(&self) -> Result<Vec<RecipeRow>, HistoryError> {
        self.ask(|sql| {
            let mut stages = stages(sql)?;
            let mut standing: BTreeMap<RecipeName, RecipeStanding> = BTreeMap::new();
            let ask = format!("SELECT {RUN} FROM latest l JOIN runs r ON r.id = coalesce(l.main, l.telling)");
            for run in sql.prepare_cached(&ask)?.query_map([], run_row)? {
                let run = run?;
                let stages = stages.remove(&run.recipe).unwrap_or_default();
                standing.insert(run.recipe.clone(), RecipeStanding { run, stages });
            }
            let ask = format!(
                "SELECT {RUN}, g.at_ms FROM latest l JOIN runs r ON r.id = l.newest LEFT JOIN runs g ON g.id = l.green
                    ORDER BY l.recipe"
            );
            let mut ask = sql.prepare_cached(&ask)?;
            let rows = ask.query_map([], |row| {
                let newest = run_row(row)?;
                let green_at = match row.get::<_, Option<i64>>(RUN_COLUMNS)? {
                    Some(_) => Some(row::at(row, RUN_COLUMNS)?),
                    None => None,
                };
                let standing = standing.remove(&newest.recipe);
                Ok(RecipeRow { recipe: newest.recipe.clone(), standing, newest, green_at })
            })?;
            rows.collect()
        })
    }
}

fn stages(sql: &Connection) -> rusqlite::Result<BTreeMap<RecipeName, Vec<StageRow>>> {
    let ask = format!(
        "SELECT {STAGE}, l.recipe FROM latest l JOIN stages s ON s.run = coalesce(l.main, l.telling) ORDER BY s.place"
    );
    let mut found: BTreeMap<RecipeName, Vec<StageRow>> = BTreeMap::new();
    let mut ask = sql.prepare_cached(&ask)?;
    let rows = ask.query_map([], |row| Ok((row::parsed::<RecipeName>(row, 12)?, stage_row(row, 0)?)))?;
    for row in rows {
        let (recipe, stage) = row?;
        found.entry(recipe).or_default().extend(stage);
    }
    Ok(found)
}
