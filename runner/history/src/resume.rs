//! Where an import goes on: what the tables have of a run, as a tally again.

use rusqlite::Connection;

use super::chunk::unpack;
use super::tally::Tally;
use super::write::{self, Known};

/// The tally to go on with, and what the tables have; nothing of either where the import begins again.
pub(super) fn go_on(
    db: &Connection,
    tally: Option<Tally>,
    known: Option<Known>,
    len: u64,
) -> rusqlite::Result<(Option<Tally>, Option<Known>)> {
    let Some(known) = known else { return Ok((None, None)) };
    // A file that is shorter than what was read of it, or longer than when nobody was left to write, is another one.
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

/// The tally of what is in the tables; none where the pieces are not what the row says.
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
