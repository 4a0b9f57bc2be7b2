//! Migrations of the database. A released migration never changes.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::HistoryError;

/// Migration n creates version n from version n - 1; version 0 is an empty file.
pub(super) const STEPS: &[&str] = &[include_str!("steps/0001_runs.sql"), include_str!("steps/0002_latest.sql")];

/// The version that this program reads and writes.
pub const VERSION: u32 = STEPS.len() as u32;

/// The version of a database.
pub(super) fn version(db: &Connection) -> rusqlite::Result<u32> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Migrates a database to this program's version, one transaction for each migration.
pub(super) fn go(db: &mut Connection, path: &Path) -> Result<(), HistoryError> {
    let of = |error: rusqlite::Error| HistoryError::of(path, &error);
    let found = version(db).map_err(of)?;
    if found > VERSION {
        return Err(HistoryError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    for (at, step) in STEPS.iter().enumerate().skip(found as usize) {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(of)?;
        tx.execute_batch(step).map_err(of)?;
        tx.pragma_update(None, "user_version", at + 1).map_err(of)?;
        tx.commit().map_err(of)?;
    }
    Ok(())
}
