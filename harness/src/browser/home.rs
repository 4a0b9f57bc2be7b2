use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

const PREFIX: &str = "cc-ci-browser-";
/// One that nobody holds yet.
const NEW: &str = "cc-ci-new-browser-";
/// The folder of all homes, whatever `TMPDIR` says: who looks for those of killed processes has to find them.
const PARENT: &str = "/tmp";
/// A new one that is younger than this may be one that is just being made.
const YOUNG: Duration = Duration::from_secs(600);

/// A browser's home: profile, trust database, temporary files. Dropped, it is gone.
///
/// It stands in `/tmp`, whose path is short: Chromium makes a socket
/// below it, and a socket's path has at most 107 bytes.
#[derive(Debug)]
pub(super) struct Home {
    folder: PathBuf,
    /// Held while this process lives. The kernel lets go of it, so what a killed one left is known.
    _alive: File,
}

impl Home {
    /// Makes one, after removing those whose owner was killed.
    pub(super) fn new(parent: Option<&Path>) -> io::Result<Self> {
        let parent = parent.unwrap_or(Path::new(PARENT));
        remove_left(parent, YOUNG);
        let new = tempfile::Builder::new().prefix(NEW).tempdir_in(parent)?;
        let alive = File::open(new.path())?;
        flock(&alive, FlockOperation::NonBlockingLockExclusive)?;
        // The name says from its first moment on that somebody holds it, or is dead.
        let name = new.path().file_name().unwrap_or_default().to_string_lossy().replacen(NEW, PREFIX, 1);
        let folder = parent.join(name);
        std::fs::rename(new.path(), &folder)?;
        let _ = new.keep();
        Ok(Self { folder, _alive: alive })
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What stays is removed by the next browser or janitor.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Removes the homes of browsers whose process was killed. Those of other users stay.
pub fn remove_homes_of_killed() {
    remove_left(Path::new(PARENT), YOUNG);
}

fn remove_left(parent: &Path, young: Duration) {
    for left in left_behind(parent, young) {
        let _ = std::fs::remove_dir_all(left);
    }
}

/// Homes that nobody holds.
fn left_behind(parent: &Path, young: Duration) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let is_left = |entry: &std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name.starts_with(PREFIX) && is_free(&entry.path(), Duration::ZERO))
            || (name.starts_with(NEW) && is_free(&entry.path(), young))
    };
    entries.filter(is_left).map(|entry| entry.path()).collect()
}

/// Whether nobody holds a folder that is at least so old.
fn is_free(path: &Path, age: Duration) -> bool {
    let Ok(folder) = File::open(path) else { return false };
    let made = folder.metadata().and_then(|meta| meta.modified());
    let is_old = age.is_zero() || made.is_ok_and(|made| made.elapsed().is_ok_and(|since| since >= age));
    is_old && flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_known_and_the_living_are_let_alone() {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::new(Some(parent.path())).unwrap();
        let [left, new, other] = [PREFIX, NEW, "other"].map(|name| parent.path().join(format!("{name}x")));
        for folder in [&left, &new, &other] {
            std::fs::create_dir(folder).unwrap();
        }
        assert_eq!(left_behind(parent.path(), YOUNG), [left], "one that has a home's name was held before");
        assert_eq!(left_behind(parent.path(), Duration::ZERO).len(), 2);
        remove_left(parent.path(), YOUNG);
        assert!(home.path().exists() && new.exists() && other.exists());
        drop(home);
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 2);
    }
}
