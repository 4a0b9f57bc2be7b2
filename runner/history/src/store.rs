//! The public interface of the history: one writer, some readers, and a channel of changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::names::RunId;
use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore, broadcast};

use super::broken;
use super::change::{HistoryChange, RunChange, SetAside, WaitingChange};
use super::error::HistoryError;
use super::import::Writer;
use super::open::DatabasePath;
use journal::run_dir::RunDir;

/// Maximum number of concurrent queries; others wait.
const READERS: usize = 4;
/// Capacity of the channel of changes; a receiver that falls further behind has to query everything again.
const BEHIND: usize = 1024;

/// The history: `history.sqlite` in the state folder. Cheap to clone.
#[derive(Clone)]
pub struct History(Arc<Inner>);

struct Inner {
    place: DatabasePath,
    /// `None` if it is read-only.
    writer: Option<Mutex<Writer>>,
    /// Idle connections, each with the generation of its database.
    readers: Mutex<Vec<(u64, Connection)>>,
    /// Counts databases that were set aside.
    generation: AtomicU64,
    at_once: Semaphore,
    changes: broadcast::Sender<HistoryChange>,
    waiting: Mutex<BTreeMap<RunId, WaitingChange>>,
    set_aside: Mutex<Vec<SetAside>>,
    /// Damage that a reader found.
    damage: Mutex<Option<String>>,
    damaged: Notify,
}

/// The database, for one query.
pub struct Db {
    pub(super) sql: Connection,
    path: PathBuf,
}

impl Db {
    pub(super) fn ask<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, HistoryError> {
        // One transaction, so that all its statements see the same state.
        let moment = || ask(&*self.sql.unchecked_transaction()?);
        moment().map_err(|error| HistoryError::of(&self.path, &error))
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "History({})", self.0.place.file().display())
    }
}

impl History {
    /// Opens the history of a state folder for writing. A damaged database is set aside, see [`History::set_aside`],
    /// and an empty one is created, which a [`Follower`](super::Follower) fills. Blocking.
    ///
    /// # Errors
    /// [`HistoryError::Held`] if another cc-ci process writes it, [`HistoryError::Newer`], and errors of the disk.
    pub fn open(state: &Path) -> Result<Self, HistoryError> {
        let place = DatabasePath::of(state);
        let lock = place.lock()?;
        let mut set_aside = Vec::new();
        let db = match place.to_write() {
            Err(HistoryError::Corrupt { why, .. }) => {
                let path = place.set_aside(true)?;
                set_aside.push(broken::tell(SetAside { path, why }));
                place.to_write()?
            }
            other => other?,
        };
        Ok(Self::of(place.clone(), Some(Writer::new(db, place, lock)), set_aside))
    }

    /// Opens the history of a state folder read-only, in parallel with its writer. Blocking.
    ///
    /// # Errors
    /// It does not exist, or has another version.
    pub fn open_to_read(state: &Path) -> Result<Self, HistoryError> {
        let place = DatabasePath::of(state);
        let path = place.file();
        let db = place.to_read()?;
        let found = super::steps::version(&db).map_err(|error| HistoryError::of(&path, &error))?;
        match found.cmp(&super::VERSION) {
            std::cmp::Ordering::Equal => Ok(Self::of(place, None, Vec::new())),
            std::cmp::Ordering::Greater => Err(HistoryError::Newer { path, found, known: super::VERSION }),
            std::cmp::Ordering::Less => {
                let why = format!("it has the older version {found}; `cc-ci serve` brings it to {}", super::VERSION);
                Err(HistoryError::Io { path, why })
            }
        }
    }

    fn of(place: DatabasePath, writer: Option<Writer>, set_aside: Vec<SetAside>) -> Self {
        Self(Arc::new(Inner {
            place,
            writer: writer.map(Mutex::new),
            readers: Mutex::default(),
            generation: AtomicU64::new(0),
            at_once: Semaphore::new(READERS),
            changes: broadcast::Sender::new(BEHIND),
            waiting: Mutex::default(),
            set_aside: Mutex::new(set_aside),
            damage: Mutex::default(),
            damaged: Notify::new(),
        }))
    }

    pub fn state(&self) -> &Path {
        self.0.place.state()
    }

    pub fn file(&self) -> PathBuf {
        self.0.place.file()
    }

    /// Subscribes to all changes from now on.
    pub fn changes(&self) -> broadcast::Receiver<HistoryChange> {
        self.0.changes.subscribe()
    }

    /// Journals that could not be imported yet, and why.
    pub fn waiting(&self) -> Vec<WaitingChange> {
        lock(&self.0.waiting).values().cloned().collect()
    }

    /// Databases that were damaged and set aside since this one was opened.
    pub fn set_aside(&self) -> Vec<SetAside> {
        lock(&self.0.set_aside).clone()
    }

