//! A run's journal: windows, or all of it.

use base::names::RunId;
use rusqlite::{Connection, params};

use super::run_detail::{by_name, unpacked};
use crate::{Db, HistoryError};
use journal::event::Record;
use journal::fold::{RunView, fold};

/// Maximum number of lines in a window.
pub const WINDOW: u64 = 2000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Its number, from 0: in a journal without gaps the record's `seq`.
    pub number: u64,
    /// The text without the line break.
    pub text: String,
}

impl JournalLine {
    /// Its record; `None` if this version does not know the event, or the line is damaged.
    pub fn record(&self) -> Option<Record> {
        serde_json::from_str(&self.text).ok()
    }
}

/// A run's complete journal.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecords {
    /// The view that every report renders. A live run has no end in it.
    pub view: RunView,
    /// In order.
    pub records: Vec<Record>,
    /// Defects of the journal, a line each.
    pub remarks: Vec<String>,
}

impl Db {
    /// Lines of a run's journal from number `from`, at most `count` and [`WINDOW`]; empty after the end, `None` if the
    /// history does not have the run. Reads only the chunks with these lines.
    pub fn window(&self, run: &RunId, from: u64, count: u64) -> Result<Option<Vec<JournalLine>>, HistoryError> {
        let to = from.saturating_add(count.min(WINDOW));
        self.ask(|sql| {
            let Some((id, _)) = by_name(sql, run)? else { return Ok(None) };
            lines(sql, id, from, to).map(Some)
        })
    }

    /// A run's complete journal, folded; `None` if the history does not have it.
    pub fn told(&self, run: &RunId) -> Result<Option<RunRecords>, HistoryError> {
        self.ask(|sql| {
            let Some((id, row)) = by_name(sql, run)? else { return Ok(None) };
            let records: Vec<Record> = lines(sql, id, 0, u64::MAX)?.iter().filter_map(JournalLine::record).collect();
            let view = fold(&records).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            Ok(Some(RunRecords { view, records, remarks: row.remarks }))
        })
    }
}

/// The lines with these numbers.
pub(super) fn lines(sql: &Connection, id: i64, from: u64, to: u64) -> rusqlite::Result<Vec<JournalLine>> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut ask = sql.prepare_cached(
        "SELECT first, bytes, data FROM chunks WHERE run = ?1 AND first < ?3
            AND first >= coalesce((SELECT max(first) FROM chunks WHERE run = ?1 AND first <= ?2), 0) ORDER BY first",
    )?;
    let mut rows = ask.query(params![id, signed(from), signed(to)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let first: u64 = row.get(0)?;
        let raw = unpacked(row.get_ref(2)?.as_blob()?, row.get(1)?)?;
        for (line, number) in raw.split_inclusive(|byte| *byte == b'\n').zip(first..) {
            if (from..to).contains(&number) {
                let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line)).into_owned();
                found.push(JournalLine { number, text });
            }
        }
    }
    Ok(found)
}
