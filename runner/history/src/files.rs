//! Files of a run's tests, such as a browser's pictures.

use std::io;

use rusqlite::{Connection, params};

use super::chunk::pack;
use super::import::Stop;
use journal::plain_file::read;
use journal::run_dir::RunDir;

/// Maximum size of a file.
const LARGEST: u64 = 8 << 20;
/// Maximum size of all files of a run.
const ALL: u64 = 64 << 20;
/// Maximum number of files of a run.
const MOST: usize = 200;

/// Imports the files of `artifacts/` into the database. Untrusted tests write there, so only regular files are opened;
/// a skipped file stays in the folder, and the folder is kept.
pub(super) fn take(db: &Connection, id: i64, dir: &RunDir) -> Result<(), Stop> {
    let entries = match std::fs::read_dir(dir.artifacts()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let (mut bytes, mut count, mut left_out) = (0, 0, 0_i64);
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            left_out += 1;
            continue;
        };
        let data = read(&entry.path(), LARGEST.min(ALL - bytes))?.filter(|_| count < MOST);
        let Some(data) = data else {
            left_out += 1;
            continue;
        };
        put(db, id, &name, &data)?;
        bytes += data.len() as u64;
        count += 1;
    }
    db.prepare_cached("UPDATE runs SET left_out = ?2 WHERE id = ?1")?.execute(params![id, left_out])?;
    Ok(())
}

pub(super) fn put(db: &Connection, id: i64, name: &str, data: &[u8]) -> Result<(), Stop> {
    let packed = pack(data)?;
    db.prepare_cached("INSERT OR REPLACE INTO files (run, name, bytes, data) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id, name, i64::try_from(data.len()).unwrap_or(i64::MAX), packed])?;
    Ok(())
}
