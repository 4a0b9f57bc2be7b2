//! Of the fixes in a repository's history, how many shipped the test that fails without
//! the fix. Which commits are fixes and which tests they touched is read from git; with `--run`, the tests are run
//! with the code of the commit before, in a clone that shares nothing but git's objects with the repository.

mod cargo;
mod files;
mod log;
mod render;
mod rust;
mod tree;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use cargo::{Ended, Said, Target, place};
pub use files::Touched;
use files::{Change, Role, touched};
pub use render::terminal;
use tree::Tree;

/// What to audit.
#[derive(Debug, Clone)]
pub struct Audit {
    /// The repository.
    pub repository: PathBuf,
    /// A revision that is not looked at any more, or a date.
    pub since: Option<String>,
    /// Commits to look at instead, whether they say that they are fixes or not.
    pub commits: Vec<String>,
    /// Whether the tests are run, and where they are built.
    pub run: Option<Run>,
}

/// How tests are run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Cargo's target folder, of the audit's own.
    pub build: PathBuf,
    /// How long one call of cargo may take.
    pub limit: Duration,
    /// How long all of them may take.
    pub within: Option<Duration>,
}

impl Run {
    /// How long the next call of cargo may take, in an audit that began then.
    fn left(&self, begun: Instant) -> Duration {
        self.within.map_or(self.limit, |within| self.limit.min(within.saturating_sub(begun.elapsed())))
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audited {
    /// The fixes, newest first.
    pub fixes: Vec<Fix>,
    /// Commits that were looked at, fixes or not.
    pub commits: usize,
    /// Whether tests were run.
    pub ran: bool,
}

/// One fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// The commit.
    pub commit: String,
    /// Its day.
    pub date: String,
    /// The first line of its message.
    pub subject: String,
    /// The tests that it added or changed.
    pub tests: Vec<TestOfFix>,
    /// What it shows of itself.
    pub shown: Shown,
    /// One line more, where there is something to say.
    pub note: String,
}

/// A test of a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestOfFix {
    /// Which one.
    #[serde(flatten)]
    pub test: Touched,
    /// What its runs say; none where it was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<TestResult>,
}

/// What the two runs of a test say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestResult {
    /// Red without the fix, green with it.
    FailsWithout,
    /// Green without it: it shows nothing of the fix.
    PassesWithout,
    /// It is not green with the fix either, which is the commit's own doing; and how.
    Broken(String),
    /// It cannot be told, and why.
    CannotTell(String),
}

/// Why a test cannot be told that did not end.
const TOO_LONG: &str = "took too long";

impl TestResult {
    fn is_too_long(&self) -> bool {
        *self == Self::CannotTell(TOO_LONG.to_owned())
    }
}

/// What a fix shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// It touches no test.
    NoTest,
    /// It touches nothing but tests, so there is nothing that they could fail without.
    TestsAlone,
    /// It touches tests, which were not run.
    NotRun,
    /// One of its tests fails without it.
    FailsWithout,
    /// Its tests pass without it.
    PassesWithout,
    /// One of its tests is not green with it either.
    Broken,
    /// It cannot be told.
    CannotTell,
}

