use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

const PREFIX: &str = "cc-ci-browser-";
/// A folder younger than this may be one that is just being made.
const YOUNG: Duration = Duration::from_secs(600);

/// A browser's home: profile, trust database, temporary files. Dropped, it is gone.
///
/// It stands in the system's folder for temporary files, whose path is short: Chromium makes a socket
/// below it, and a socket's path has at most 107 bytes.
#[derive(Debug)]
pub(super) struct Home {
    folder: TempDir,
    /// Held while this process lives. The kernel lets go of it, so what a killed one left is known.
    _alive: File,
}

impl Home {
    /// Makes one, after removing those whose owner was killed.
    pub(super) fn new(parent: Option<&Path>) -> io::Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        for left in left_behind(&parent, YOUNG) {
            // Another user's folder stays.
            let _ = std::fs::remove_dir_all(left);
        }
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let alive = File::open(folder.path())?;
        flock(&alive, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { folder, _alive: alive })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Homes that nobody holds.
fn left_behind(parent: &Path, young: Duration) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let homes = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    homes.map(|entry| entry.path()).filter(|path| is_left(path, young)).collect()
}

fn is_left(path: &Path, young: Duration) -> bool {
    let Ok(folder) = File::open(path) else { return false };
    let made = folder.metadata().and_then(|meta| meta.modified());
    let old = made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age >= young));
    old && flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_known_and_the_living_are_let_alone() {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::new(Some(parent.path())).unwrap();
        let left = parent.path().join(format!("{PREFIX}x"));
        std::fs::create_dir(&left).unwrap();
        std::fs::create_dir(parent.path().join("other")).unwrap();
        assert_eq!(left_behind(parent.path(), Duration::ZERO), [left]);
        assert_eq!(left_behind(parent.path(), YOUNG), Vec::<PathBuf>::new());
        assert!(home.path().exists());
        drop(home);
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 2);
    }
}
