//! The reports on disk, next to the journal of their run.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::lines::LineStyle;
use super::redo::{Format, RedoError, render};
use journal::Journal;
use journal::event::Record;
use journal::run_dir::RunDir;

/// One report, and whether it could be written.
#[derive(Debug)]
pub struct Written {
    pub format: Format,
    pub path: PathBuf,
    /// Why it could not be written.
    pub error: Option<RedoError>,
}

/// Writes the reports of a run into its folder. A failed write changes no verdict: the journal exists, and `cc-ci
/// report` can make the report again.
pub fn write_all(dir: &RunDir, records: &[Record]) -> Vec<Written> {
    let journal = Journal { records: records.to_vec(), remarks: Vec::new(), folder: Some(dir.path().to_owned()) };
    [(Format::Html, dir.html()), (Format::Junit, dir.junit())]
        .into_iter()
        .map(|(format, path)| {
            let written = render(&journal, format, LineStyle::PLAIN).and_then(|report| Ok(write(&path, &report)?));
            Written { format, path, error: written.err() }
        })
        .collect()
}

/// Writes the reports of a run and its journal into another folder, for readers with fewer rights than those of the
/// run's folder: without the pictures of tests.
pub fn copy_all(folder: &Path, records: &[Record]) -> Vec<Written> {
    let journal = Journal { records: records.to_vec(), remarks: Vec::new(), folder: None };
    [(Format::Html, "report.html"), (Format::Junit, "junit.xml"), (Format::Json, "journal.jsonl")]
        .into_iter()
        .map(|(format, name)| {
            let path = folder.join(name);
            let written = render(&journal, format, LineStyle::PLAIN).and_then(|report| Ok(write(&path, &report)?));
            Written { format, path, error: written.err() }
        })
        .collect()
}

/// Prints where the reports and the journal are, and how to make a missing report. With `json`, standard output is for
/// the events, so this goes to standard error.
pub fn say_where(dir: &RunDir, reports: &[Written], json: bool) {
    for line in where_lines(&dir.journal(), reports) {
        // If the output is closed, the error cannot be reported either.
        let _ = if json { writeln!(io::stderr(), "{line}") } else { writeln!(io::stdout(), "{line}") };
    }
}

fn where_lines(journal: &Path, reports: &[Written]) -> Vec<String> {
    let mut lines: Vec<String> = reports
        .iter()
        .map(|report| {
            let (path, again) = (report.path.display(), journal.display());
            match (&report.error, report.format) {
                (None, Format::Html) => format!("  report:  {path}"),
                (None, _) => format!("  junit:   {path}"),
                (Some(error), format) => {
                    let format = format.name();
                    format!("  {path}: {error}; to make it again: cc-ci report {again} --format {format}")
                }
            }
        })
        .collect();
    lines.push(format!("  journal: {}", journal.display()));
    lines
}

/// Writes a report atomically.
///
/// # Errors
/// The system's error.
pub fn write(path: &Path, report: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".report-").tempfile_in(folder)?;
    file.write_all(report)?;
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal_fixtures as fixtures;

    #[test]
    fn a_report_replaces_the_old_one_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(&folder.path().join("none/report.html"), b"x").is_err());
    }

    #[test]
    fn the_reports_of_a_run_stand_beside_its_journal() {
        let state = tempfile::tempdir().unwrap();
        let dir = RunDir::of(state.path(), &"20261121-a".parse().unwrap());
        let missing = write_all(&dir, &fixtures::passed());
        assert!(missing.iter().all(|report| report.error.is_some()), "there is no folder yet");
        let _alive = dir.create().unwrap();
        let written = write_all(&dir, &fixtures::passed());
        assert!(written.iter().all(|report| report.error.is_none() && report.path.exists()), "{written:?}");
        let lines = where_lines(
            Path::new("j.jsonl"),
            &[
                Written { path: "report.html".into(), error: None, format: Format::Html },
                Written {
                    path: "junit.xml".into(),
                    error: Some(io::Error::from(io::ErrorKind::StorageFull).into()),
                    format: Format::Junit,
                },
            ],
        );
        insta::assert_snapshot!(lines.join("\n"));
    }
}
