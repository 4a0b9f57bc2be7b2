//! `--gate`: whether a cell got worse than it was.

use std::path::Path;

use base::names::RecipeName;

use super::{Cell, Coverage, Feature, Worth};

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
pub fn worse(before: &Coverage, now: &Coverage, asked: &[RecipeName]) -> Vec<Worse> {
    let mut found = Vec::new();
    for was in before.recipes.iter().filter(|was| asked.is_empty() || asked.contains(&was.recipe)) {
        let row = now.recipes.iter().find(|row| row.recipe == was.recipe);
        for cell in &was.cells {
            let is = row.and_then(|row| row.cell(cell.feature));
            if is.map_or(Worth::Nothing, Cell::worth) < cell.worth() {
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
    use crate::fixtures::Scene;
    use crate::{CellState, RecipeCoverage, Rule};

    fn matrix(state: CellState) -> Coverage {
        matrix_of(state, None)
    }

    fn matrix_of(state: CellState, rule: Option<Rule>) -> Coverage {
        let mut row: RecipeCoverage = Scene::sound().row();
        for cell in row.cells.iter_mut().filter(|cell| cell.feature == Feature::Backup) {
            (cell.state, cell.rule) = (state, rule);
        }
        Coverage { at: "2026-11-21T12:00:00Z".parse().unwrap(), recipes: vec![row], remarks: vec![] }
    }

    /// What a cell can be, the best first, and of each illusion one.
    const WORDS: [(CellState, Option<Rule>); 7] = [
        (CellState::Gating, None),
        (CellState::Advisory, None),
        (CellState::Stale, None),
        (CellState::Illusion, Some(Rule::NeverRed)),
        (CellState::Blocked, None),
        (CellState::Missing, None),
        (CellState::Illusion, Some(Rule::Skipped)),
    ];

    #[test]
    fn of_each_pair_of_words_the_one_that_shows_less_is_worse() {
        // A row is what it was, a column what it is, in the order of WORDS; `x` fails the gate.
        let fails = [".xxxxxx", "..xxxxx", "....xxx", "....xxx", ".....xx", "......x", "......."];
        for ((was, row), fails) in WORDS.iter().enumerate().zip(fails) {
            for ((is, column), fails) in WORDS.iter().enumerate().zip(fails.chars()) {
                let found = worse(&matrix_of(row.0, row.1), &matrix_of(column.0, column.1), &[]);
                assert_eq!(found.len(), usize::from(fails == 'x'), "{:?} to {:?}: {found:?}", WORDS[was], WORDS[is]);
            }
        }
    }

    #[test]
    fn every_rule_is_worth_what_it_shows_all_the_same() {
        let of = |wanted: Worth| {
            let rules = Rule::ALL.iter().filter(|rule| Worth::of(CellState::Illusion, Some(**rule)) == wanted);
            rules.map(|rule| rule.code()).collect::<Vec<_>>()
        };
        let nothing =
            ["ended-early", "skipped", "opted-out", "hollow", "sso-untested", "parity-gone", "parity-not-run"];
        assert_eq!(of(Worth::Pretended), nothing);
        assert_eq!(of(Worth::Pretended).len() + of(Worth::Shaky).len(), Rule::ALL.len());
        // A rule that this version does not write down says nothing for itself.
        assert_eq!(Worth::of(CellState::Illusion, None), Worth::Pretended);
    }

    #[test]
    fn a_recipe_that_is_gone_is_worse_and_a_new_one_is_not() {
        let none = Coverage { recipes: vec![], ..matrix(CellState::Gating) };
        assert_eq!(worse(&matrix(CellState::Gating), &none, &[]).len(), Feature::ALL.len());
        assert!(worse(&none, &matrix(CellState::Missing), &[]).is_empty());
        let other = ["n8n".parse().unwrap()];
        assert!(worse(&matrix(CellState::Gating), &none, &other).is_empty(), "it was not asked for");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let matrix = matrix(CellState::Illusion);
        serde_json::to_writer(&file, &matrix).unwrap();
        assert_eq!(baseline(file.path()).unwrap(), matrix);
        std::fs::write(file.path(), "[]").unwrap();
        assert!(matches!(baseline(file.path()), Err(BaselineError::Invalid { .. })));
        assert!(matches!(baseline(Path::new("/nowhere")), Err(BaselineError::Unreadable { .. })));
    }
}
