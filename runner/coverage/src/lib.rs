//! Coverage that cannot lie: recipes × features, each cell judged from what the folder promises and what runs
//! have shown. The core is pure; reading folders, journals and repositories is at the edges.

mod case;
mod cell;
mod evidence;
mod gate;
mod gather;
mod judge;
mod maintained;
mod promise;
mod render;
mod repository;
mod rule;
pub mod standing;
mod worth;

use base::names::RecipeName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use case::Case;
pub use cell::{Cell, CellEvidence, CellState, Feature, ago};
pub use evidence::{Check, Evidence, StageEvidence, of_state};
pub use gate::{BaselineError, Worse, baseline, worse};
pub use gather::gather;
pub use maintained::all_and_maintained;
pub use promise::{ParityRow, Promise, PromiseError};
pub use render::{markdown, terminal};
pub use repository::{PublishedRelease, Repository};
pub use rule::{Rule, Shows};
pub use standing::Grading;
pub use worth::Worth;

/// The whole matrix, as `--json` writes it and `--gate` reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// When it was made.
    pub at: Timestamp,
    /// The recipes, by name.
    pub recipes: Vec<RecipeCoverage>,
    /// What could not be read and is not in it, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// One row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeCoverage {
    /// The recipe.
    pub recipe: RecipeName,
    /// Its cells, in the order of [`Feature::ALL`].
    pub cells: Vec<Cell>,
    /// Whether it is stable, testing or unstable.
    pub standing: Grading,
    /// How many runs of it were looked at.
    pub runs: usize,
}

impl RecipeCoverage {
    /// Judges one recipe by its runs, which come newest first.
    pub fn of(recipe: &RecipeName, case: &Case<'_>) -> Self {
        Self { recipe: recipe.clone(), cells: case.cells(), standing: standing::standing(case), runs: case.runs.len() }
    }

    /// One of its cells.
    pub fn cell(&self, feature: Feature) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.feature == feature)
    }
}

impl Coverage {
    /// How many cells say so.
    pub fn count(&self, state: CellState) -> usize {
        self.recipes.iter().flat_map(|recipe| &recipe.cells).filter(|cell| cell.state == state).count()
    }
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
