//! Imports a run's journal into the tables in one transaction, from where the last import ended.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};

use base::names::RunId;
use rusqlite::{Connection, TransactionBehavior};

use super::change::{ChangeKind, RunChange};
use super::error::HistoryError;
use super::files;
use super::open::{DatabasePath, FileIdentity};
use super::resume::{go_on, reload};
use super::row::RunState;
use super::tally::Tally;
use super::write::{self, Extent, Known};
use journal::ReadError;
use journal::plain_file;
use journal::run_dir::RunDir;

/// Maximum size of a line.
const LONGEST: u64 = 256 << 20;

/// The connection that writes.
pub(super) struct Writer {
    pub(super) db: Connection,
    file: Option<FileIdentity>,
    pub(super) place: DatabasePath,
    /// Runs whose journals grow, so that no line is read twice.
    tallies: HashMap<RunId, Tally>,
    /// The exclusive right to write, as long as it is held.
    _lock: File,
}

/// Why an import stops early.
pub(super) enum Stop {
    Sql(rusqlite::Error),
    File(io::Error),
    Journal(ReadError),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Journal(error)
    }
}

/// The source of a run's lines.
pub(super) struct Source<'a> {
    pub(super) run: &'a RunId,
    pub(super) read: &'a mut dyn BufRead,
    /// Whether the journal is final.
    pub(super) over: bool,
}

/// A run's state after an import.
pub(super) struct Done {
    pub(super) id: i64,
    pub(super) tally: Tally,
    pub(super) extent: Extent,
}

impl Writer {
    pub(super) fn new(db: Connection, place: DatabasePath, lock: File) -> Self {
        let file = place.identity().ok().flatten();
        Self { db, file, place, tallies: HashMap::new(), _lock: lock }
    }

    /// Whether the open database is still the file at its path.
    ///
    /// # Errors
    /// The disk cannot be queried.
    pub(super) fn is_in_place(&self) -> Result<bool, HistoryError> {
        Ok(self.file.is_some() && self.file == self.place.identity()?)
    }

    /// Replaces the connection by one to another database.
    pub(super) fn replace(&mut self, db: Connection) -> Connection {
        self.tallies.clear();
        // The temporary database in memory has no file.
        self.file = db.path().filter(|path| !path.is_empty()).and_then(|_| self.place.identity().ok().flatten());
        std::mem::replace(&mut self.db, db)
    }

    /// Imports the new lines of a run's folder; `None` if there are none. `over` was determined before.
    pub(super) fn import(&mut self, run: &RunId, dir: &RunDir, over: bool) -> Result<Option<RunChange>, HistoryError> {
        let path = self.place.file();
        // A tally with uncommitted changes would be wrong, so it is only put back at the end.
        let tally = self.tallies.remove(run);
        match self.import_from(run, dir, over, tally) {
            Ok(change) => Ok(change),
            Err(Stop::Sql(error)) => Err(HistoryError::of(&path, &error)),
            Err(Stop::File(error)) => Err(HistoryError::io(dir.path(), &error)),
            Err(Stop::Journal(why)) => Err(HistoryError::Journal { run: run.to_string(), why }),
        }
    }

    /// Ends runs that are live in the tables and whose folders are gone.
    pub(super) fn end_killed(&mut self) -> Result<Vec<RunChange>, HistoryError> {
        let path = self.place.file();
        let mut work = || -> Result<Vec<RunChange>, Stop> {
            let mut changes = Vec::new();
            for run in write::live(&self.db)? {
                if RunDir::of(self.place.state(), &run).path().exists() {
                    continue;
                }
                let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let known = write::known(&tx, &run)?;
                let tally = known.as_ref().map(|known| reload(&tx, known)).transpose()?.flatten();
                let source = Source { run: &run, read: &mut io::empty(), over: true };
                if let (Some(tally), Some(known)) = (tally, known)
                    && let Some(done) = take(&tx, Some(tally), source)?
                {
                    write::latest(&tx, &done.tally.view.started.recipe)?;
                    changes.push(change(&run, Some(&known), &done));
                }
                tx.commit()?;
            }
            Ok(changes)
        };
        match work() {
            Ok(changes) => Ok(changes),
            Err(Stop::Sql(error)) => Err(HistoryError::of(&path, &error)),
            Err(Stop::File(error)) => Err(HistoryError::Corrupt { path, why: error.to_string() }),
            Err(Stop::Journal(why)) => Err(HistoryError::Corrupt { path, why: why.to_string() }),
        }
    }

