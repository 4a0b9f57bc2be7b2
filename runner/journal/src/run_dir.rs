//! The folder of one run: its journal and reports, abra's directory, a scratch folder, and the lock that shows whether
//! its owner lives.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::names::RunId;
use fs4::fs_std::FileExt;

/// The name of the link to this program under which it runs a command in a container.
pub const EXEC_NAME: &str = "ccci-exec";

/// Prefix of a folder that is being created. No run's name has it.
const NEW: &str = ".new-";

/// Maximum time to create a folder.
const MAKING: Duration = Duration::from_secs(60);

/// A reporting run sends a request every few seconds while the server is up; the server may be down for long.
pub const SILENT: Duration = Duration::from_secs(15 * 60);

/// The folder of markers for runs that a janitor found dead.
const FOUND_DEAD: &str = "found-dead";

/// How long a marker is kept: as long as the run's build may be watched.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Debug, Clone)]
pub struct RunDir(PathBuf);

/// Held while the run's process lives. The kernel releases it, however the process ends.
#[derive(Debug)]
pub struct Alive(#[expect(dead_code, reason = "holding the file is the point")] File);

/// Records that a run was found dead, and removes old records. A server that watches the run's build reads it,
/// whichever process found it.
pub fn note_found_dead(state: &Path, run: &RunId) -> io::Result<()> {
    let folder = state.join(FOUND_DEAD);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    for entry in std::fs::read_dir(&folder)?.flatten() {
        let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > REMEMBERED) {
            std::fs::remove_file(entry.path())?;
        }
    }
    File::create(folder.join(run.as_str())).map(drop)
}

/// Whether a janitor of this state folder found the run dead.
pub fn was_found_dead(state: &Path, run: &RunId) -> bool {
    state.join(FOUND_DEAD).join(run.as_str()).exists()
}

impl RunDir {
    /// The name of the folder for tests' files.
    pub const ARTIFACTS: &str = "artifacts";

    /// The folder of `run` in the state folder; not created yet.
    pub fn of(state: &Path, run: &RunId) -> Self {
        Self(state.join("runs").join(run.as_str()))
    }

