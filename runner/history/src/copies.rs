//! Multiplies a few runs to a large history for the bench: copies their rows under other names and times. The journals
//! of copies equal the original's.

use std::collections::BTreeSet;

use base::names::RunId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::error::HistoryError;
use super::store::{Db, History};
use super::write;
use journal::event::RunStarted;

/// A run that differs from another one in its name, time and tested revision.
#[derive(Debug)]
pub struct Copy {
    /// The original, which is in the history.
    pub of: RunId,
    /// The copy's name and tested revision.
    pub started: RunStarted,
    pub at: Timestamp,
}

impl Db {
    pub fn names(&self) -> Result<BTreeSet<String>, HistoryError> {
        self.ask(|db| db.prepare("SELECT run FROM runs")?.query_map([], |row| row.get(0))?.collect())
    }
}

impl History {
    /// Writes copies directly into the file: an interrupted call destroys the history. Blocking, and needs exclusive
    /// access.
    ///
    /// # Errors
    /// A copy exists already, or the disk refuses.
    pub fn copy(&self, copies: &[Copy]) -> Result<(), HistoryError> {
        let path = self.file();
        self.forget_readers();
        self.write(|writer| {
            let mut work = || -> rusqlite::Result<()> {
                // A write-ahead log would be a second gigabyte, with a checksum for each page.
                let mode = |mode: &str| writer.db.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(()));
                mode("OFF")?;
                let tx = writer.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
                for one in copies {
                    copy(&tx, one)?;
                }
                let recipes: BTreeSet<_> = copies.iter().map(|one| &one.started.recipe).collect();
                recipes.into_iter().try_for_each(|recipe| write::latest(&tx, recipe))?;
                tx.commit()?;
                writer.db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
            };
            work().map_err(|error| HistoryError::of(&path, &error))
        })
    }
}

fn copy(db: &Connection, one: &Copy) -> rusqlite::Result<()> {
    let of: Option<i64> = db
        .prepare_cached("SELECT id FROM runs WHERE run = ?1")?
        .query_row([one.of.as_str()], |row| row.get(0))
        .optional()?;
    let Some(of) = of else { return Ok(()) };
    let same =
        "head_subject, source, host, cc_ci, only_json, took_ms, worked_ms, state, tone, word, cause, kind, stage, line,
        look_at, telling, lines, bytes, file_bytes, sealed, remarks_json, left_out";
    let sql = format!(
        "INSERT INTO runs (run, recipe, head, head_version, base, pull, at_ms, {same})
        SELECT ?2, ?3, ?4, ?5, ?6, ?7, ?8, {same} FROM runs WHERE id = ?1"
    );
    let started = &one.started;
    db.prepare_cached(&sql)?.execute(params![
        of,
        started.run.as_str(),
        started.recipe.as_str(),
        started.head.as_str(),
        started.head_version,
        started.base,
        started.pull_request.map(|pull| i64::try_from(pull).unwrap_or(i64::MAX)),
        one.at.as_millisecond(),
    ])?;
    let id = db.last_insert_rowid();
    for (table, columns) in [
        (
            "stages",
            "stage, place, state, cause, kind, what, reason, busy_with, from_ms, took_ms, expected_ms, memory_peak, disk",
        ),
        ("checks", "line, stage, name, origin, outcome, cause, kind, text, took_ms"),
        ("chunks", "first, lines, bytes, data"),
    ] {
        let sql = format!("INSERT INTO {table} (run, {columns}) SELECT ?2, {columns} FROM {table} WHERE run = ?1");
        db.prepare_cached(&sql)?.execute([of, id])?;
    }
    Ok(())
}
