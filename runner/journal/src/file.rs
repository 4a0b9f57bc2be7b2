//! The journal of a run: one JSON record a line, synced to disk before the next step.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::emit::Sink;
use crate::event::{Event, JOURNAL_FORMAT, Record};

/// Writes a journal without a buffer: a killed run loses at most the line that was being written.
#[derive(Debug)]
pub struct Writer {
    file: File,
    /// The end of the last complete line.
    good: u64,
}

impl Writer {
    /// Creates a new journal in an existing folder.
    ///
    /// # Errors
    /// The file exists, or the disk refuses.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::options().write(true).create_new(true).open(path)?;
        // The name itself must survive a power cut too.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(Self { file, good: 0 })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let result = self.file.write_all(line);
        match &result {
            Ok(()) => self.good += line.len() as u64,
            // A partial line may be there. Later records, those of the teardown, must not be appended to it.
            Err(_) => self.drop_part(),
        }
        result
    }

    /// Truncates to the end of the last complete line. A failure is not reported, since the failed write before it is.
    fn drop_part(&mut self) {
        let _ = self.file.set_len(self.good);
        let _ = self.file.seek(io::SeekFrom::Start(self.good));
    }
}

impl Sink for Writer {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        self.append(&line(record)?)?;
        if matches!(record.event, Event::RunEnded { .. }) {
            self.file.sync_all()?;
        }
        Ok(())
    }
}

/// A record as a line of the journal, including the line break.
///
/// # Errors
/// None is known: every record can be written as JSON.
pub fn line(record: &Record) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    Ok(line)
}

/// A parsed journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// In order.
    pub records: Vec<Record>,
    /// Defects that do not prevent reading, a line each.
    pub remarks: Vec<String>,
    /// Its folder, which has the files that failures name.
    pub folder: Option<PathBuf>,
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read the journal: {0}")]
    Io(#[from] io::Error),
    /// A newer cc-ci wrote it.
    #[error("the journal has format {found}; this cc-ci knows formats up to {JOURNAL_FORMAT}: use a newer cc-ci")]
    Newer {
        /// The format in its first line.
        found: u32,
    },
    /// There is no complete line.
    #[error("the journal is empty: the run was killed before its first event")]
    Empty,
    /// The first line is something else.
    #[error("not a journal: the first line is not a run-started event")]
    NotAJournal,
    /// A line in the middle is damaged.
    #[error("line {line} of the journal is damaged: {why}")]
    Damaged {
        /// Counts from 1.
        line: usize,
        /// The parser's message.
        why: String,
    },
}

/// The part of a line that is parsed first.
#[derive(Deserialize)]
struct Peek {
    event: String,
    format: Option<u32>,
}

/// Reads a journal file.
pub fn read(path: &Path) -> Result<Journal, ReadError> {
    let folder = path.parent().map(Path::to_owned);
    // A device has no end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file").into());
    }
    Ok(Journal { folder, ..parse(&std::fs::read(path)?)? })
}

/// Parses a journal.
///
/// A partial last line is skipped with a remark, since a kill leaves one. So is an unknown event: a later version may
/// add events that older reports can ignore; otherwise the format's version is raised and the journal refused.
pub fn parse(bytes: &[u8]) -> Result<Journal, ReadError> {
    let mut journal = Journal { records: Vec::new(), remarks: Vec::new(), folder: None };
    let mut expected_seq = 0;
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let number = at + 1;
        let cut_short = lines.peek().is_none() && !line.ends_with(b"\n");
        let peek = match serde_json::from_slice::<Peek>(line) {
            Ok(peek) => peek,
            Err(_) if cut_short => {
                journal.remarks.push(format!("line {number}, the last one, is cut short and was left out"));
                break;
            }
            Err(_) if number == 1 => return Err(ReadError::NotAJournal),
            Err(error) => return Err(damaged(number, &error)),
        };
        if number == 1 {
            check_first(&peek.event, peek.format)?;
        }
        if !is_known(&peek.event) {
            let event = crate::text::one_line(&peek.event, 60);
            journal.remarks.push(format!("line {number}: the unknown event {event:?} was left out"));
            expected_seq += 1;
            continue;
        }
        let record: Record = serde_json::from_slice(line).map_err(|error| damaged(number, &error))?;
        if record.seq != expected_seq {
            let found = record.seq;
            journal.remarks.push(format!("line {number}: record {found} instead of {expected_seq}; some are missing"));
        }
        expected_seq = record.seq.saturating_add(1);
        journal.records.push(record);
    }
    if journal.records.is_empty() {
        return Err(ReadError::Empty);
    }
    Ok(journal)
}

/// Whether this version knows an event of this name.
pub fn is_known(event: &str) -> bool {
    Event::NAMES.contains(&event)
}

/// Parses one line like [`parse`]; `None` for an event of a later version.
///
/// # Errors
/// It is no event, or the start of a journal in a newer format.
pub fn record_of(line: &[u8]) -> Result<Option<Record>, ReadError> {
    let damaged = |error: serde_json::Error| damaged(1, &error);
    let peek: Peek = serde_json::from_slice(line).map_err(damaged)?;
    if let Some(found) = peek.format.filter(|found| *found > JOURNAL_FORMAT) {
        return Err(ReadError::Newer { found });
    }
    if is_known(&peek.event) { serde_json::from_slice(line).map(Some).map_err(damaged) } else { Ok(None) }
}

/// The parser only sees one line, so it always reports line 1.
pub fn damaged(line: usize, error: &serde_json::Error) -> ReadError {
    ReadError::Damaged { line, why: error.to_string().replace(" at line 1 column ", " at column ") }
}

/// Whether a journal may begin with this event, in a format that this version reads.
pub fn check_first(event: &str, format: Option<u32>) -> Result<(), ReadError> {
    match format {
        Some(found) if found > JOURNAL_FORMAT => Err(ReadError::Newer { found }),
        Some(_) if event == "run-started" => Ok(()),
        _ => Err(ReadError::NotAJournal),
    }
}

#[cfg(test)]
mod tests;