    fn import_from(
        &mut self,
        run: &RunId,
        dir: &RunDir,
        over: bool,
        tally: Option<Tally>,
    ) -> Result<Option<RunChange>, Stop> {
        let mut file = match plain_file::open(&dir.journal()) {
            Ok(Some(file)) => file,
            Ok(None) => return Err(io::Error::other("the journal is no file").into()),
            // It has not begun, or belongs to a provider, which has no journal.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let meta = file.metadata()?;
        let before = write::known(&self.db, run)?;
        if let Some(known) = before.as_ref().filter(|known| known.file_bytes == meta.len()) {
            let nothing_new = known.sealed || !over && known.bytes == meta.len();
            if nothing_new {
                self.tallies.extend(tally.map(|tally| (run.clone(), tally)));
                return Ok(None);
            }
        }
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (tally, known) = go_on(&tx, tally, before.clone(), meta.len())?;
        let from = tally.as_ref().map_or(0, |tally| tally.bytes);
        file.seek(SeekFrom::Start(from))?;
        let mut read = BufReader::with_capacity(64 * 1024, file);
        let source = Source { run, read: &mut read, over };
        let Some(done) = take(&tx, tally, source)? else { return Ok(None) };
        if done.extent.state != RunState::Live {
            files::take(&tx, done.id, dir)?;
        }
        let change = change(run, known.as_ref(), &done);
        if change.kind != ChangeKind::Grew {
            write::latest(&tx, &done.tally.view.started.recipe)?;
        }
        tx.commit()?;
        if !done.extent.sealed {
            self.tallies.insert(run.clone(), done.tally);
        }
        Ok(Some(change))
    }
}

/// Reads all complete lines and writes their rows; `None` without a first line.
pub(super) fn take(db: &Connection, mut tally: Option<Tally>, source: Source<'_>) -> Result<Option<Done>, Stop> {
    let Source { run, read, over } = source;
    // Chunks need the run's number before its row can be complete.
    let begun = Extent { state: RunState::Live, file_bytes: 0, sealed: false };
    let mut id = None;
    let mut tail = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = read.take(LONGEST).read_until(b'\n', &mut line)?;
        if count == 0 {
            break;
        }
        // A partial line, from a kill or a write in progress, waits for its end.
        let whole = line.ends_with(b"\n") || over && Tally::is_whole(&line);
        if !whole {
            tail = count as u64;
            break;
        }
        let tally = match &mut tally {
            Some(tally) => {
                tally.take(&line);
                tally
            }
            None => tally.insert(Tally::begin(&line)?),
        };
        if !tally.full.is_empty() {
            let id = match id {
                Some(id) => id,
                None => *id.insert(write::run(db, run, tally, begun)?),
            };
            write::rest(db, id, tally)?;
        }
    }
    let Some(mut tally) = tally else {
        return if over { Err(ReadError::Empty.into()) } else { Ok(None) };
    };
    if over && tail > 0 {
        tally.remark(format!("line {}, the last one, is cut short and was left out", tally.lines + 1));
    }
    let state = match (&tally.view.verdict, over) {
        (Some(_), _) => RunState::Ended,
        (None, true) => RunState::NoEnd,
        (None, false) => RunState::Live,
    };
    let extent = Extent { state, file_bytes: tally.bytes + tail, sealed: over };
    let id = write::run(db, run, &tally, extent)?;
    write::rest(db, id, &mut tally)?;
    write::chunk(db, id, &tally.open)?;
    Ok(Some(Done { id, tally, extent }))
}

/// The change event of an import.
pub(super) fn change(run: &RunId, before: Option<&Known>, done: &Done) -> RunChange {
    let state = done.extent.state;
    let kind = if before.is_none_or(|known| known.state != state) && state != RunState::Live {
        if state == RunState::Ended { ChangeKind::Ended } else { ChangeKind::NoEnd }
    } else if done.extent.sealed {
        ChangeKind::Sealed
    } else if before.is_none() {
        ChangeKind::Began
    } else {
        ChangeKind::Grew
    };
    let from = before.map_or(0, |known| known.lines);
    let recipe = done.tally.view.started.recipe.clone();
    RunChange { run: run.clone(), recipe, kind, lines: from..done.tally.lines }
}
