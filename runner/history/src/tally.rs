//! A run's rows, computed line by line from its journal. Pure.

use std::borrow::Cow;

use serde::Deserialize;

use super::chunk::Chunk;
use journal::event::{CheckResult, Event, Record, Stage};
use journal::fold::RunView;

use journal::ReadError;
use journal::text::one_line;

/// Maximum number of remarks on one journal.
const REMARKS: usize = 20;

/// A run so far.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    /// The view of its records, without checks, output and logs, which only the journal has.
    pub(super) view: RunView,
    /// Number of lines.
    pub(super) lines: u64,
    /// Bytes of these lines.
    pub(super) bytes: u64,
    /// Defects of the journal, a line each.
    pub(super) remarks: Vec<String>,
    /// Checks to write, each with its line.
    pub(super) checks: Vec<(u64, Stage, CheckResult)>,
    /// Full chunks to write.
    pub(super) full: Vec<Chunk>,
    /// The chunk that grows.
    pub(super) open: Chunk,
    expected_seq: u64,
}

/// The part that is parsed of every line. The rest is only parsed if a table needs it.
#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    format: Option<u32>,
    seq: u64,
    ms: u64,
}

impl Tally {
    /// Starts with a journal's first line.
    pub(super) fn begin(line: &[u8]) -> Result<Self, ReadError> {
        let peek: Peek<'_> = serde_json::from_slice(line).map_err(|_| ReadError::NotAJournal)?;
        journal::check_first(&peek.event, peek.format)?;
        let record: Record = serde_json::from_slice(line).map_err(|error| journal::damaged(1, &error))?;
        let view = RunView::begin(&record).map_err(|_| ReadError::NotAJournal)?;
        let mut tally = Self {
            view,
            lines: 0,
            bytes: 0,
            remarks: Vec::new(),
            checks: Vec::new(),
            full: Vec::new(),
            open: Chunk::default(),
            expected_seq: record.seq.saturating_add(1),
        };
        tally.keep(line);
        Ok(tally)
    }

    /// Adds the next line; an unreadable one is stored with a remark.
    pub(super) fn take(&mut self, line: &[u8]) {
        let number = self.lines + 1;
        match self.read(line, number) {
            Ok(()) => {}
            Err(why) => self.remark(format!("line {number} is damaged: {why}")),
        }
        self.keep(line);
    }

    /// Adds a defect of the journal.
    pub(super) fn remark(&mut self, remark: String) {
        if self.remarks.len() < REMARKS {
            self.remarks.push(remark);
        }
    }

    fn read(&mut self, line: &[u8], number: u64) -> Result<(), serde_json::Error> {
        let peek: Peek<'_> = serde_json::from_slice(line)?;
        if !journal::is_known(&peek.event) {
            let event = one_line(&peek.event, 60);
            self.remark(format!("line {number}: the unknown event {event:?} was left out"));
            self.expected_seq = self.expected_seq.saturating_add(1);
            return Ok(());
        }
        if peek.seq != self.expected_seq {
            let (found, expected) = (peek.seq, self.expected_seq);
            self.remark(format!("line {number}: record {found} instead of {expected}; some are missing"));
        }
        self.expected_seq = peek.seq.saturating_add(1);
        self.view.took_ms = self.view.took_ms.max(peek.ms);
        if matches!(&*peek.event, "abra-called" | "noted" | "service-logs" | "task-history" | "compose-deployed") {
            return Ok(());
        }
        let record: Record = serde_json::from_slice(line)?;
        match record.event {
            Event::CheckEnded { stage, check } => self.checks.push((number - 1, stage, check)),
            _ => self.view.apply(&record),
        }
        Ok(())
    }

    fn keep(&mut self, line: &[u8]) {
        self.lines += 1;
        self.bytes += line.len() as u64;
        self.open.push(line);
        if self.open.is_full() {
            self.full.push(std::mem::replace(&mut self.open, Chunk::at(self.lines)));
        }
    }

    /// Whether a text is a complete line rather than the start of one.
    pub(super) fn is_whole(line: &[u8]) -> bool {
        serde_json::from_slice::<Peek<'_>>(line).is_ok()
    }
}
