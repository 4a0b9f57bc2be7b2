//! Sweeps on disk: `nightly/` in the state folder, with one file per sweep, replaced atomically, and one file for the
//! newest finished day.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::sweep::Sweep;

/// Number of sweeps to keep. A recipe's earlier state is read from them.
const KEPT: usize = 60;
const CLOCK: &str = "clock.json";
const ENDING: &str = ".json";
/// Prefix of a file that is being written.
const NEW: &str = ".new-";

/// Why the shelf cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be {what}: {why}; check its free disk space and its permissions", .path.display())]
pub struct ShelfError {
    path: PathBuf,
    what: &'static str,
    why: io::Error,
}

/// The newest day that needs no sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// No sweep begins for this day or an earlier one.
    pub done: Date,
    /// The configured time, for the page.
    pub hour: String,
}

#[derive(Debug, Clone)]
pub struct Shelf(PathBuf);

impl Shelf {
    /// The shelf in a state folder. The folder is created at the first write.
    pub fn below(state: &Path) -> Self {
        Self(state.join("nightly"))
    }

    /// Writes a sweep, returns once it is synced to disk, and removes the oldest sweeps.
    ///
    /// # Errors
    /// The disk refuses; the previous file is then unchanged.
    pub fn put(&self, sweep: &Sweep) -> Result<(), ShelfError> {
        self.replace(&format!("{}{ENDING}", sweep.date), sweep)?;
        for day in self.days().into_iter().skip(KEPT) {
            // A file that stays is removed at the next write.
            let _ = std::fs::remove_file(self.path(day));
        }
        Ok(())
    }

    pub fn put_clock(&self, clock: &Clock) -> Result<(), ShelfError> {
        self.replace(CLOCK, clock)
    }

    /// The clock file, or `None` if there is none. An unreadable file is logged and counts as none: no sweep then
    /// begins before the next due time.
    pub fn clock(&self) -> Option<Clock> {
        read(&self.0.join(CLOCK))
    }

    /// The days of the stored sweeps, newest first.
    pub fn days(&self) -> Vec<Date> {
        let names = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        let mut days: Vec<Date> =
            names.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(ENDING)?.parse().ok()).collect();
        days.sort_unstable_by(|a, b| b.cmp(a));
        days
    }

    /// The sweep of a day, if it is stored and readable.
    pub fn sweep(&self, day: Date) -> Option<Sweep> {
        read(&self.path(day))
    }

    /// The stored sweeps, newest first. An unreadable one is logged and skipped.
    pub fn sweeps(&self) -> Vec<Sweep> {
        self.days().into_iter().filter_map(|day| self.sweep(day)).collect()
    }

    fn path(&self, day: Date) -> PathBuf {
        self.0.join(format!("{day}{ENDING}"))
    }

    fn replace(&self, name: &str, value: &impl Serialize) -> Result<(), ShelfError> {
        let path = self.0.join(name);
        let write = || {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            let mut file = tempfile::Builder::new().prefix(NEW).tempfile_in(&self.0)?;
            file.write_all(&serde_json::to_vec_pretty(value)?)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|failed| failed.error)?;
            // Syncs the rename.
            File::open(&self.0)?.sync_all()
        };
        write().map_err(|why| ShelfError { path, what: "written", why })
    }
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .inspect_err(|error| tracing::warn!("{} cannot be parsed: {error}; move it away", path.display()))
            .ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!("{} cannot be read: {error}", path.display());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::swept;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn sweeps_are_kept_newest_first_and_the_oldest_go() {
        let state = tempfile::tempdir().unwrap();
        let shelf = Shelf::below(state.path());
        assert_eq!((shelf.days(), shelf.clock()), (vec![], None));
        let mut date = day("2026-01-01");
        for _ in 0..KEPT + 5 {
            shelf.put(&Sweep { date, ..swept(&[]) }).unwrap();
            date = date.tomorrow().unwrap();
        }
        let days = shelf.days();
        assert_eq!((days.len(), days[0], days[KEPT - 1]), (KEPT, day("2026-03-06"), day("2026-01-06")));
        let clock = Clock { done: date, hour: "03:30 UTC".to_owned() };
        shelf.put_clock(&clock).unwrap();
        assert_eq!(shelf.clock(), Some(clock));
        assert_eq!((shelf.sweeps().len(), shelf.sweeps()[0].date), (KEPT, days[0]));
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_a_disk_that_refuses_is_named() {
        let state = tempfile::tempdir().unwrap();
        let shelf = Shelf::below(state.path());
        shelf.put(&Sweep { date: day("2026-01-01"), ..swept(&[]) }).unwrap();
        std::fs::write(state.path().join("nightly/2026-01-02.json"), "{}").unwrap();
        std::fs::write(state.path().join("nightly/clock.json"), "{").unwrap();
        assert_eq!(shelf.sweeps().len(), 1);
        assert_eq!((shelf.sweep(day("2026-01-02")), shelf.clock()), (None, None));
        let file = state.path().join("file");
        std::fs::write(&file, "").unwrap();
        let told = Shelf::below(&file).put(&swept(&[])).unwrap_err().to_string();
        assert!(told.contains("cannot be written") && told.contains("free disk space"), "{told}");
    }
}
