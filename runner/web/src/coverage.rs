//! What is covered, and what only seems to be.

use askama::Template;

use super::line::class;
use super::shell::Shell;
use coverage::standing::{Assessment, Criterion};
use coverage::{Cell, CellState, Coverage, Feature, RecipeCoverage, ago};
use journal::text::{count, one_line};
use journal::tone::Tone;

const COLUMNS: usize = 400;

#[derive(Template)]
#[template(path = "pages/coverage.html")]
pub(super) struct CoveragePage {
    shell: Shell,
    lead: String,
    columns: [&'static str; 10],
    rows: Vec<MatrixRow>,
    remarks: Vec<String>,
}

struct MatrixRow {
    recipe: String,
    /// A recipe that never ran has no page.
    ran: bool,
    standing: &'static str,
    standing_why: String,
    cells: Vec<CellLine>,
    criteria: Vec<CriterionLine>,
}

struct CellLine {
    feature: &'static str,
    state: &'static str,
    symbol: &'static str,
    word: String,
    why: String,
    href: Option<String>,
    age: String,
}

struct CriterionLine {
    asks: String,
    of: &'static str,
    resolution: bool,
    answer: &'static str,
    tone: &'static str,
    why: String,
}

impl CoveragePage {
    pub(super) fn new(shell: Shell, coverage: &Coverage) -> Self {
        let states = CellState::ALL.map(|state| format!("{} {}", coverage.count(state), state.name()));
        Self {
            shell,
            lead: format!("{}: {}.", count(coverage.recipes.len(), "recipe"), states.join(", ")),
            columns: Feature::ALL.map(Feature::name),
            rows: coverage.recipes.iter().map(row).collect(),
            remarks: coverage.remarks.iter().map(|remark| one_line(remark, COLUMNS)).collect(),
        }
    }
}

fn row(recipe: &RecipeCoverage) -> MatrixRow {
    MatrixRow {
        recipe: recipe.recipe.to_string(),
        ran: recipe.runs > 0,
        standing: recipe.standing.word.name(),
        standing_why: one_line(&recipe.standing.why, COLUMNS),
        cells: recipe.cells.iter().map(cell).collect(),
        criteria: recipe.standing.criteria.iter().map(criterion).collect(),
    }
}

fn cell(cell: &Cell) -> CellLine {
    let shown = cell.shown.as_ref();
    CellLine {
        feature: cell.feature.name(),
        state: cell.state.name(),
        symbol: cell.state.symbol(),
        word: cell.word(),
        why: one_line(&cell.why, COLUMNS),
        href: shown.map(|shown| match cell.feature.stage() {
            Some(stage) => format!("runs/{}#{stage}", shown.run),
            None => format!("runs/{}", shown.run),
        }),
        age: shown.map(|shown| format!("{} ago", ago(shown.age_s))).unwrap_or_default(),
    }
}

fn criterion(one: &Criterion) -> CriterionLine {
    let tone = match one.answer {
        Assessment::Met => Tone::Passed,
        Assessment::NotMet => Tone::Failed,
        Assessment::NotChecked => Tone::Skipped,
    };
    CriterionLine {
        asks: one_line(&one.asks, COLUMNS),
        of: one.of.name(),
        resolution: one.resolution,
        answer: one.answer.name(),
        tone: class(tone),
        why: one_line(&one.why, COLUMNS),
    }
}
