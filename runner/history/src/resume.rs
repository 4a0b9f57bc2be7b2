//! Resumes an import: restores a run's tally from the tables.

use rusqlite::Connection;

use super::chunk::unpack;
use super::tally::Tally;
use super::write::{self, Known};

/// The tally to resume with, and the rows in the tables; neither if the import starts over.
pub(super) fn go_on(
    db: &Connection,
    tally: Option<Tally>,
    known: Option<Known>,
    len: u64,
) -> rusqlite::Result<(Option<Tally>, Option<Known>)> {
    let Some(known) = known else { return Ok((None, None)) };
    // A file that is shorter than the imported part, or longer than when it was final, was replaced.
    if len >= known.bytes && !(known.sealed && len != known.file_bytes) {
        let tally = tally.filter(|tally| (tally.lines, tally.bytes) == (known.lines, known.bytes));
        let tally = match tally {
            Some(tally) => Some(tally),
            None => reload(db, &known)?,
        };
        if tally.is_some() {
            return Ok((tally, Some(known)));
        }
    }
    write::forget(db, known.id)?;
    Ok((None, None))
}

/// The tally of the tables' rows; `None` if the chunks do not match the run's row.
pub(super) fn reload(db: &Connection, known: &Known) -> rusqlite::Result<Option<Tally>> {
    let mut tally: Option<Tally> = None;
    let mut chunks = db.prepare_cached("SELECT bytes, data FROM chunks WHERE run = ?1 ORDER BY first")?;
    let mut rows = chunks.query([known.id])?;
    while let Some(row) = rows.next()? {
        let Ok(raw) = unpack(row.get_ref(1)?.as_blob().unwrap_or_default(), row.get(0)?) else { return Ok(None) };
        for line in raw.split_inclusive(|byte| *byte == b'\n') {
            match &mut tally {
                Some(tally) => tally.take(line),
                None => match Tally::begin(line) {
                    Ok(begun) => tally = Some(begun),
                    Err(_) => return Ok(None),
                },
            }
        }
        if let Some(tally) = &mut tally {
            tally.checks.clear();
            tally.full.clear();
        }
    }
    Ok(tally.filter(|tally| (tally.lines, tally.bytes) == (known.lines, known.bytes)))
}