    /// Runs a query on a blocking thread.
    pub async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Db) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let bug = |what: String| HistoryError::Bug(what);
        let _one = self.0.at_once.acquire().await.map_err(|error| bug(error.to_string()))?;
        let history = self.clone();
        tokio::task::spawn_blocking(move || history.read_now(ask)).await.map_err(|error| bug(error.to_string()))?
    }

    /// Runs a query. Blocking.
    pub fn read_now<T>(&self, ask: impl FnOnce(&Db) -> Result<T, HistoryError>) -> Result<T, HistoryError> {
        let generation = self.0.generation.load(Ordering::Acquire);
        let mut readers = lock(&self.0.readers);
        readers.retain(|(of, _)| *of == generation);
        let idle = readers.pop();
        drop(readers);
        let sql = match idle {
            Some((_, sql)) => sql,
            None => self.0.place.to_read()?,
        };
        let db = Db { sql, path: self.file() };
        let answer = ask(&db);
        if let Err(HistoryError::Corrupt { why, .. }) = &answer {
            *lock(&self.0.damage) = Some(why.clone());
            self.0.damaged.notify_one();
        } else {
            let mut readers = lock(&self.0.readers);
            if readers.len() < READERS {
                readers.push((generation, db.sql));
            }
        }
        answer
    }

    /// Imports the new lines of a run and sends a change event; `None` without new lines. Blocking.
    ///
    /// A journal that cannot be imported stays in the run's folder and is in [`History::waiting`]. A damaged database
    /// is set aside; the run is the first in the new one.
    pub fn import(&self, dir: &RunDir) -> Result<Option<RunChange>, HistoryError> {
        // Checked first, so that the import reads everything that was written before.
        self.import_when(dir, !dir.may_grow())
    }

    /// The same, if it is known whether the run's process is gone.
    pub(super) fn import_when(&self, dir: &RunDir, over: bool) -> Result<Option<RunChange>, HistoryError> {
        let name = dir.path().file_name().unwrap_or_default().to_string_lossy();
        let run: RunId = name.parse().map_err(|error| HistoryError::Bug(format!("no run's folder: {error}")))?;
        let imported = self.write(|writer| writer.import(&run, dir, over));
        match &imported {
            Ok(_) => drop(lock(&self.0.waiting).remove(&run)),
            Err(error) => {
                let waiting = WaitingChange { run: run.clone(), why: error.to_string(), passes: error.passes() };
                lock(&self.0.waiting).insert(run, waiting);
            }
        }
        if let Ok(Some(change)) = &imported {
            self.tell(HistoryChange::Run(change.clone()));
        }
        imported
    }

    /// Ends runs that are live in the tables and whose folders are gone. Blocking.
    pub(super) fn end_killed(&self) -> Result<(), HistoryError> {
        for change in self.write(Writer::end_killed)? {
            self.tell(HistoryChange::Run(change));
        }
        Ok(())
    }

    /// Writes. A database that is found damaged is set aside, and the write repeated in the new one; the same applies
    /// if its file was removed or replaced, since writes to the old file would be lost.
    pub(super) fn write<T>(
        &self,
        mut work: impl FnMut(&mut Writer) -> Result<T, HistoryError>,
    ) -> Result<T, HistoryError> {
        let writer = self.0.writer.as_ref().ok_or_else(|| HistoryError::Bug("it was opened to read".to_owned()))?;
        let mut writer = lock(writer);
        let done = if writer.is_in_place()? {
            work(&mut writer)
        } else {
            let why = "its file was removed or replaced while it was in use".to_owned();
            Err(HistoryError::Corrupt { path: writer.place.file(), why })
        };
        match done {
            Err(HistoryError::Corrupt { why, .. }) => {
                self.replace(&mut writer, why)?;
                work(&mut writer)
            }
            other => other,
        }
    }

    /// Waits until a query has found damage, and sets the database aside.
    pub(super) async fn mend(&self) -> Result<(), HistoryError> {
        self.0.damaged.notified().await;
        let history = self.clone();
        let mended = tokio::task::spawn_blocking(move || {
            let Some(why) = lock(&history.0.damage).take() else { return Ok(()) };
            let writer = history.0.writer.as_ref().ok_or_else(|| HistoryError::Bug("opened to read".to_owned()))?;
            history.replace(&mut lock(writer), why)
        });
        mended.await.map_err(|error| HistoryError::Bug(error.to_string()))?
    }

    fn replace(&self, writer: &mut Writer, why: String) -> Result<(), HistoryError> {
        let path = broken::replace(writer)?;
        self.0.generation.fetch_add(1, Ordering::AcqRel);
        lock(&self.0.readers).clear();
        let set_aside = broken::tell(SetAside { path, why });
        lock(&self.0.set_aside).push(set_aside.clone());
        self.tell(HistoryChange::SetAside(set_aside));
        Ok(())
    }

    /// Closes the idle connections of queries.
    pub(super) fn forget_readers(&self) {
        lock(&self.0.readers).clear();
    }

    pub(super) fn tell(&self, change: HistoryChange) {
        // There may be no receiver.
        let _ = self.0.changes.send(change);
    }

    pub(super) fn place(&self) -> &DatabasePath {
        &self.0.place
    }
}

/// A thread that panicked with the lock left nothing incomplete: transactions roll back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
