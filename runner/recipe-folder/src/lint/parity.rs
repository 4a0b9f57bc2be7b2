//! PARITY.md: the table of the maintainers' tests, each with the test here that does the same. Both
//! sides have to meet: a row with no test is a promise, a test with no row is unknown to readers.

use super::{Finding, Folder, Rule};
use crate::recipe_toml::RecipeToml;
use journal::test_folders::FOLDERS;

const FILE: &str = "PARITY.md";

pub(super) fn check(folder: &Folder, toml: &RecipeToml) -> Vec<Finding> {
    let mut findings = few(folder);
    let Some(Some(text)) = folder.files.get(FILE) else {
        findings.push(folder.finding(FILE, None, Rule::ParityRow, "is not there: it says which test covers what"));
        return findings;
    };
    let is_test = |name: &&String| name.split_once('/').is_some_and(|(stage, _)| FOLDERS.contains(&stage));
    let named = quoted(text);
    for name in folder.tests().iter().map(|file| &file.name).filter(is_test) {
        let is_named = named.iter().any(|(_, quoted)| quoted == name);
        if !is_named {
            findings.push(folder.finding(name, None, Rule::ParityTest, format!("{FILE} does not name it")));
        }
    }
    for (index, line) in text.lines().enumerate() {
        let Some((corpus, here)) = row(line) else { continue };
        let quoted = quoted(here);
        let mut add = |text: String| findings.push(folder.finding(FILE, Some(index + 1), Rule::ParityRow, text));
        let gone: Vec<&str> = quoted
            .iter()
            .map(|(_, name)| name.as_str())
            .filter(|name| is_path(name) && !is_there(folder, name))
            .collect();
        let blocked = toml.missing.keys().any(|name| corpus.contains(name.as_str()));
        if !gone.is_empty() {
            add(format!("there is no {}", gone.join(", ")));
        } else if !blocked && !quoted.iter().any(|(_, name)| is_there(folder, name)) {
            let corpus = corpus.trim();
            add(format!(
                "no test for {corpus:?}: write one, or put it into recipe.toml's [missing] with what blocks it"
            ));
        }
    }
    findings
}

/// Fewer than two tests of what the app is for.
fn few(folder: &Folder) -> Vec<Finding> {
    let specific = |name: &str| {
        let in_place = name.starts_with("functional/") || name.starts_with("browser/");
        in_place && !name.contains("health")
    };
    match folder.tests().iter().filter(|file| specific(&file.name)).count() {
        0 | 1 => {
            let text = "fewer than two tests in functional/ and browser/ show what the app is for, beside its health";
            vec![folder.finding("functional", None, Rule::FewTests, text)]
        }
        _ => Vec::new(),
    }
}

/// The first two cells of a table's row; none for headings, rules and other lines.
pub fn row(line: &str) -> Option<(&str, &str)> {
    let cells: Vec<&str> = line.trim().strip_prefix('|')?.split('|').collect();
    let [corpus, here, ..] = cells[..] else { return None };
    let is_rule = corpus.trim().chars().all(|c| matches!(c, '-' | ':'));
    // The table's heading says "here" over the second column.
    (!is_rule && here.trim() != "here").then_some((corpus, here))
}

/// What stands between backticks, with its line.
pub fn quoted(text: &str) -> Vec<(usize, String)> {
    let of = |(index, line): (usize, &str)| -> Vec<(usize, String)> {
        line.split('`').skip(1).step_by(2).map(|name| (index + 1, name.to_owned())).collect()
    };
    text.lines().enumerate().flat_map(of).collect()
}

fn is_path(name: &str) -> bool {
    name.split_once('/').is_some_and(|(stage, _)| FOLDERS.contains(&stage) || stage == "data")
}

/// A file, a folder with something in it, or a table of recipe.toml such as `[health]`.
fn is_there(folder: &Folder, name: &str) -> bool {
    match name {
        "recipe.toml" => true,
        _ if name.ends_with('/') => folder.files.keys().any(|file| file.starts_with(name)),
        _ => folder.files.contains_key(name),
    }
}
