//! A damaged database: set aside, and its readable parts salvaged into the new one.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use base::names::RunId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::change::{HistoryChange, SetAside};
use super::chunk::unpack;
use super::error::HistoryError;
use super::import::{Source, Stop, Writer, change, take};
use super::open::open_to_read;
use super::store::History;
use super::{files, write};
use journal::event::{Event, Record};
use journal::run_dir::RunDir;

/// Logs it.
pub(super) fn tell(set_aside: SetAside) -> SetAside {
    tracing::error!("the history {set_aside}; it is rebuilt from the journals");
    set_aside
}

/// Sets the writer's database aside and opens an empty one. Returns the old one's new path, if there is one.
pub(super) fn replace(writer: &mut Writer) -> Result<Option<PathBuf>, HistoryError> {
    let in_place = writer.is_in_place()?;
    let nothing = Connection::open_in_memory().map_err(|error| HistoryError::of(&writer.place.file(), &error))?;
    let old = writer.replace(nothing);
    // No checkpoint of its log: that could damage intact parts.
    let _ = old.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    drop(old);
    let aside = writer.place.set_aside(in_place)?;
    writer.replace(writer.place.to_write()?);
    Ok(aside)
}

/// The readable part of a run.
struct Saved {
    run: RunId,
    journal: Vec<u8>,
    files: Vec<(String, Vec<u8>)>,
}

impl History {
    /// Whether no database is set aside in the state folder.
    pub(super) fn nothing_to_salvage(&self) -> bool {
        self.place().broken().is_empty()
    }

    /// Salvages the readable runs of databases that were set aside, once each, and returns their number. Runs in the
    /// history or with a folder are skipped. Blocking.
    ///
    /// # Errors
    /// The history cannot be written.
    pub fn salvage(&self) -> Result<u64, HistoryError> {
        let mut all = 0;
        for path in self.place().broken() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let done = self.write(|writer| {
                let sql = "SELECT runs FROM salvaged WHERE file = ?1";
                let done = writer.db.query_row(sql, [&name], |row| row.get::<_, u64>(0)).optional();
                done.map_err(|error| HistoryError::of(&writer.place.file(), &error))
            })?;
            if done.is_some() {
                continue;
            }
            let saved = self.salvage_one(&path)?;
            self.write(|writer| {
                let sql = "INSERT OR REPLACE INTO salvaged (file, runs) VALUES (?1, ?2)";
                let put = writer.db.execute(sql, params![name, i64::try_from(saved).unwrap_or(i64::MAX)]);
                put.map_err(|error| HistoryError::of(&writer.place.file(), &error))
            })?;
            tracing::warn!("{saved} runs were saved from {}", path.display());
            all += saved;
        }
        Ok(all)
    }

    /// Imports a journal without a folder, of a run that is over. Blocking.
    pub fn put(&self, run: RunId, journal: Vec<u8>) -> Result<(), HistoryError> {
        let saved = Saved { run, journal, files: Vec::new() };
        self.write(|writer| put(writer, &saved)).map(drop)
    }

    fn salvage_one(&self, path: &Path) -> Result<u64, HistoryError> {
        // If even this fails there is nothing to salvage.
        let Ok(old) = open_to_read(path) else { return Ok(0) };
        let mut count = 0;
        for (id, run) in runs(&old) {
            let Some(saved) = read(&old, id, run) else { continue };
            if RunDir::of(self.state(), &saved.run).journal().exists() {
                continue;
            }
            if let Some(change) = self.write(|writer| put(writer, &saved))? {
                self.tell(HistoryChange::Run(change));
                count += 1;
            }
        }
        Ok(count)
    }
}

/// The numbers of runs in a damaged database, with their names if readable. Since damage ends an iteration, every table
/// is read from both ends.
fn runs(old: &Connection) -> BTreeMap<i64, Option<RunId>> {
    let mut found = BTreeMap::new();
    for order in ["ASC", "DESC"] {
        for (sql, named) in [
            (format!("SELECT DISTINCT run, '' FROM chunks ORDER BY run {order}"), false),
            (format!("SELECT id, run FROM runs ORDER BY id {order}"), true),
        ] {
            let Ok(mut statement) = old.prepare(&sql) else { continue };
            let Ok(mut rows) = statement.query([]) else { continue };
            while let Ok(Some(row)) = rows.next() {
                let Ok(id) = row.get::<_, i64>(0) else { continue };
                let name = if named { row.get::<_, String>(1).ok().and_then(|name| name.parse().ok()) } else { None };
                let known = found.entry(id).or_insert(None);
                if name.is_some() {
                    *known = name;
                }
            }
        }
    }
    found
}

/// The journal of a run up to the first unreadable chunk; `None` if that is the first.
fn read(old: &Connection, id: i64, run: Option<RunId>) -> Option<Saved> {
    let mut journal = Vec::new();
    let mut next = 0;
    let mut statement =
        old.prepare("SELECT first, lines, bytes, data FROM chunks WHERE run = ?1 ORDER BY first").ok()?;
    let mut rows = statement.query([id]).ok()?;
    while let Ok(Some(row)) = rows.next() {
        let piece = || -> Option<(u64, u64, Vec<u8>)> {
            let data = row.get::<_, Vec<u8>>(3).ok()?;
            Some((row.get(0).ok()?, row.get(1).ok()?, unpack(&data, row.get(2).ok()?).ok()?))
        };
        let Some((first, lines, raw)) = piece().filter(|(first, ..)| *first == next) else { break };
        next = first + lines;
        journal.extend(raw);
    }
    let first = journal.split_inclusive(|byte| *byte == b'\n').next()?;
    let run = match run {
        Some(run) => run,
        None => match serde_json::from_slice::<Record>(first).ok()?.event {
            Event::RunStarted(started) => started.run,
            _ => return None,
        },
    };
    Some(Saved { run, journal, files: read_files(old, id) })
}

fn read_files(old: &Connection, id: i64) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let Ok(mut statement) = old.prepare("SELECT name, bytes, data FROM files WHERE run = ?1") else { return found };
    let Ok(mut rows) = statement.query([id]) else { return found };
    while let Ok(Some(row)) = rows.next() {
        let file = || -> Option<(String, Vec<u8>)> {
            Some((row.get(0).ok()?, unpack(&row.get::<_, Vec<u8>>(2).ok()?, row.get(1).ok()?).ok()?))
        };
        found.extend(file());
    }
    found
}

/// Writes a salvaged run; `None` if the history has the run, or the content is no journal.
fn put(writer: &mut Writer, saved: &Saved) -> Result<Option<super::RunChange>, HistoryError> {
    let path = writer.place.file();
    let mut work = || -> Result<Option<super::RunChange>, Stop> {
        if write::known(&writer.db, &saved.run)?.is_some() {
            return Ok(None);
        }
        let tx = writer.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut read = Cursor::new(&saved.journal);
        let source = Source { run: &saved.run, read: &mut read, over: true };
        let Some(done) = take(&tx, None, source)? else { return Ok(None) };
        for (name, data) in &saved.files {
            files::put(&tx, done.id, name, data)?;
        }
        write::latest(&tx, &done.tally.view.started.recipe)?;
        tx.commit()?;
        Ok(Some(change(&saved.run, None, &done)))
    };
    match work() {
        Ok(change) => Ok(change),
        Err(Stop::Sql(error)) => Err(HistoryError::of(&path, &error)),
        Err(Stop::File(error)) => Err(HistoryError::io(&path, &error)),
        Err(Stop::Journal(_)) => Ok(None),
    }
}
