//! The history as its users hold it: one writer, some readers, and a channel that tells of changes.

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

/// Questions that are answered at once; more wait.
const READERS: usize = 4;
/// Changes that somebody who is told may be behind; whoever is further behind asks for everything again.
const BEHIND: usize = 1024;

/// Everything that cc-ci knows of runs: `history.sqlite` in the state folder. Cheap to clone.
#[derive(Clone)]
pub struct History(Arc<Inner>);

struct Inner {
    place: DatabasePath,
    /// None where it was opened to read alone.
    writer: Option<Mutex<Writer>>,
    /// Connections that nobody uses now, each with the database that it is to.
    readers: Mutex<Vec<(u64, Connection)>>,
    /// Counts databases that were set aside.
    generation: AtomicU64,
    at_once: Semaphore,
    changes: broadcast::Sender<HistoryChange>,
    waiting: Mutex<BTreeMap<RunId, WaitingChange>>,
    set_aside: Mutex<Vec<SetAside>>,
    /// What a reader found to be damaged.
    damage: Mutex<Option<String>>,
    damaged: Notify,
}

/// The database, for one question.
pub struct Db {
    pub(super) sql: Connection,
    path: PathBuf,
}

impl Db {
    pub(super) fn ask<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, HistoryError> {
        // One moment for all that it asks.
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
    /// Opens the history of a state folder to keep it. A database that is damaged is set aside, see
    /// [`History::set_aside`], and an empty one is made: a [`Follower`](super::Follower) fills it. It blocks.
    ///
    /// # Errors
    /// [`HistoryError::Held`] where another cc-ci keeps it, [`HistoryError::Newer`], and what the disk says.
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

    /// Opens the history of a state folder to ask it alone, beside whoever keeps it. It blocks.
    ///
    /// # Errors
    /// Where there is none, or it is of another version.
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

    /// The state folder.
    pub fn state(&self) -> &Path {
        self.0.place.state()
    }

    /// The database's file.
    pub fn file(&self) -> PathBuf {
        self.0.place.file()
    }

    /// Tells of every change from now on.
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

    /// Asks a question, on a thread where it may block.
    pub async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Db) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let bug = |what: String| HistoryError::Bug(what);
        let _one = self.0.at_once.acquire().await.map_err(|error| bug(error.to_string()))?;
        let history = self.clone();
        tokio::task::spawn_blocking(move || history.read_now(ask)).await.map_err(|error| bug(error.to_string()))?
    }

    /// Asks a question. It blocks.
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

    /// Imports what is new of a run, and tells of it; none where nothing is. It blocks.
    ///
    /// What cannot be imported stays in the run's folder and is among [`History::waiting`]. A database that is
    /// damaged is set aside; the run is the first in the new one.
    pub fn import(&self, dir: &RunDir) -> Result<Option<RunChange>, HistoryError> {
        // First, so that nothing is written after it was asked that is not read then.
        self.import_when(dir, !dir.may_grow())
    }

    /// The same of a run of which is known whether its process is gone.
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

    /// Runs that live by the tables and whose folders are gone get their end. It blocks.
    pub(super) fn bury(&self) -> Result<(), HistoryError> {
        for change in self.write(Writer::bury)? {
            self.tell(HistoryChange::Run(change));
        }
        Ok(())
    }

    /// Writes. Where the database turns out to be damaged it is set aside, and the same is done in the new one. So it
    /// is where somebody has removed or replaced its file: what is written to the old one is lost with this process.
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

    /// Waits until a question has shown that the database is damaged, and sets it aside.
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

    /// Closes what questions left open.
    pub(super) fn forget_readers(&self) {
        lock(&self.0.readers).clear();
    }

    pub(super) fn tell(&self, change: HistoryChange) {
        // Nobody may be listening.
        let _ = self.0.changes.send(change);
    }

    pub(super) fn place(&self) -> &DatabasePath {
        &self.0.place
    }
}

/// A thread that panicked with the lock left nothing half done: transactions roll back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
