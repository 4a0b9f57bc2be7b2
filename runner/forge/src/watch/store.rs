//! The watcher's file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::state::Known;

/// A file with atomic updates. One process at a time holds it; the kernel releases it when that process ends in any
/// way.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    _lock: File,
}

impl Store {
    /// Holds the file at this path, which need not exist. Creates its folder, and a file of the same name with `.lock`
    /// appended.
    ///
    /// # Errors
    /// Another process holds it, or the folder cannot be written.
    pub fn hold(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let disk = |what: &'static str| {
            let path = path.clone();
            move |why: io::Error| StoreError::Disk { path, what, why }
        };
        std::fs::create_dir_all(folder(&path)).map_err(disk("made room for"))?;
        let mut lock = path.clone().into_os_string();
        lock.push(".lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(lock).map_err(disk("held"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, _lock: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Held { path }),
            Err(TryLockError::Error(why)) => Err(disk("held")(why)),
        }
    }

    /// The stored state, if any.
    pub(super) fn load(&self) -> Result<Option<Known>, StoreError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(StoreError::Disk { path: self.path.clone(), what: "read", why }),
        };
        let known = serde_json::from_slice(&bytes).map_err(|error| StoreError::Unreadable {
            path: self.path.clone(),
            why: format!("{:?} at line {} column {}", error.classify(), error.line(), error.column()),
        })?;
        Ok(Some(known))
    }

    /// Replaces the stored state, and returns once it is synced to disk.
    pub(super) fn save(&self, known: &Known) -> Result<(), StoreError> {
        self.replace(known).map_err(|why| StoreError::Disk { path: self.path.clone(), what: "written", why })
    }

    fn replace(&self, known: &Known) -> io::Result<()> {
        let folder = folder(&self.path);
        let mut file = tempfile::Builder::new().prefix(".watcher-").tempfile_in(folder)?;
        file.write_all(&serde_json::to_vec(known)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|failed| failed.error)?;
        // Syncs the rename.
        File::open(folder)?.sync_all()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
