//! Files that nothing runs: a test in the wrong place is green for ever.

use super::{Finding, Folder, Rule};
use crate::recipe_toml::RecipeToml;
use journal::test_folders::FOLDERS;

/// Files that cc-ci reads itself.
const KNOWN: [&str; 4] = ["recipe.toml", "PARITY.md", "DECISIONS.md", "install_steps.sh"];
/// The endings that a test can have.
const ENDINGS: [&str; 3] = [".hurl", ".sh", ".rs"];
/// The parts of a data set.
const DATA: [&str; 3] = ["seed", "wipe", "check"];

pub(super) fn what_never_runs(folder: &Folder) -> Vec<Finding> {
    let mut findings: Vec<Finding> = folder
        .files
        .keys()
        .filter_map(|name| Some(folder.finding(name, None, Rule::NeverRuns, why(folder, name)?)))
        .collect();
    let parts: Vec<&str> =
        folder.files.keys().filter_map(|name| name.strip_prefix("data/")?.split('.').next()).collect();
    let missing: Vec<&str> = DATA.into_iter().filter(|part| !parts.contains(part)).collect();
    if !missing.is_empty() && missing.len() < DATA.len() {
        let text = format!(
            "there is no data/{}: data that cannot be made, wiped and checked proves nothing",
            missing.join(", data/")
        );
        findings.push(folder.finding("data", None, Rule::DataIncomplete, text));
    }
    findings
}

/// Tests of a redeploy that recipe.toml does not ask for.
pub(super) fn without_a_redeploy(folder: &Folder, toml: &RecipeToml) -> Vec<Finding> {
    let files = folder.files.keys().filter(|name| name.starts_with("reconfigure/") && toml.reconfigure.is_none());
    let text = "nothing runs it: recipe.toml has no [reconfigure]";
    files.map(|name| folder.finding(name, None, Rule::NeverRuns, text)).collect()
}

/// Why nothing runs a file; none where something does.
fn why(folder: &Folder, name: &str) -> Option<String> {
    if KNOWN.contains(&name) || is_used(folder, name) {
        return None;
    }
    let has_ending = ENDINGS.iter().any(|ending| name.ends_with(ending));
    match name.split_once('/') {
        Some((stage, file)) if FOLDERS.contains(&stage) && !file.contains('/') => {
            (!has_ending).then(|| format!("a test ends in {}", ENDINGS.join(", ")))
        }
        Some(("data", file)) if !file.contains('/') => {
            let part = file.split('.').next().unwrap_or_default();
            (!DATA.contains(&part) || !has_ending).then(|| format!("data/ has {} and nothing else", DATA.join(", ")))
        }
        _ => Some(format!("nothing uses it; tests are in {}/ and data/", FOLDERS.join("/, "))),
    }
}

/// Whether a file that runs names this one, by its path or its own name: a library, a picture to send.
fn is_used(folder: &Folder, name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    // Rust names a module without its ending.
    let own = file.strip_suffix(".rs").map_or_else(|| file.to_owned(), |module| format!("lib::{module}"));
    let is_test = name.split_once('/').is_some_and(|(stage, file)| FOLDERS.contains(&stage) && !file.contains('/'));
    !is_test
        && folder.files.iter().any(|(other, text)| {
            other != name && !other.ends_with(".md") && text.as_ref().is_some_and(|text| text.contains(&own))
        })
}