/// Why an audit could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// git refused.
    #[error("git: {0}")]
    Git(String),
    /// What it shall begin at is neither.
    #[error("--since {0:?} is neither a revision of this repository nor a day such as 2026-11-01")]
    Since(String),
    /// The disk refused.
    #[error("{path}: {error}")]
    Disk {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

impl AuditError {
    fn git(why: String) -> Self {
        Self::Git(why)
    }
}

impl Audited {
    /// The fixes that show nothing of themselves, as far as they were looked at: no test, none that fails without
    /// the fix, or a broken one. What cannot be told is not among them: a test that does not compile without the fix
    /// names what only the fix has, a test on a swarm has none here, and how far the time goes is the machine's doing.
    pub fn unshown(&self) -> impl Iterator<Item = &Fix> {
        self.fixes.iter().filter(|fix| matches!(fix.shown, Shown::NoTest | Shown::PassesWithout | Shown::Broken))
    }

    /// Whether tests should have been run, and the time did not suffice for those of a single fix.
    pub fn looked_at_nothing(&self) -> bool {
        let ended = |fix: &Fix| fix.tests.iter().any(|test| test.result.as_ref().is_some_and(|one| !one.is_too_long()));
        let had_to_run = |fix: &&Fix| !matches!(fix.shown, Shown::NoTest | Shown::TestsAlone);
        let mut fixes = self.fixes.iter().filter(had_to_run).peekable();
        self.ran && fixes.peek().is_some() && !fixes.any(ended)
    }
}

impl Audit {
    /// Looks at every fix; `told` gets a line before each whose tests are run.
    ///
    /// # Errors
    /// When git or the disk refuses, or what was asked for is not there.
    pub fn make(&self, mut told: impl FnMut(&str)) -> Result<Audited, AuditError> {
        let repository = Tree::at(&self.repository);
        let list = self.log(&repository)?;
        let (commits, named) = (list.len(), !self.commits.is_empty());
        let begun = Instant::now();
        let mut fixes = Vec::new();
        for commit in list.into_iter().filter(|commit| named || commit.is_fix()) {
            let changes = repository.changes(&commit.id)?;
            match &self.run {
                Some(run) if run.left(begun) > Duration::ZERO => {
                    told(&format!("{} {}", &commit.id[..commit.id.len().min(8)], commit.subject));
                    fixes.push(checked(&repository, commit, &changes, run, begun)?);
                }
                run => {
                    let tests = touched(&changes).into_iter().map(|test| TestOfFix { test, result: None }).collect();
                    let mut fix = fix(commit, &changes, tests, String::new());
                    if run.is_some() && fix.shown == Shown::NotRun {
                        fix.note = "the time for all of them was over".to_owned();
                    }
                    fixes.push(fix);
                }
            }
        }
        Ok(Audited { fixes, commits, ran: self.run.is_some() })
    }

    fn log(&self, repository: &Tree) -> Result<Vec<log::Commit>, AuditError> {
        let mut args = vec!["log".to_owned(), log::FORMAT.to_owned()];
        if !self.commits.is_empty() {
            args.push("--no-walk=unsorted".to_owned());
            args.push("--end-of-options".to_owned());
            args.extend(self.commits.iter().cloned());
        } else {
            args.push("--no-merges".to_owned());
        }
        let mut day = None;
        if let Some(since) = self.since.as_ref().filter(|_| self.commits.is_empty()) {
            match begin(repository, since)? {
                Begin::After(range) => args.push(range),
                Begin::On(date) => day = Some(date.to_string()),
            }
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut found = log::commits(&repository.git(&args)?);
        found.retain(|commit| day.as_ref().is_none_or(|day| commit.date >= *day));
        Ok(found)
    }
}

/// Where an audit begins.
enum Begin {
    /// Behind a revision, as git writes a range.
    After(String),
    /// On a day, by the dates of commits.
    On(jiff::civil::Date),
}

/// git takes any words for a date, and one in the future for now, so that dates are no business of git's.
fn begin(repository: &Tree, since: &str) -> Result<Begin, AuditError> {
    let name = since.split(['~', '^']).next().unwrap_or_default();
    let commit = format!("{since}^{{commit}}");
    if base::names::is_ref(name)
        && repository.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).is_ok()
    {
        return Ok(Begin::After(format!("{since}..HEAD")));
    }
    // A date's own parser takes more than a day and drops the rest.
    let day = since.parse().ok().filter(|_| since.len() == "2026-11-01".len());
    day.map(Begin::On).ok_or_else(|| AuditError::Since(since.to_owned()))
}

fn fix(commit: log::Commit, changes: &[Change], tests: Vec<TestOfFix>, note: String) -> Fix {
    let has = |wanted: &dyn Fn(&TestResult) -> bool| tests.iter().filter_map(|test| test.result.as_ref()).any(wanted);
    let shown = if tests.is_empty() {
        Shown::NoTest
    } else if changes.iter().all(|change| change.role == Role::Test) {
        Shown::TestsAlone
    } else if tests.iter().all(|test| test.result.is_none()) {
        Shown::NotRun
    } else if has(&|result| *result == TestResult::FailsWithout) {
        Shown::FailsWithout
    } else if has(&|result| matches!(result, TestResult::Broken(_))) {
        Shown::Broken
    } else if has(&|result| matches!(result, TestResult::CannotTell(_))) {
        Shown::CannotTell
    } else {
        Shown::PassesWithout
    };
    Fix { commit: commit.id, date: commit.date, subject: commit.subject, tests, shown, note }
}

/// A fix whose tests are run without it, and with it where one was red.
fn checked(
    repository: &Tree,
    commit: log::Commit,
    changes: &[Change],
    run: &Run,
    begun: Instant,
) -> Result<Fix, AuditError> {
    let found = touched(changes);
    let only_tests = changes.iter().all(|change| change.role == Role::Test);
    if found.is_empty() || only_tests {
        let tests = found.into_iter().map(|test| TestOfFix { test, result: None }).collect();
        return Ok(fix(commit, changes, tests, String::new()));
    }
    let scratch = tempfile::tempdir()
        .map_err(|error| AuditError::Disk { path: std::env::temp_dir().display().to_string(), error })?;
    let tree = Tree::clone_of(repository, &scratch.path().join("tree"))?;
    let packages = repository.packages(&commit.id)?;
    let mut targets: BTreeMap<Target, Vec<String>> = BTreeMap::new();
    let places: Vec<Option<(Target, String)>> = found.iter().map(|test| place(test, &packages)).collect();
    for (target, name) in places.iter().flatten() {
        let names = targets.entry(target.clone()).or_default();
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    tree.check_out(&commit.id)?;
    let together = tree.put_back(changes)?;
    let all = |tree: &Tree| -> BTreeMap<Target, Said> {
        let one = |(target, names): (&Target, &Vec<String>)| {
            (target.clone(), cargo::run(tree.dir(), target, names, &run.build, run.left(begun)))
        };
        if targets.keys().any(|target| target.of.is_some()) {
            cargo::build(tree.dir(), &run.build, run.left(begun));
        }
        targets.iter().map(one).collect()
    };
    let without = all(&tree);
    // Red, and what does not compile, says something of the fix only where it is otherwise with it.
    let asks = |said: &Said| match said {
        Said::Ran(ended) => ended.values().any(|one| *one == Ended::Failed),
        Said::DoesNotCompile(_) => true,
        Said::TooLong | Said::NotStarted(_) => false,
    };
    let with = match without.values().any(asks) {
        true => {
            tree.check_out(&commit.id)?;
            all(&tree)
        }
        false => BTreeMap::new(),
    };
    let results = places.into_iter().map(|place| match place {
        None => TestResult::CannotTell("it needs a run on a swarm".to_owned()),
        Some((target, name)) => result(&name, target.of.is_none(), without.get(&target), with.get(&target)),
    });
    let tests = found.into_iter().zip(results).map(|(test, result)| TestOfFix { test, result: Some(result) }).collect();
    let note = match together.is_empty() {
        true => String::new(),
        false => format!("tests and code could not be told apart in {}", together.join(", ")),
    };
    Ok(fix(commit, changes, tests, note))
}

/// What two runs say of one test. A unit test has all that it needs; a whole one may need a swarm, or images.
fn result(name: &str, is_unit: bool, without: Option<&Said>, with: Option<&Said>) -> TestResult {
    let cannot = |why: &str| TestResult::CannotTell(why.to_owned());
    match (without, with) {
        (Some(Said::Ran(ended)), with) => match (ended.get(name), with) {
            (None, _) => cannot("cargo does not run it here: another name, ignored, or gone with the code"),
            (Some(Ended::Passed), _) => TestResult::PassesWithout,
            (Some(Ended::Failed), Some(Said::Ran(ended))) => match ended.get(name) {
                Some(Ended::Passed) => TestResult::FailsWithout,
                Some(Ended::Failed) if is_unit => TestResult::Broken("fails with the fix too".to_owned()),
                Some(Ended::Failed) => cannot("it fails with the fix too, as it may where there is no swarm"),
                None => cannot("it did not run with the fix"),
            },
            (Some(Ended::Failed), Some(Said::DoesNotCompile(error))) => {
                TestResult::Broken(format!("does not compile with the fix: {}", first_of(error)))
            }
            (Some(Ended::Failed), Some(Said::TooLong)) => cannot(TOO_LONG),
            (Some(Ended::Failed), _) => cannot("red without the fix, and with the fix the tests could not be run"),
        },
        (Some(Said::DoesNotCompile(error)), Some(Said::Ran(ended))) => match ended.get(name) {
            Some(Ended::Failed) if is_unit => TestResult::Broken("fails with the fix too".to_owned()),
            _ => cannot(&format!("does not compile without the fix: {}", first_of(error))),
        },
        (Some(Said::DoesNotCompile(_)), Some(Said::DoesNotCompile(error))) => {
            TestResult::Broken(format!("does not compile with the fix or without: {}", first_of(error)))
        }
        (Some(Said::DoesNotCompile(_)), Some(Said::TooLong)) | (Some(Said::TooLong), _) => cannot(TOO_LONG),
        (Some(Said::DoesNotCompile(error)), _) => {
            cannot(&format!("does not compile without the fix, and was not run with it: {}", first_of(error)))
        }
        (Some(Said::NotStarted(why)), _) => cannot(&format!("cargo cannot be started: {why}")),
        (None, _) => cannot("it was not run"),
    }
}

/// The beginning of what a compiler says.
fn first_of(error: &str) -> String {
    journal::text::one_line(error, 120)
}

#[cfg(test)]
mod tests;
