use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Exchange, Exchanges};

/// Maximum size of a file: twenty exchanges with their recorded bodies, escaped for JSON.
const FILE: u64 = 4 * 1024 * 1024;

/// Records exchanges while they happen. Clones share one list. Its `Debug` shows no content.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Exchanges>>);

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder(…)")
    }
}

impl Recorder {
    pub fn push(&self, exchange: Exchange) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }

    /// Takes all recorded exchanges out of the list.
    pub fn take(&self) -> Exchanges {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Exchanges {
    /// Writes them to a file with access for its owner only: they are not cleaned yet.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?.write_all(&text)
    }

    /// Reads a file and removes it; empty if it does not exist or is invalid.
    pub fn fetch(path: &Path) -> Self {
        let read = || -> io::Result<Self> {
            let mut text = Vec::new();
            File::open(path)?.take(FILE).read_to_end(&mut text)?;
            std::fs::remove_file(path)?;
            Ok(serde_json::from_slice(&text)?)
        };
        read().unwrap_or_default()
    }
}
