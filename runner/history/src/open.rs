//! The database's files and connections.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs4::fs_std::FileExt;
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::error::HistoryError;
use super::steps;

/// How long a connection waits for another program before it fails as busy.
const PATIENCE: Duration = Duration::from_secs(2);

/// Number of attempts before the lock counts as held, and the pause between them.
const HELD_LOOKS: u32 = 10;
const HELD_PAUSE: Duration = Duration::from_millis(50);

/// The database's path.
#[derive(Debug, Clone)]
pub(super) struct DatabasePath {
    state: PathBuf,
}

/// Distinguishes a file from another one of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl DatabasePath {
    pub(super) fn of(state: &Path) -> Self {
        Self { state: state.to_owned() }
    }

    pub(super) fn state(&self) -> &Path {
        &self.state
    }

    pub(super) fn file(&self) -> PathBuf {
        self.state.join("history.sqlite")
    }

    /// The identity of the file at the path; `None` if there is none.
    ///
    /// # Errors
    /// The disk cannot be queried.
    pub(super) fn identity(&self) -> Result<Option<FileIdentity>, HistoryError> {
        let path = self.file();
        match std::fs::metadata(&path) {
            Ok(meta) => Ok(Some(FileIdentity { device: meta.dev(), inode: meta.ino() })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(HistoryError::io(&path, &error)),
        }
    }

    /// The exclusive right to write, until the file is dropped.
    pub(super) fn lock(&self) -> Result<File, HistoryError> {
        let path = self.state.join("history.lock");
        let io = |error: std::io::Error| HistoryError::io(&path, &error);
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(io)?;
        // A child process that is just being started briefly inherits a lock that this process has released.
        for _ in 0..HELD_LOOKS {
            if FileExt::try_lock_exclusive(&file).map_err(io)? {
                return Ok(file);
            }
            std::thread::sleep(HELD_PAUSE);
        }
        Err(HistoryError::Held(self.file()))
    }

    /// The writing connection, to a database of this program's version. The database is created if it does not exist.
    pub(super) fn to_write(&self) -> Result<Connection, HistoryError> {
        let path = self.file();
        // SQLite would create it readable by all users; its other files get the same mode.
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| HistoryError::io(&path, &error))?;
        let of = |error: rusqlite::Error| HistoryError::of(&path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(&path, flags).map_err(of)?;
        db.busy_timeout(PATIENCE).map_err(of)?;
        // Only has an effect on an empty file: space that retention frees is returned to the disk.
        db.pragma_update(None, "auto_vacuum", "incremental").map_err(of)?;
        db.pragma_update(None, "journal_mode", "wal").map_err(of)?;
        // A power cut may lose the last transactions, never the database; their journals still exist.
        db.pragma_update(None, "synchronous", "normal").map_err(of)?;
        db.pragma_update(None, "journal_size_limit", 16 << 20).map_err(of)?;
        db.set_prepared_statement_cache_capacity(64);
        steps::go(&mut db, &path)?;
        Ok(db)
    }

    /// A read-only connection.
    pub(super) fn to_read(&self) -> Result<Connection, HistoryError> {
        open_to_read(&self.file())
    }

    /// Databases that were set aside, oldest first.
    pub(super) fn broken(&self) -> Vec<PathBuf> {
        let names = std::fs::read_dir(&self.state).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_broken = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(BROKEN) && !name.ends_with("-wal") && !name.ends_with("-shm")
        };
        let mut found: Vec<PathBuf> = names.filter(is_broken).collect();
        found.sort();
        found
    }

    /// Renames the database and returns its new path, if it exists. No connection may be open. Its log is renamed as
    /// well if it `has_its_log`: another file's log would be applied to it.
    pub(super) fn set_aside(&self, has_its_log: bool) -> Result<Option<PathBuf>, HistoryError> {
        let time = Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
        let names = std::iter::once(String::new()).chain((2..).map(|n| format!(".{n}")));
        let mut free = names.map(|n| self.state.join(format!("{BROKEN}{time}{n}"))).filter(|path| !path.exists());
        let to = free.next().ok_or_else(|| HistoryError::Bug("no name is free".to_owned()))?;
        // A database whose creation was interrupted is empty.
        if std::fs::metadata(self.file()).is_ok_and(|meta| meta.len() == 0) {
            std::fs::remove_file(self.file()).map_err(|error| HistoryError::io(&self.file(), &error))?;
        }
        let of_log = if has_its_log { to.clone() } else { beside(&to, ".other") };
        for (end, to) in [("-wal", &of_log), ("-shm", &of_log), ("", &to)] {
            let (from, to) = (beside(&self.file(), end), beside(to, end));
            match std::fs::rename(&from, to) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(HistoryError::io(&from, &error));
                }
                _ => {}
            }
        }
        Ok(to.exists().then_some(to))
    }
}

const BROKEN: &str = "history.sqlite.broken-";

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// A read-only connection to any file.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, HistoryError> {
    let of = |error: rusqlite::Error| HistoryError::of(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(of)?;
    db.busy_timeout(PATIENCE).map_err(of)?;
    db.pragma_update(None, "cache_size", -4096).map_err(of)?;
    db.set_prepared_statement_cache_capacity(32);
    Ok(db)
}
