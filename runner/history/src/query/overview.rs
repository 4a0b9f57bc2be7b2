//! Recipes by stages: what holds of each recipe now.

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
    /// The recipe.
    pub recipe: RecipeName,
    /// What was shown of it last; none where no run has shown anything yet.
    pub standing: Option<RecipeStanding>,
    /// Its newest run of all: alive or not, in part or whole, also one that infrastructure ended.
    pub newest: RunRow,
    /// When its newest green run began, in part or whole.
    pub green_at: Option<Timestamp>,
}

/// The run that says how a recipe stands: the newest whole one with a verdict about the recipe. One that was
/// cancelled or ended by infrastructure says nothing. Runs without a pull request come first, since those test what
/// is published; where there are none, any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeStanding {
    /// The run.
    pub run: RunRow,
    /// Its stages in order.
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
