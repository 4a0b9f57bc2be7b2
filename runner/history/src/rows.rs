//! Rows of stages and checks.

use base::failure::Cause;
use rusqlite::Row;

use super::row::word_of;
use journal::event::{Origin, Outcome, Stage};

/// One stage of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRow {
    pub stage: Stage,
    pub state: StageState,
    /// Who has to act, if it is red or blocked.
    pub cause: Option<Cause>,
    /// The code of its failure.
    pub kind: Option<String>,
    /// The failure in one line.
    pub what: Option<String>,
    /// Why it was or will be skipped, or what blocked it.
    pub reason: Option<String>,
    /// Its current activity.
    pub busy_with: Option<String>,
    /// Milliseconds from the run's start to its own.
    pub from_ms: Option<u64>,
    /// Its duration in milliseconds.
    pub took_ms: Option<u64>,
    /// The median duration of earlier runs in milliseconds, from the journal.
    pub expected_ms: Option<u64>,
    /// The peak memory of the run's apps, in bytes.
    pub memory_peak: Option<u64>,
    /// Their disk usage at its end, in bytes.
    pub disk: Option<u64>,
}

/// A stage's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageState {
    /// It has not begun.
    Waiting,
    /// It has begun and not ended; in a run without an end, the kill struck it.
    Running,
    Ended(Outcome),
}

/// The columns that [`stage_row`] reads, of the table or alias `s`.
pub(super) const STAGE: &str = "s.stage, s.state, s.cause, s.kind, s.what, s.reason, s.busy_with, s.from_ms, s.took_ms, \
    s.expected_ms, s.memory_peak, s.disk";

/// A stage from a row whose columns begin at `from`; `None` if only a later cc-ci knows it.
pub(super) fn stage_row(row: &Row<'_>, from: usize) -> rusqlite::Result<Option<StageRow>> {
    let Some(stage) = word_of(&row.get::<_, String>(from)?) else { return Ok(None) };
    let state: String = row.get(from + 1)?;
    let state = match word_of(&state) {
        Some(outcome) => StageState::Ended(outcome),
        None if state == "running" => StageState::Running,
        None => StageState::Waiting,
    };
    Ok(Some(StageRow {
        stage,
        state,
        cause: row.get::<_, Option<String>>(from + 2)?.and_then(|text| word_of(&text)),
        kind: row.get(from + 3)?,
        what: row.get(from + 4)?,
        reason: row.get(from + 5)?,
        busy_with: row.get(from + 6)?,
        from_ms: row.get(from + 7)?,
        took_ms: row.get(from + 8)?,
        expected_ms: row.get(from + 9)?,
        memory_peak: row.get(from + 10)?,
        disk: row.get(from + 11)?,
    }))
}

/// One check of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    /// The line of its record in the journal, from 0, which has its evidence.
    pub line: u64,
    pub stage: Stage,
    pub name: String,
    pub origin: Origin,
    pub outcome: Outcome,
    /// Who has to act, if it is red or blocked.
    pub cause: Option<Cause>,
    /// The code of its failure.
    pub kind: Option<String>,
    /// One line: the evidence, why it was skipped, or the failure.
    pub text: String,
    /// Its duration in milliseconds.
    pub took_ms: u64,
}

/// The columns that [`check_row`] reads, of the table or alias `c`.
pub(super) const CHECK: &str = "c.line, c.stage, c.name, c.origin, c.outcome, c.cause, c.kind, c.text, c.took_ms";

pub(super) fn check_row(row: &Row<'_>) -> rusqlite::Result<Option<CheckRow>> {
    let stage = word_of(&row.get::<_, String>(1)?);
    let origin = word_of(&row.get::<_, String>(3)?);
    let outcome = word_of(&row.get::<_, String>(4)?);
    let (Some(stage), Some(origin), Some(outcome)) = (stage, origin, outcome) else { return Ok(None) };
    Ok(Some(CheckRow {
        line: row.get(0)?,
        stage,
        name: row.get(2)?,
        origin,
        outcome,
        cause: row.get::<_, Option<String>>(5)?.and_then(|text| word_of(&text)),
        kind: row.get(6)?,
        text: row.get(7)?,
        took_ms: row.get(8)?,
    }))
}
