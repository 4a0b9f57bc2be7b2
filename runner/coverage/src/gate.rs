//! `--gate`: whether a cell got worse.

use std::path::Path;

use base::names::RecipeName;

use super::{Cell, Coverage, Feature, Worth};

/// A cell that got worse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worse {
    pub recipe: RecipeName,
    pub feature: Feature,
    pub was: String,
    /// `None` if the recipe is gone.
    pub is: Option<Cell>,
}

impl std::fmt::Display for Worse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (is, why) = match &self.is {
            Some(cell) => (cell.word(), cell.why.as_str()),
            None => ("gone".to_owned(), "the recipe is no longer in the matrix"),
        };
        write!(f, "{} {}: was {}, is {is}: {why}", self.recipe, self.feature.name(), self.was)
    }
}

/// Why there is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    #[error("{path} cannot be read: {error}")]
    Unreadable { path: String, error: std::io::Error },
    /// It is no matrix.
    #[error("{path} is not what `cc-ci coverage --json` writes: {error}")]
    Invalid { path: String, error: serde_json::Error },
}

/// Reads a baseline.
///
/// # Errors
/// It does not exist or is no matrix.
pub fn baseline(path: &Path) -> Result<Coverage, BaselineError> {
    let name = || path.display().to_string();
    let text = std::fs::read(path).map_err(|error| BaselineError::Unreadable { path: name(), error })?;
    serde_json::from_slice(&text).map_err(|error| BaselineError::Invalid { path: name(), error })
}

/// The cells with less value than in the baseline, of the recipes in `asked` (all if empty). A new recipe is not
/// compared.
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

    /// The states of a cell, best first, with one illusion of each kind.
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
        // Rows are the old state, columns the new one, in the order of WORDS; `x` fails the gate.
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
        // An unknown rule counts as the worst.
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