    /// All runs of the state folder, oldest first.
    ///
    /// # Errors
    /// The folder exists and cannot be read.
    pub fn all(state: &Path) -> io::Result<Vec<(RunId, Self)>> {
        let runs = state.join("runs");
        if !runs.exists() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(runs)? {
            if let Ok(run) = entry?.file_name().to_string_lossy().parse::<RunId>() {
                found.push((run.clone(), Self::of(state, &run)));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// Creates the folder with access for its owner only, and takes its lock.
    ///
    /// # Errors
    /// The disk refuses; [`io::ErrorKind::AlreadyExists`] if the run exists.
    pub fn create(&self) -> io::Result<Alive> {
        // Under another name until it is locked, since a janitor considers an unlocked folder a dead run's.
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        let new = Self(self.0.with_file_name(format!("{NEW}{name}")));
        for dir in [new.0.clone(), new.work(), new.abra()] {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(new.lock())?;
        let is_used = || io::Error::from(io::ErrorKind::AlreadyExists);
        if !FileExt::try_lock_exclusive(&file)? {
            // Another process is just creating it.
            return Err(is_used());
        }
        match std::os::unix::fs::symlink(std::env::current_exe()?, new.exec()) {
            // Left by a process that was killed here.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // If the run exists, its folder is not empty, and the system refuses.
        if let Err(error) = std::fs::rename(&new.0, &self.0) {
            new.discard();
            return Err(if error.kind() == io::ErrorKind::DirectoryNotEmpty { is_used() } else { error });
        }
        Ok(Alive(file))
    }

    /// Whether there is something for [`RunDir::remove_private`] to remove.
    pub fn has_private(&self) -> bool {
        [self.abra(), self.work(), self.deps()].iter().any(|path| path.symlink_metadata().is_ok())
    }

    /// Takes over the lock of a run whose process is gone; `None` if it lives or was never created.
    pub fn take_over(&self) -> Option<Alive> {
        let file = OpenOptions::new().write(true).open(self.lock()).ok()?;
        FileExt::try_lock_exclusive(&file).ok()?.then_some(Alive(file))
    }

    /// Whether a process holds the lock.
    pub fn is_locked(&self) -> bool {
        self.lock().exists() && self.take_over().is_none()
    }

    /// Atomically creates the folder of a reporting run, with a marker that names the sender.
    ///
    /// # Errors
    /// The disk refuses, or the run has a folder already.
    pub fn create_reported(&self, sender: &str) -> io::Result<()> {
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        let runs = self.0.parent().unwrap_or(&self.0);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(runs)?;
        // A unique name, since two may try at once.
        let new = tempfile::Builder::new().prefix(&format!("{NEW}{name}-")).tempdir_in(runs)?;
        let mut file = File::create(Self(new.path().to_owned()).reported())?;
        file.write_all(sender.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(new.path(), &self.0)?;
        // The guard no longer owns the renamed folder.
        let _ = new.keep();
        File::open(runs)?.sync_all()
    }

    /// Removes folders of runs that were killed during their creation.
    pub fn discard_half_made(state: &Path) {
        for entry in std::fs::read_dir(state.join("runs")).into_iter().flatten().flatten() {
            let dir = Self(entry.path());
            let half_made = entry.file_name().to_string_lossy().starts_with(NEW);
            let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
            // A folder without a lock has no owner after a minute.
            let is_old = age.is_some_and(|age| age > MAKING) && !dir.lock().exists();
            if half_made && (is_old || dir.take_over().is_some()) {
                dir.discard();
            }
        }
    }

    /// Waits until the lock's owner has released it.
    ///
    /// # Errors
    /// There is no lock to wait for.
    pub async fn wait_for_owner(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.lock())?;
        tokio::task::spawn_blocking(move || FileExt::lock_exclusive(&file)).await.map_err(io::Error::other)?
    }

    /// The same, blocking.
    ///
    /// # Errors
    /// There is no lock to wait for.
    pub fn wait_for_owner_here(&self) -> io::Result<()> {
        FileExt::lock_exclusive(&OpenOptions::new().write(true).open(self.lock())?)
    }

    /// The state folder that it is in.
    pub fn state(&self) -> &Path {
        self.0.parent().and_then(Path::parent).unwrap_or(&self.0)
    }

    /// Whether the run is of another machine or state folder and reports to this one: no process here holds its lock,
    /// and only its reported data is here.
    pub fn is_reported(&self) -> bool {
        self.reported().exists()
    }

    /// Whether its journal may still grow: its process lives, or it is a reporting run that is not over and was heard
    /// of within [`SILENT`].
    pub fn may_grow(&self) -> bool {
        self.is_locked() || self.silent_in().is_some()
    }

    /// The time until a reporting run counts as dead without further requests; `None` if it is over, or does not
    /// report.
    pub fn silent_in(&self) -> Option<Duration> {
        // Its reports are written after its last line has arrived.
        if !self.is_reported() || self.0.join("report.html").exists() {
            return None;
        }
        // Its first line is written a moment after its marker.
        let at = |path: PathBuf| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
        let heard = at(self.journal()).or_else(|| at(self.reported()))?;
        SILENT.checked_sub(heard.elapsed().unwrap_or_default()).filter(|left| !left.is_zero())
    }

    /// Marks a reporting run, and names the sender.
    pub fn reported(&self) -> PathBuf {
        self.0.join("reported")
    }

    /// Secret values of a kept app, a JSON text a line, so that later reads can redact them too. Removed at teardown.
    pub fn kept_secrets(&self) -> PathBuf {
        self.abra().join("kept-secrets")
    }

    /// The run's dependencies with their logins, for tests. Removed at teardown.
    pub fn deps(&self) -> PathBuf {
        self.0.join("deps.json")
    }

    /// Requests that a run in progress keeps its app for this long after its end; a later request replaces an earlier
    /// one.
    ///
    /// # Errors
    /// The disk refuses, or the run has no folder.
    pub fn hold(&self, time: Duration) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        write!(file, "{}", time.as_secs())?;
        file.persist(self.held()).map(drop).map_err(|failed| failed.error)
    }

    /// How long the run's app is to be kept, if that was requested since it began.
    pub fn asked_to_hold(&self) -> Option<Duration> {
        std::fs::read_to_string(self.held()).ok()?.trim().parse().ok().map(Duration::from_secs)
    }

    fn held(&self) -> PathBuf {
        self.0.join("hold")
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.jsonl")
    }

    pub fn html(&self) -> PathBuf {
        self.0.join("report.html")
    }

    pub fn junit(&self) -> PathBuf {
        self.0.join("junit.xml")
    }

    /// `ABRA_DIR` of the run. It contains the env file, so it is removed at teardown.
    pub fn abra(&self) -> PathBuf {
        self.0.join("abra")
    }

    /// `CCCI_EXEC`: a link to this program under the name by which it runs a command in a container of the app. Removed
    /// at teardown.
    pub fn exec(&self) -> PathBuf {
        self.abra().join(EXEC_NAME)
    }

    /// `CCCI_SH`: the library of shell tests. Removed at teardown.
    pub fn shell(&self) -> PathBuf {
        self.abra().join("ccci.sh")
    }

    /// The scratch folder that the recipe's tests share. Removed at teardown.
    pub fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// Tests' files about failures, such as a browser's pictures. They are kept, so only the owner has access.
    pub fn artifacts(&self) -> PathBuf {
        self.0.join(Self::ARTIFACTS)
    }

    /// Removes the folder of a run that never began, or has no results.
    pub fn discard(&self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{} cannot be removed: {error}", self.0.display());
        }
    }

    fn lock(&self) -> PathBuf {
        self.0.join("alive.lock")
    }

    /// Removes what may contain secrets or checkouts; journal and reports stay.
    pub fn remove_private(&self) -> io::Result<()> {
        let removed = [self.abra(), self.work()].map(std::fs::remove_dir_all);
        for removed in removed.into_iter().chain([std::fs::remove_file(self.deps())]) {
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_alive_while_its_lock_is_held() {
        let state = tempfile::tempdir().unwrap();
        let dir = RunDir::of(state.path(), &"r1".parse().unwrap());
        assert!(dir.take_over().is_none(), "a run that was never made has no owner to replace");
        let alive = dir.create().unwrap();
        assert!(dir.take_over().is_none());
        assert_eq!(dir.create().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(dir.take_over().is_none(), "it is the first one's still");
        drop(alive);
        assert!(dir.take_over().is_some());
        assert_eq!(RunDir::all(state.path()).unwrap().len(), 1);
        assert_eq!(dir.create().unwrap_err().kind(), io::ErrorKind::AlreadyExists, "also when it is over");
    }

    #[test]
    fn a_run_that_reports_may_grow_until_it_is_over_or_silent_for_long() {
        let state = tempfile::tempdir().unwrap();
        let dir = RunDir::of(state.path(), &"20261121-a".parse().unwrap());
        drop(dir.create().unwrap());
        assert!(!dir.may_grow(), "it is no run that reports, and its process is gone");
        let mark = File::create(dir.reported()).unwrap();
        assert!(dir.may_grow(), "its first line comes a moment after its mark");
        let long_ago = std::time::SystemTime::now() - SILENT;
        mark.set_modified(long_ago).unwrap();
        assert!(!dir.may_grow(), "no line ever came");
        let journal = File::create(dir.journal()).unwrap();
        assert!(dir.silent_in().is_some_and(|left| left <= SILENT));
        journal.set_modified(long_ago).unwrap();
        assert_eq!(dir.silent_in(), None);
        journal.set_modified(std::time::SystemTime::now()).unwrap();
        std::fs::write(dir.path().join("report.html"), "").unwrap();
        assert!(!dir.may_grow(), "its reports are written when its last line has come");
    }

    #[test]
    fn a_run_that_was_found_dead_is_known_for_a_week() {
        let state = tempfile::tempdir().unwrap();
        let (old, new): (RunId, RunId) = ("20261121-a".parse().unwrap(), "20261121-b".parse().unwrap());
        assert!(!was_found_dead(state.path(), &old));
        note_found_dead(state.path(), &old).unwrap();
        assert!(was_found_dead(state.path(), &old));
        let mark = File::open(state.path().join(FOUND_DEAD).join(old.as_str())).unwrap();
        mark.set_modified(std::time::SystemTime::now() - REMEMBERED - Duration::from_secs(1)).unwrap();
        note_found_dead(state.path(), &new).unwrap();
        assert!(was_found_dead(state.path(), &new) && !was_found_dead(state.path(), &old));
    }

    #[test]
    fn the_last_word_on_holding_counts() {
        let state = tempfile::tempdir().unwrap();
        let dir = RunDir::of(state.path(), &"r1".parse().unwrap());
        assert!(dir.hold(Duration::from_secs(1)).is_err(), "a run without a folder cannot be asked");
        let _alive = dir.create().unwrap();
        assert_eq!(dir.asked_to_hold(), None);
        dir.hold(Duration::from_secs(1_800)).unwrap();
        dir.hold(Duration::from_secs(60)).unwrap();
        assert_eq!(dir.asked_to_hold(), Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_is_private_goes_and_reports_stay() {
        let state = tempfile::tempdir().unwrap();
        let dir = RunDir::of(state.path(), &"r1".parse().unwrap());
        let _alive = dir.create().unwrap();
        assert!(dir.has_private());
        std::fs::write(dir.journal(), "x").unwrap();
        std::fs::write(dir.abra().join("x"), "x").unwrap();
        std::fs::write(dir.deps(), "x").unwrap();
        std::fs::create_dir(dir.artifacts()).unwrap();
        dir.remove_private().unwrap();
        assert!(!dir.has_private());
        assert!(dir.journal().exists() && dir.artifacts().exists() && !dir.abra().exists() && !dir.deps().exists());
        dir.remove_private().unwrap();
    }
}
