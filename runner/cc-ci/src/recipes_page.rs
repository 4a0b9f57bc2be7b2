//! `docs/recipes.md`: what each recipe's folder has, and what was seen of it. Made from the folders and from the committed
//! evidence of `./dev test --recipes --write`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use journal::test_folders::FOLDERS;
use overlay::discover;
use recipe_folder::prints;
use recipe_folder::recipe_toml::{self, InjectedFault};
use serde::Deserialize;

use crate::reference::{code, table};

/// What waves have shown: `testbed/wave.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaveEvidence {
    /// The newest green run of each form of a recipe.
    runs: Vec<WaveRun>,
    /// The newest proof of each recipe.
    proofs: Vec<WaveProof>,
}

#[derive(Debug, Deserialize)]
struct WaveRun {
    recipe: String,
    /// The repository of the testbed.
    form: String,
    at: String,
    seconds: u64,
    memory_mib: u64,
    stages: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct WaveProof {
    recipe: String,
    /// The folder's files at that time.
    tests: prints::Prints,
    /// The tests that were red against every impostor.
    red: BTreeSet<String>,
}

/// Makes the page from the folder of the recipes and the file of the evidence.
///
/// # Errors
/// When one of them cannot be read.
pub fn page(recipes: &Path, evidence: &Path) -> io::Result<String> {
    let evidence = serde_json::from_slice(&std::fs::read(evidence)?)?;
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(recipes)? {
        let path = entry?.path();
        if path.join("recipe.toml").is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    let rows = folders.iter().map(|folder| row(folder, &evidence)).collect::<io::Result<Vec<_>>>()?;
    let written: BTreeSet<String> = folders.iter().map(|folder| name_of(folder)).collect();
    let maintained = std::fs::read_to_string(recipes.join("maintained.txt"))?;
    Ok(text(&rows, &without_a_folder(&maintained, &written)))
}

fn without_a_folder(maintained: &str, written: &BTreeSet<String>) -> Vec<String> {
    let names = maintained.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    names.filter(|name| !name.is_empty() && !written.contains(*name)).map(str::to_owned).collect()
}

const COLUMNS: [&str; 8] = ["recipe", "green in the form of", "stages", "faults", "tests", "proven", "memory", "time"];

fn row(folder: &Path, evidence: &WaveEvidence) -> io::Result<Vec<String>> {
    let name = name_of(folder);
    let toml = recipe_toml::read(folder).map_err(io::Error::other)?;
    let runs: Vec<&WaveRun> = evidence.runs.iter().filter(|run| run.recipe == name).collect();
    let form = |run: &&WaveRun| {
        let minutes = run.seconds.div_ceil(60);
        (format!("{} ({})", code(&run.form), run.at), format!("{minutes} min"), run.memory_mib)
    };
    let forms: Vec<_> = runs.iter().map(form).collect();
    let stages = ["install", "upgrade", "backup", "functional", "fresh", "faults", "variants"].into_iter();
    let stages: Vec<&str> =
        stages.filter(|stage| runs.iter().flat_map(|run| &run.stages).any(|seen| seen == stage)).collect();
    let faults: Vec<&str> = toml.injected().into_iter().map(InjectedFault::name).collect();
    let tests = tests(folder)?;
    let now = prints::of_folder(folder);
    let proven = evidence.proofs.iter().find(|proof| proof.recipe == name).map_or(0, |proof| {
        let is_same = |test: &&String| proof.red.contains(*test) && prints::same_test(&proof.tests, &now, test);
        tests.iter().filter(is_same).count()
    });
    let memory = forms.iter().map(|(_, _, mib)| *mib).max();
    let memory = memory.map_or_else(String::new, |mib| format!("{mib} of "));
    Ok(vec![
        format!("[{name}](../recipes/{name}/PARITY.md)"),
        or(&join(forms.iter().map(|(form, _, _)| form)), "written, not run here"),
        stages.join(", "),
        faults.join(", "),
        tests.len().to_string(),
        proven.to_string(),
        format!("{memory}{} MiB", toml.weight.memory_mib),
        join(forms.iter().map(|(_, time, _)| time)),
    ])
}

/// The tests that have to be red against an impostor: all but those that a change of settings has to show.
fn tests(folder: &Path) -> io::Result<Vec<String>> {
    let mut tests = Vec::new();
    for part in FOLDERS {
        tests.extend(discover(folder, part)?.into_iter().map(|file| file.name));
    }
    Ok(tests)
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn join<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    texts.map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn or(text: &str, other: &str) -> String {
    if text.is_empty() { other.to_owned() } else { text.to_owned() }
}

fn text(rows: &[Vec<String>], missing: &[String]) -> String {
    let mut text = String::from(
        "# Recipes\n\n\
         Made by `cc-ci docs recipes > docs/recipes.md` from the folders in `recipes/` and from `testbed/wave.json`, which\n\
         `./dev test --recipes --prove --write` fills; do not change it by hand.\n\n\
         A form is a repository of the testbed: the same recipe with another database, say. What a form cannot show is blocked\n\
         in its report. A test is proven when it was red against every impostor, as it and what it shares are now. Memory is the\n\
         most that a run took, of what `[weight]` reserves. The time is without the wait for a slot.\n\n",
    );
    table(&mut text, &COLUMNS, rows);
    if !missing.is_empty() {
        let _ = writeln!(text, "\nMaintained recipes that have no folder yet: {}.", missing.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_the_one_of_the_docs() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let now = page(&root.join("recipes"), &root.join("testbed/wave.json")).unwrap();
        let kept = std::fs::read_to_string(root.join("docs/recipes.md")).unwrap();
        assert_eq!(now, kept, "cc-ci docs recipes > docs/recipes.md");
    }

    #[test]
    fn a_test_that_was_changed_since_its_proof_is_written_and_not_proven() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("recipes/app");
        std::fs::create_dir_all(folder.join("functional")).unwrap();
        std::fs::create_dir_all(folder.join("lib")).unwrap();
        std::fs::write(dir.path().join("recipes/maintained.txt"), "# all\napp\nother # soon\n").unwrap();
        std::fs::write(folder.join("recipe.toml"), "[faults.restart]\n[weight]\nmemory_mib = 64\n").unwrap();
        std::fs::write(folder.join("functional/10-a.hurl"), "a").unwrap();
        std::fs::write(folder.join("functional/20-b.hurl"), "b").unwrap();
        let evidence = dir.path().join("wave.json");
        let json = serde_json::json!({
            "runs": [{
                "recipe": "app", "form": "app-on-sqlite", "at": "2026-11-28", "verdict": "passed", "version": null,
                "seconds": 61, "memory_mib": 40, "stages": ["install", "functional"], "checks": 9
            }],
            "proofs": [{
                "recipe": "app", "at": "2026-11-28", "tests": prints::of_folder(&folder),
                "red": ["functional/10-a.hurl", "functional/20-b.hurl"]
            }],
        });
        std::fs::write(&evidence, json.to_string()).unwrap();
        let line = || {
            let text = page(&dir.path().join("recipes"), &evidence).unwrap();
            assert!(text.ends_with("\nMaintained recipes that have no folder yet: other.\n"), "{text}");
            text.lines().find(|line| line.starts_with("| [app]")).unwrap().to_owned()
        };
        let start =
            "| [app](../recipes/app/PARITY.md) | `app-on-sqlite` (2026-11-28) | install, functional | restart | 2 |";
        assert_eq!(line(), format!("{start} 2 | 40 of 64 MiB | 2 min |"));
        std::fs::write(folder.join("functional/20-b.hurl"), "b, weaker").unwrap();
        assert_eq!(line(), format!("{start} 1 | 40 of 64 MiB | 2 min |"));
        std::fs::write(folder.join("lib/all.sh"), "what all share").unwrap();
        assert_eq!(line(), format!("{start} 0 | 40 of 64 MiB | 2 min |"));
        std::fs::write(&evidence, r#"{"runs": [], "proofs": []}"#).unwrap();
        assert!(line().contains("written, not run here"));
    }
}
