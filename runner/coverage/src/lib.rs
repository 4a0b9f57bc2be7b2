//! Coverage by evidence: recipes × features, each cell judged from the folder's promises and the results of runs. The
//! core is pure; folders, journals and repositories are read at the edges.

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
    pub at: Timestamp,
    /// By name.
    pub recipes: Vec<RecipeCoverage>,
    /// What could not be read and is not included, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// One row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeCoverage {
    pub recipe: RecipeName,
    /// In the order of [`Feature::ALL`].
    pub cells: Vec<Cell>,
    /// Whether it is stable, testing or unstable.
    pub standing: Grading,
    /// Number of its runs that were read.
    pub runs: usize,
}

impl RecipeCoverage {
    /// Judges one recipe by its runs, newest first.
    pub fn of(recipe: &RecipeName, case: &Case<'_>) -> Self {
        Self { recipe: recipe.clone(), cells: case.cells(), standing: standing::standing(case), runs: case.runs.len() }
    }

    pub fn cell(&self, feature: Feature) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.feature == feature)
    }
}

impl Coverage {
    /// How many cells have this state.
    pub fn count(&self, state: CellState) -> usize {
        self.recipes.iter().flat_map(|recipe| &recipe.cells).filter(|cell| cell.state == state).count()
    }
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
