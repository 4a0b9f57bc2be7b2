//! All rows of one run.

use base::names::RunId;
use rusqlite::{Connection, OptionalExtension as _};

use crate::chunk::unpack;
use crate::row::{RUN, RUN_COLUMNS, RunRow, run_row};
use crate::rows::{CHECK, CheckRow, STAGE, StageRow, check_row, stage_row};
use crate::{Db, HistoryError};

/// A run, its stages, its checks, and the names of its tests' files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneRun {
    pub run: RunRow,
    /// In order.
    pub stages: Vec<StageRow>,
    /// In the order in which they ended.
    pub checks: Vec<CheckRow>,
    /// By name.
    pub files: Vec<FileRow>,
}

/// A file of a test, such as a browser's picture (`.png`) or page (`.html`). An untrusted test may have written it:
/// derive its type only from the name, and never serve it as a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Its name below `artifacts/`, as in failures.
    pub name: String,
    pub bytes: u64,
}

impl Db {
    /// One run, if the history has it.
    pub fn run(&self, run: &RunId) -> Result<Option<OneRun>, HistoryError> {
        self.ask(|sql| {
            let Some((id, run)) = by_name(sql, run)? else { return Ok(None) };
            one(sql, id, run).map(Some)
        })
    }

    /// The live runs, newest first, with their stages and checks so far.
    pub fn live(&self) -> Result<Vec<OneRun>, HistoryError> {
        self.ask(|sql| {
            let ask =
                format!("SELECT {RUN}, r.id FROM runs r INDEXED BY runs_live WHERE r.state = 'live' ORDER BY r.at_ms DESC, r.run DESC");
            let mut ask = sql.prepare_cached(&ask)?;
            let found: Vec<(i64, RunRow)> = ask
                .query_map([], |row| Ok((row.get(RUN_COLUMNS)?, run_row(row)?)))?
                .collect::<rusqlite::Result<_>>()?;
            found.into_iter().map(|(id, run)| one(sql, id, run)).collect()
        })
    }

    /// A file of a run's tests by name.
    pub fn file(&self, run: &RunId, name: &str) -> Result<Option<Vec<u8>>, HistoryError> {
        self.ask(|sql| {
            let ask =
                "SELECT f.bytes, f.data FROM files f JOIN runs r ON r.id = f.run WHERE r.run = ?1 AND f.name = ?2";
            let mut ask = sql.prepare_cached(ask)?;
            ask.query_row([run.as_str(), name], |row| unpacked(row.get_ref(1)?.as_blob()?, row.get(0)?)).optional()
        })
    }
}

/// Decompresses a column; a failure means damage.
pub(super) fn unpacked(data: &[u8], bytes: u64) -> rusqlite::Result<Vec<u8>> {
    unpack(data, bytes).map_err(|error| {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        rusqlite::Error::SqliteFailure(code, Some(format!("a packed piece: {error}")))
    })
}

/// A run and its number.
pub(super) fn by_name(sql: &Connection, run: &RunId) -> rusqlite::Result<Option<(i64, RunRow)>> {
    let ask = format!("SELECT {RUN}, r.id FROM runs r WHERE r.run = ?1");
    sql.prepare_cached(&ask)?.query_row([run.as_str()], |row| Ok((row.get(RUN_COLUMNS)?, run_row(row)?))).optional()
}

/// Adds the other rows of a run.
pub(super) fn one(sql: &Connection, id: i64, run: RunRow) -> rusqlite::Result<OneRun> {
    let ask = format!("SELECT {STAGE} FROM stages s WHERE s.run = ?1 ORDER BY s.place");
    let mut stages = Vec::new();
    for stage in sql.prepare_cached(&ask)?.query_map([id], |row| stage_row(row, 0))? {
        stages.extend(stage?);
    }
    let mut ask = sql.prepare_cached("SELECT name, bytes FROM files WHERE run = ?1 ORDER BY name")?;
    let files = ask.query_map([id], |row| Ok(FileRow { name: row.get(0)?, bytes: row.get(1)? }))?;
    Ok(OneRun { run, stages, checks: checks(sql, id)?, files: files.collect::<rusqlite::Result<_>>()? })
}

fn checks(sql: &Connection, id: i64) -> rusqlite::Result<Vec<CheckRow>> {
    let ask = format!("SELECT {CHECK} FROM checks c WHERE c.run = ?1 ORDER BY c.line");
    let mut checks = Vec::new();
    for check in sql.prepare_cached(&ask)?.query_map([id], check_row)? {
        checks.extend(check?);
    }
    Ok(checks)
}
