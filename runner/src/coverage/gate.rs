//! `--gate`: whether a cell got worse than it was.

use std::path::Path;

use harness::names::RecipeName;

use super::{Cell, Coverage, Feature};

/// A cell that got worse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worse {
    /// The recipe.
    pub recipe: RecipeName,
    /// The column.
    pub feature: Feature,
    /// What it was.
    pub was: String,
    /// What it is; none where the recipe is gone.
    pub is: Option<Cell>,
}

impl std::fmt::Display for Worse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (is, why) = match &self.is {
            Some(cell) => (cell.word(), cell.why.as_str()),
            None => ("gone".to_owned(), "the recipe is not in the matrix any more"),
        };
        write!(f, "{} {}: was {}, is {is}: {why}", self.recipe, self.feature.name(), self.was)
    }
}

/// Why there is nothing to compare with.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// It is something else.
    #[error("{path} is not what `cc-ci coverage --json` writes: {error}")]
    Invalid {
        /// The file.
        path: String,
        /// Why.
        error: serde_json::Error,
    },
}

/// Reads a baseline.
///
/// # Errors
/// When it is not there or not a matrix.
pub fn baseline(path: &Path) -> Result<Coverage, BaselineError> {
    let name = || path.display().to_string();
    let text = std::fs::read(path).map_err(|error| BaselineError::Unreadable { path: name(), error })?;
    serde_json::from_slice(&text).map_err(|error| BaselineError::Invalid { path: name(), error })
}

/// The cells that are worth less than in the baseline, where a recipe is one of those that were `asked` for (all
/// of them where that is empty). A recipe that is new is compared with nothing.
#[must_use]
pub fn worse(before: &Coverage, now: &Coverage, asked: &[RecipeName]) -> Vec<Worse> {
    let mut found = Vec::new();
    for was in before.recipes.iter().filter(|was| asked.is_empty() || asked.contains(&was.recipe)) {
        let row = now.recipes.iter().find(|row| row.recipe == was.recipe);
        for cell in &was.cells {
            let is = row.and_then(|row| row.cell(cell.feature));
            if is.map_or(0, |is| is.state.worth()) < cell.state.worth() {
                let (recipe, feature) = (was.recipe.clone(), cell.feature);
                found.push(Worse { recipe, feature, was: cell.word(), is: is.cloned() });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::fixtures::Scene;
    use crate::coverage::{RecipeCoverage, State};

    fn matrix(state: State) -> Coverage {
        let mut row: RecipeCoverage = Scene::sound().row();
        for cell in row.cells.iter_mut().filter(|cell| cell.feature == Feature::Backup) {
            cell.state = state;
        }
        Coverage { at: "2026-11-21T12:00:00Z".parse().unwrap(), recipes: vec![row], remarks: vec![] }
    }

    #[test]
    fn a_cell_may_get_better_and_not_worse() {
        let worth: Vec<u8> = State::ALL.iter().map(|state| state.worth()).collect();
        assert_eq!(worth, [3, 2, 1, 0, 0]);
        for (was, is, fails) in [
            (State::Gating, State::Gating, false),
            (State::Gating, State::Advisory, true),
            (State::Gating, State::Illusion, true),
            (State::Advisory, State::Blocked, true),
            (State::Blocked, State::Missing, true),
            (State::Missing, State::Illusion, false),
            (State::Illusion, State::Missing, false),
            (State::Missing, State::Gating, false),
        ] {
            let found = worse(&matrix(was), &matrix(is), &[]);
            assert_eq!(found.len(), usize::from(fails), "{was:?} to {is:?}: {found:?}");
        }
    }

    #[test]
    fn a_recipe_that_is_gone_is_worse_and_a_new_one_is_not() {
        let none = Coverage { recipes: vec![], ..matrix(State::Gating) };
        assert_eq!(worse(&matrix(State::Gating), &none, &[]).len(), Feature::ALL.len());
        assert!(worse(&none, &matrix(State::Missing), &[]).is_empty());
        let other = ["n8n".parse().unwrap()];
        assert!(worse(&matrix(State::Gating), &none, &other).is_empty(), "it was not asked for");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let matrix = matrix(State::Illusion);
        serde_json::to_writer(&file, &matrix).unwrap();
        assert_eq!(baseline(file.path()).unwrap(), matrix);
        std::fs::write(file.path(), "[]").unwrap();
        assert!(matches!(baseline(file.path()), Err(BaselineError::Invalid { .. })));
        assert!(matches!(baseline(Path::new("/nowhere")), Err(BaselineError::Unreadable { .. })));
    }
}
