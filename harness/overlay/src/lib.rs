//! The tests that a recipe's folder brings: Hurl files for anything over HTTP, scripts for the rest, and
//! Rust for browsers and protocols.
//!
//! Each ends as passed, failed (the app is not as the test wants it) or broken (the test itself
//! cannot run). A broken test is never green.

mod bounded;
mod calls;
mod explain;
mod hurl;
mod policy;
mod rust;
mod script;
mod variables;
mod verdict;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use bounded::Bounded;
pub use script::{late, of_exit};
use variables::names_a_secret;
pub use variables::{EXCHANGES_FILE, SECRETS_FILE, VARIABLES_FILE, Variables, told_secrets};
pub use verdict::Verdict;

use base::exchange::Exchanges;
use base::failure::{Failure, Kind};

/// What a test is run with.
#[derive(Debug, Clone)]
pub struct Context {
    /// What the test sees: a script in its environment, a Hurl file between braces.
    pub variables: Variables,
    /// A scratch folder that lives as long as the run; `CCCI_WORK`.
    pub work_dir: PathBuf,
    /// How long one file may take.
    pub deadline: Duration,
    /// The certificates that HTTPS is checked against; none for the system's own.
    pub ca_pem_file: Option<PathBuf>,
    /// Addresses for names that no DNS knows, each `host:port:address` as curl's `--resolve`.
    pub resolve: Vec<String>,
    /// The program that the recipes' Rust tests are built into; where none is named, `recipe-tests`
    /// beside the running one.
    pub recipe_tests: Option<PathBuf>,
}

/// A test of a recipe's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayFile {
    /// Its folder and name: `functional/content.hurl`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverlayOutcome {
    /// It ran and was green.
    Passed,
    /// It ran and was red.
    Failed,
    /// It cannot run, for a fault of its own.
    Broken,
}

/// How a test ended, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayResult {
    /// How.
    pub outcome: OverlayOutcome,
    /// One line: what was shown, or the first thing that is wrong.
    pub text: String,
    /// Everything that is wrong, with the request and the answer, or the script's output.
    pub detail: String,
    /// The files that it left in `CCCI_ARTIFACTS`, by name.
    pub files: Vec<String>,
    /// What it asked and was answered, as far as cc-ci can see it. Not clean of secrets.
    pub exchanges: Box<Exchanges>,
    /// How long it took.
    pub took: Duration,
}

impl OverlayResult {
    fn passed(text: impl Into<String>) -> Self {
        Self {
            outcome: OverlayOutcome::Passed,
            text: text.into(),
            detail: String::new(),
            files: Vec::new(),
            exchanges: Box::default(),
            took: Duration::ZERO,
        }
    }
    fn failed(text: impl Into<String>) -> Self {
        Self { outcome: OverlayOutcome::Failed, ..Self::passed(text) }
    }
    /// A test that cannot run, for a fault of its own.
    pub fn broken(text: impl Into<String>) -> Self {
        Self { outcome: OverlayOutcome::Broken, ..Self::passed(text) }
    }
    fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    fn with_exchanges(mut self, exchanges: Exchanges) -> Self {
        self.exchanges = Box::new(exchanges);
        self
    }

    /// The failure that a report names; none where the test passed.
    pub fn failure(&self, file: &OverlayFile) -> Option<Failure> {
        let (kind, verb) = match self.outcome {
            OverlayOutcome::Passed => return None,
            OverlayOutcome::Failed => (Kind::CheckFailed, "is red"),
            OverlayOutcome::Broken => (Kind::CheckBroken, "cannot run"),
        };
        let look_at = match self.outcome {
            OverlayOutcome::Broken => format!("mend {}", file.name),
            _ => format!("{} says what it wants of the app", file.name),
        };
        let what = format!("{} {verb}: {}", file.name, self.text);
        Some(Failure::new(kind, what, look_at).with_detail(self.detail.clone()))
    }
}

