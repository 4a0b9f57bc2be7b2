//! The matrix for people: on a terminal and as Markdown.

use std::fmt::Write as _;

use super::standing::Assessment;
use super::{Cell, CellState, Coverage, Feature, RecipeCoverage, ago};
use journal::text::one_line;

/// Maximum length of a reason, in columns.
const WHY: usize = 220;

/// The matrix on a terminal, with a line for every cell that is not gating, or for all cells.
pub fn terminal(coverage: &Coverage, all: bool) -> String {
    let mut text = String::new();
    let width = coverage.recipes.iter().map(|row| row.recipe.as_str().len()).max().unwrap_or(0).max(6);
    let _ = write!(text, "{:width$} ", "recipe");
    for feature in Feature::ALL {
        let _ = write!(text, " {:<10}", feature.name());
    }
    text.push_str(" standing\n");
    for row in &coverage.recipes {
        let _ = write!(text, "{:width$} ", row.recipe.as_str());
        for cell in &row.cells {
            let _ = write!(text, " {} {:<8}", cell.state.symbol(), cell.state.name());
        }
        let _ = writeln!(text, " {}", row.standing.word.name());
    }
    for row in &coverage.recipes {
        details(&mut text, row, all);
    }
    for remark in &coverage.remarks {
        let _ = writeln!(text, "\nnote: {}", one_line(remark, WHY));
    }
    let _ = writeln!(text, "\n{}", counted(coverage));
    text
}

fn details(text: &mut String, row: &RecipeCoverage, all: bool) {
    let _ = writeln!(text, "\n{} ({} runs)", row.recipe, row.runs);
    if let Some(why) = row.nothing_at_all() {
        let _ = writeln!(text, "  {} missing: {}", CellState::Missing.symbol(), one_line(why, WHY));
        return;
    }
    for cell in row.cells.iter().filter(|cell| all || cell.state != CellState::Gating) {
        let why = one_line(&cell.why, WHY);
        let _ =
            writeln!(text, "  {} {:<10} {}: {why}{}", cell.state.symbol(), cell.feature.name(), cell.word(), by(cell));
    }
    let standing = &row.standing;
    let _ = writeln!(text, "  {}: {}", standing.word.name(), one_line(&standing.why, 2 * WHY));
    for one in standing.criteria.iter().filter(|one| all || one.answer == Assessment::NotMet) {
        let _ = writeln!(text, "    {:<14} {}: {}", one.answer.name(), one.asks, one_line(&one.why, WHY));
    }
}

/// The run and its age.
fn by(cell: &Cell) -> String {
    let of = |shown: &super::CellEvidence| format!(" (run {}, {} old)", shown.run, ago(shown.age_s));
    cell.shown.as_ref().map(of).unwrap_or_default()
}

fn counted(coverage: &Coverage) -> String {
    let of = |state: CellState| format!("{} {}", coverage.count(state), state.name());
    let recipes = journal::text::count(coverage.recipes.len(), "recipe");
    format!("{recipes}: {}", CellState::ALL.map(of).join(", "))
}

pub fn markdown(coverage: &Coverage) -> String {
    let names = Feature::ALL.map(Feature::name).join(" | ");
    let mut text = format!(
        "# Coverage\n\n{}, at {}.\n\n| recipe | {names} | standing |\n|---|{}\n",
        counted(coverage),
        coverage.at.strftime("%Y-%m-%d %H:%M UTC"),
        "---|".repeat(Feature::ALL.len() + 1)
    );
    for row in &coverage.recipes {
        let cells: Vec<String> =
            row.cells.iter().map(|cell| format!("{} {}", cell.state.symbol(), cell.state.name())).collect();
        let _ = writeln!(text, "| {} | {} | {} |", row.recipe, cells.join(" | "), row.standing.word.name());
    }
    for row in &coverage.recipes {
        let _ = writeln!(text, "\n## {}\n", row.recipe);
        text.push_str("| feature | state | why | shown by | age |\n|---|---|---|---|---|\n");
        for cell in &row.cells {
            let (run, age) = match &cell.shown {
                Some(shown) => (format!("`{}`", shown.run), ago(shown.age_s)),
                None => (String::new(), String::new()),
            };
            let (feature, word) = (cell.feature.name(), cell.word());
            let _ =
                writeln!(text, "| {feature} | {} {word} | {} | {run} | {age} |", cell.state.symbol(), span(&cell.why));
        }
        let standing = &row.standing;
        let _ = writeln!(text, "\n**{}**, after Resolution 025 of the federation:\n", standing.word.name());
        text.push_str("| criterion | required for | result | evidence |\n|---|---|---|---|\n");
        for one in &standing.criteria {
            let (of, answer) = (one.of.name(), one.answer.name());
            let _ = writeln!(text, "| {} | {of} | {answer} | {} |", one.asks, span(&one.why));
        }
    }
    for remark in &coverage.remarks {
        let _ = writeln!(text, "\n- {}", span(remark));
    }
    text
}

/// Untrusted text as one escaped cell.
fn span(text: &str) -> String {
    journal::markdown::span(text, WHY).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::Scene;

    fn matrix() -> Coverage {
        let mut scene = Scene::sound();
        scene.promise.sso = false;
        let (at, remarks) = (scene.now, vec!["run x is no evidence".to_owned()]);
        Coverage { at, recipes: vec![scene.row()], remarks }
    }

    #[test]
    fn the_terminal_shows_what_is_not_gating_and_all_on_demand() {
        let short = terminal(&matrix(), false);
        assert!(short.contains("· sso        missing: recipe.toml has no [sso]"), "{short}");
        assert!(!short.contains("green at commit") && short.contains("note: run x is no evidence"), "{short}");
        assert!(terminal(&matrix(), true).contains("green at commit 1111111"));
    }

    #[test]
    fn a_recipe_without_a_folder_takes_one_line() {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let row = RecipeCoverage::unwritten(&"immich".parse().unwrap(), at);
        let text = terminal(&Coverage { at, recipes: vec![row], remarks: vec![] }, true);
        assert_eq!(text.matches("cc-ci new immich").count(), 1, "{text}");
    }

    #[test]
    fn markdown_keeps_hostile_text_in_its_cell() {
        let mut matrix = matrix();
        matrix.recipes[0].cells[0].why = "a | b\n<script>alert(1)</script> `x`".to_owned();
        let text = markdown(&matrix);
        let options = pulldown_cmark::Options::ENABLE_TABLES;
        let events: Vec<_> = pulldown_cmark::Parser::new_ext(&text, options).collect();
        let is_html = |event: &&pulldown_cmark::Event<'_>| {
            matches!(event, pulldown_cmark::Event::Html(_) | pulldown_cmark::Event::InlineHtml(_))
        };
        assert_eq!(events.iter().find(is_html), None);
        let hostile = |event: &&pulldown_cmark::Event<'_>| matches!(event, pulldown_cmark::Event::Code(code) if code.contains("a | b <script>alert(1)</script> `x`"));
        assert_eq!(events.iter().filter(hostile).count(), 1, "{text}");
    }
}
