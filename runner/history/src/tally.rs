//! What the tables hold of a run, made line by line from its journal. Pure.

use std::borrow::Cow;

use serde::Deserialize;

use super::chunk::Chunk;
use journal::event::{CheckResult, Event, Record, Stage};
use journal::fold::RunView;

use journal::ReadError;
use journal::text::one_line;

/// Remarks that are kept of one journal; a journal that is strange throughout says it often enough.
const REMARKS: usize = 20;

/// A run so far.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    /// The view of its records, without what only the journal needs to hold: checks, output, logs.
    pub(super) view: RunView,
    /// Lines that were taken.
    pub(super) lines: u64,
    /// Bytes of these lines.
    pub(super) bytes: u64,
    /// What is wrong with the journal, a line each.
    pub(super) remarks: Vec<String>,
    /// Checks that no table has yet, each with its line.
    pub(super) checks: Vec<(u64, Stage, CheckResult)>,
    /// Pieces that are full, and that no table has yet.
    pub(super) full: Vec<Chunk>,
    /// The piece that grows.
    pub(super) open: Chunk,
    expected_seq: u64,
}

/// What is read of every line. The rest only where the tables hold something of it.
#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    format: Option<u32>,
    seq: u64,
    ms: u64,
}

impl Tally {
    /// Begins with a journal's first line.
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

    /// Takes the next line, whatever it is: what cannot be read is kept and told.
    pub(super) fn take(&mut self, line: &[u8]) {
        let number = self.lines + 1;
        match self.read(line, number) {
            Ok(()) => {}
            Err(why) => self.remark(format!("line {number} is damaged: {why}")),
        }
        self.keep(line);
    }

    /// Writes down what is wrong with the journal.
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
            self.remark(format!("line {number}: record {found} where {expected} was due; some are missing"));
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

    /// Whether a text is what a line begins to be, or a whole one.
    pub(super) fn is_whole(line: &[u8]) -> bool {
        serde_json::from_slice::<Peek<'_>>(line).is_ok()
    }
}
