//! Errors of the history.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use journal::ReadError;

/// Why the history cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Another program holds the database. Temporary.
    #[error("the history is busy: another program holds {0}; it is retried")]
    Busy(PathBuf),
    /// The disk is full. Temporary if space is freed.
    #[error("the history cannot grow: no space for {0}; free space on its disk, and it is retried")]
    Full(PathBuf),
    /// The disk fails, or denies access.
    #[error("the history is not accessible: {path}: {why}; check the disk and the permissions")]
    Io {
        /// The database, or a file of a run.
        path: PathBuf,
        why: String,
    },
    /// The database is damaged. It is set aside, and a new one is built from the journals.
    #[error("the history is damaged: {path}: {why}")]
    Corrupt {
        path: PathBuf,
        /// SQLite's message.
        why: String,
    },
    /// It was created by a newer cc-ci.
    #[error("the history {path} has version {found}; this cc-ci knows versions up to {known}: use a newer cc-ci")]
    Newer {
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest supported version.
        known: u32,
    },
    /// Another cc-ci process writes this history.
    #[error("another cc-ci keeps the history {0}: one `cc-ci serve` is enough for a state folder")]
    Held(PathBuf),
    /// A run's journal is invalid.
    #[error("the journal of run {run} cannot be imported: {why}")]
    Journal { run: String, why: ReadError },
    /// A bug of cc-ci.
    #[error("a bug in cc-ci's history: {0}; please report it")]
    Bug(String),
}

impl HistoryError {
    /// Whether a retry may succeed without a change of the journal.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Full(_) | Self::Io { .. })
    }

    /// Converts SQLite's error about the database at `path`.
    pub(super) fn of(path: &std::path::Path, error: &rusqlite::Error) -> Self {
        let (path, why) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Self::Busy(path)
            }
            Some(ErrorCode::DiskFull) => Self::Full(path),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { path, why },
            Some(
                ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly,
            ) => Self::Io { path, why },
            _ => Self::Bug(why),
        }
    }

    /// Converts the system's error about a file.
    pub fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::Full(path.to_owned());
        }
        Self::Io { path: path.to_owned(), why: error.to_string() }
    }
}
