//! Makes any report again from a journal.

use std::io::{self, Write as _};
use std::path::Path;

use base::failure::{Failure, Kind};
use base::names::RecipeName;

use super::lines::LineStyle;
use super::terminal::{JsonLines, Terminal};
use super::{html, junit};
use journal::emit::Sink as _;
use journal::event::{CheckResult, Outcome, Stage, VerdictKind};
use journal::fold::{RunView, fold};

use journal::test_folders::FOLDERS;
use journal::{Journal, ReadError};

/// The kinds of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines, as a log has them.
    Terminal,
    /// JUnit XML.
    Junit,
    /// One self-contained page.
    Html,
    /// The events, one JSON object a line.
    Json,
}

impl Format {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Junit => "junit",
            Self::Html => "html",
            Self::Json => "json",
        }
    }
}

/// Why a report cannot be made again.
#[derive(Debug, thiserror::Error)]
pub enum RedoError {
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The report cannot be written.
    #[error("cannot write the report: {0}")]
    Write(#[from] io::Error),
    /// A renderer failed: a bug of cc-ci.
    #[error("cannot make the report: {0}")]
    Render(String),
}

/// Reads a journal and makes one report from it.
///
/// # Errors
/// See [`RedoError`].
pub fn redo(path: &Path, format: Format, look: LineStyle) -> Result<Vec<u8>, RedoError> {
    render(&journal::read(path)?, format, look)
}

/// Makes one report from a journal.
///
/// # Errors
/// [`RedoError::Render`] and [`RedoError::Write`].
pub fn render(journal: &Journal, format: Format, look: LineStyle) -> Result<Vec<u8>, RedoError> {
    let view = fold(&journal.records).map_err(|error| RedoError::Render(error.to_string()))?;
    let remarks = &journal.remarks;
    Ok(match format {
        Format::Html => {
            let folder = journal.folder.as_deref();
            html::render(&view, remarks, folder.map_or(html::Pictures::None, html::Pictures::Folder))
                .map_err(|error| RedoError::Render(error.to_string()))?
                .into_bytes()
        }
        Format::Junit => {
            junit::render(&view, remarks).map_err(|error| RedoError::Render(error.to_string()))?.into_bytes()
        }
        Format::Json => {
            let mut out = JsonLines(Vec::new());
            for record in &journal.records {
                out.record(record)?;
            }
            out.0
        }
        Format::Terminal => {
            let mut out = Vec::new();
            let mut terminal = Terminal::new(&mut out, LineStyle { progress: true, ..look });
            for record in &journal.records {
                terminal.record(record)?;
            }
            drop(terminal);
            if view.verdict.is_none() {
                for line in super::lines::summary(&view, look) {
                    writeln!(out, "{line}")?;
                }
            }
            for remark in remarks {
                writeln!(out, "  journal: {remark}")?;
            }
            out
        }
    })
}

/// The red parts of a recipe's last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Red {
    pub run: String,
    /// Whether there are any.
    pub any: bool,
    /// Red tests by name, and stages that were red otherwise; empty if only a whole run can tell.
    pub only: Vec<String>,
}

/// The red parts of the recipe's last run, as values for `--only`.
///
/// # Errors
/// The recipe has no run in this state folder.
pub fn red_checks(state: &Path, recipe: &RecipeName) -> Result<Red, Failure> {
    let runs = journal::expect::earlier_runs(state, recipe);
    let Some(last) = runs.iter().find(|run| had_slot(run)) else {
        return Err(Failure::new(
            Kind::NotKept,
            format!("there is no earlier run of {recipe}"),
            format!("cc-ci run {recipe}"),
        ));
    };
    Ok(red_of(last))
}

/// The red parts of the last run of a recipe's pull request that was not stopped, if there is one.
pub fn red_in_pull(state: &Path, recipe: &RecipeName, pull: u64) -> Option<Red> {
    let word = |run: &RunView| run.verdict.as_ref().map(|verdict| verdict.word);
    let is_one = |run: &RunView| run.started.pull_request == Some(pull) && word(run) != Some(VerdictKind::Cancelled);
    journal::expect::newest_runs(state, recipe).find(|run| is_one(run) && had_slot(run)).as_ref().map(red_of)
}