/// The tests in one folder of a recipe's folder, in name order. A folder that is not there has none.
/// Folders inside it and hidden files are no tests; any other file is one, so that a mistyped ending
/// is seen.
pub fn discover(recipe: &Path, folder: &str) -> std::io::Result<Vec<OverlayFile>> {
    let entries = match std::fs::read_dir(recipe.join(folder)) {
        Ok(entries) => entries,
        // A file beside the recipes' folders has no folders below it.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_file() {
            files.push(OverlayFile { name: format!("{folder}/{name}"), path: entry.path() });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Runs one test and waits for its end, at most [`Context::deadline`].
pub async fn run(file: &OverlayFile, context: &Context) -> OverlayResult {
    let start = Instant::now();
    let before = artifacts(context);
    let mut result = match prepare(context) {
        Ok(variables) => match file.path.extension().and_then(|e| e.to_str()) {
            Some("hurl") => hurl::run(file, context, variables).await,
            Some("sh") => script::run(file, context, &variables).await,
            Some("rs") => rust::run(file, context, &variables).await,
            _ => stranger(),
        },
        Err(text) => OverlayResult::broken(text),
    };
    result.files = artifacts(context).difference(&before).cloned().collect();
    result.took = start.elapsed();
    result
}

/// The names of the files that tests have kept so far.
fn artifacts(context: &Context) -> BTreeSet<String> {
    let folder = context.variables.get("CCCI_ARTIFACTS").filter(|folder| !folder.is_empty());
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// What is wrong with a test that can be said without an app: a text that does not parse, a missing
/// run bit, a test that could never be red. None where nothing is.
pub async fn inspect(file: &OverlayFile) -> Option<OverlayResult> {
    match file.path.extension().and_then(|e| e.to_str()) {
        Some("hurl") => hurl::read(file).err(),
        Some("sh") => script::cannot_run(&file.path).await,
        Some("rs") => rust::cannot_run(&file.path),
        _ => Some(stranger()),
    }
}

fn stranger() -> OverlayResult {
    OverlayResult::broken("neither a Hurl file (.hurl) nor a script (.sh) nor Rust (.rs)")
        .with_detail("Files that tests only use belong in a folder beside them.\n")
}

/// Makes the scratch folder, and adds the variables that earlier tests left in it.
fn prepare(context: &Context) -> Result<Variables, String> {
    std::fs::create_dir_all(&context.work_dir)
        .map_err(|error| format!("no scratch folder {}: {error}", context.work_dir.display()))?;
    context.variables.with_file(&context.work_dir.join(VARIABLES_FILE))
}

/// At most `limit` characters of a text, on one line.
fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for (n, c) in text.trim().chars().enumerate() {
        if n == limit {
            line.push('…');
            break;
        }
        match c {
            '\n' => line.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(line, "\\x{:02x}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tests_are_found_in_name_order_and_a_mistyped_ending_is_broken() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("functional");
        std::fs::create_dir_all(folder.join("files")).unwrap();
        for name in ["20-b.sh", "10-a.hurl", "30-c.hrul", ".hidden.sh"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let found = discover(dir.path(), "functional").unwrap();
        let names: Vec<_> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["functional/10-a.hurl", "functional/20-b.sh", "functional/30-c.hrul"]);
        assert_eq!(discover(dir.path(), "gone").unwrap(), []);

        let context = Context {
            variables: Variables::default(),
            work_dir: dir.path().join("work"),
            deadline: Duration::from_secs(5),
            ca_pem_file: None,
            resolve: vec![],
            recipe_tests: None,
        };
        let result = run(&found[2], &context).await;
        assert_eq!(result.outcome, OverlayOutcome::Broken);
        let failure = result.failure(&found[2]).unwrap();
        assert_eq!(failure.kind, Kind::CheckBroken);
        assert_eq!(
            failure.what,
            "functional/30-c.hrul cannot run: neither a Hurl file (.hurl) nor a script (.sh) nor Rust (.rs)"
        );
    }

    #[tokio::test]
    async fn every_test_of_the_recipes_here_could_run() {
        let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
        let mut seen = 0;
        for recipe in std::fs::read_dir(recipes).unwrap() {
            let recipe = recipe.unwrap().path();
            for folder in ["install", "upgrade", "backup", "functional", "browser", "data"] {
                for file in discover(&recipe, folder).unwrap() {
                    let wrong = inspect(&file).await;
                    assert_eq!(wrong, None, "{} of {}", file.name, recipe.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 10, "{seen}");
    }

    #[test]
    fn a_line_stays_one_line_and_short() {
        assert_eq!(one_line(" a\nb\u{1b}[0m ", 80), "a\\nb\\x1b[0m");
        assert_eq!(one_line("äöü", 2), "äö…");
    }
}