/// A run without a slot says nothing about the tests.
fn had_slot(run: &RunView) -> bool {
    run.stage(Stage::Slot).is_none_or(|stage| stage.outcome().is_none_or(|ended| ended != Outcome::Blocked))
}

fn red_of(run: &RunView) -> Red {
    let red = |outcome| matches!(outcome, Outcome::Failed | Outcome::Blocked);
    let mut found = Red { run: run.started.run.to_string(), any: false, only: Vec::new() };
    let mut whole = false;
    for stage in run.stages.iter().filter(|stage| stage.outcome().is_some_and(red)) {
        found.any = true;
        whole |= matches!(stage.stage, Stage::Prepare | Stage::Dependencies | Stage::Install | Stage::Teardown);
        let checks: Vec<&CheckResult> = stage.checks.iter().filter(|check| red(check.outcome)).collect();
        let is_test = |name: &str| name.split_once('/').is_some_and(|(folder, _)| FOLDERS.contains(&folder));
        if !checks.is_empty() && checks.iter().all(|check| is_test(&check.name)) {
            found.only.extend(checks.iter().map(|check| check.name.clone()));
        } else {
            found.only.push(stage.stage.to_string());
        }
    }
    if whole {
        found.only.clear();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal_fixtures as fixtures;

    #[test]
    fn a_report_made_again_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        for (name, records) in fixtures::all() {
            let path = folder.path().join(name);
            let mut writer = journal::Writer::create(&path).unwrap();
            for record in &records {
                writer.record(record).unwrap();
            }
            let live = Journal { records, remarks: vec![], folder: None };
            for format in [Format::Terminal, Format::Junit, Format::Html, Format::Json] {
                let first = render(&live, format, LineStyle::PLAIN).unwrap();
                assert_eq!(redo(&path, format, LineStyle::PLAIN).unwrap(), first, "{name}, {format:?}");
            }
        }
    }

    #[test]
    fn what_was_red_is_told_by_pull_request() {
        let state = tempfile::tempdir().unwrap();
        let recipe = "custom-html".parse().unwrap();
        let write = |run: &str, records: Vec<journal::event::Record>| {
            let dir = journal::run_dir::RunDir::of(state.path(), &run.parse().unwrap());
            let _alive = dir.create().unwrap();
            let mut writer = journal::Writer::create(&dir.journal()).unwrap();
            records.iter().for_each(|record| writer.record(record).unwrap());
        };
        assert_eq!(red_in_pull(state.path(), &recipe, 7), None);
        write("20261121-a", fixtures::failed_upgrade());
        let red = red_in_pull(state.path(), &recipe, 7).unwrap();
        assert!(red.any && red.only.contains(&"upgrade".to_owned()), "{red:?}");
        assert_eq!(red_in_pull(state.path(), &recipe, 8), None);
        write("20261121-b", fixtures::passed());
        assert!(!red_in_pull(state.path(), &recipe, 7).unwrap().any);
    }

    #[test]
    fn the_names_of_formats_are_those_of_the_command_line() {
        for format in <Format as clap::ValueEnum>::value_variants() {
            assert_eq!(<Format as clap::ValueEnum>::from_str(format.name(), false), Ok(*format));
        }
    }

    #[test]
    fn a_killed_run_still_has_every_report() {
        let mut bytes: Vec<u8> = fixtures::killed().iter().flat_map(|record| journal::line(record).unwrap()).collect();
        bytes.truncate(bytes.len() - 9);
        let journal = journal::parse(&bytes).unwrap();
        for format in [Format::Terminal, Format::Junit, Format::Html] {
            let text = String::from_utf8(render(&journal, format, LineStyle::PLAIN).unwrap()).unwrap();
            assert!(text.contains("no end: the run was killed during backup"), "{format:?}");
            assert!(text.contains("is cut short and was left out"), "{format:?}");
        }
    }
}
