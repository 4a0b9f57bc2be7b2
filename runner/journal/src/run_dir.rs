//! The folder of one run: its journal and reports, abra's directory, a scratch folder, and the lock
//! that says whether its owner lives.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::names::RunId;
use fs4::fs_std::FileExt;

/// The name of the link to this program by which it is told to run a command in a container.
pub const EXEC_NAME: &str = "ccci-exec";

/// How the name of a folder begins that is just being made. No run's name does.
const NEW: &str = ".new-";

/// A folder is made in less.
const MAKING: Duration = Duration::from_secs(60);

/// A run that reports sends something at least every few seconds while the server is there; it may be away for long.
pub const SILENT: Duration = Duration::from_secs(15 * 60);

/// The folder of marks for runs that a janitor found dead.
const FOUND_DEAD: &str = "found-dead";

/// A mark is of use while the run's build may be watched.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunDir(PathBuf);

/// Held while the run's process lives. The kernel lets go of it, however the process ends.
#[derive(Debug)]
pub struct Alive(#[expect(dead_code, reason = "holding the file is the point")] File);

/// Writes down that a run was found dead, and forgets those of long ago. A server that watches the run's build reads it,
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

/// Whether a janitor that uses this state folder found the run dead.
pub fn was_found_dead(state: &Path, run: &RunId) -> bool {
    state.join(FOUND_DEAD).join(run.as_str()).exists()
}

impl RunDir {
    /// The name of the folder for what tests keep.
    pub const ARTIFACTS: &str = "artifacts";

    /// The folder of `run` below the state folder; not made yet.
    pub fn of(state: &Path, run: &RunId) -> Self {
        Self(state.join("runs").join(run.as_str()))
    }

    /// All runs of the state folder, oldest first.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
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

    /// Makes the folder, readable by its owner alone, and takes its lock.
    ///
    /// # Errors
    /// When the disk refuses; [`io::ErrorKind::AlreadyExists`] when the run is there already.
    pub fn create(&self) -> io::Result<Alive> {
        // Under another name until it is locked: a janitor takes a folder that nobody has locked for a dead run's.
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        let new = Self(self.0.with_file_name(format!("{NEW}{name}")));
        for dir in [new.0.clone(), new.work(), new.abra()] {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(new.lock())?;
        let is_used = || io::Error::from(io::ErrorKind::AlreadyExists);
        if !FileExt::try_lock_exclusive(&file)? {
            // Another process is just making it.
            return Err(is_used());
        }
        match std::os::unix::fs::symlink(std::env::current_exe()?, new.exec()) {
            // Left by a process that was killed here.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Where the run is there already, its folder is not empty, and the system refuses.
        if let Err(error) = std::fs::rename(&new.0, &self.0) {
            new.discard();
            return Err(if error.kind() == io::ErrorKind::DirectoryNotEmpty { is_used() } else { error });
        }
        Ok(Alive(file))
    }

    /// Whether something is there that [`RunDir::remove_private`] removes.
    pub fn has_private(&self) -> bool {
        [self.abra(), self.work(), self.deps()].iter().any(|path| path.symlink_metadata().is_ok())
    }

    /// Takes over the lock of a run whose process is gone; none where it lives or was never made.
    pub fn take_over(&self) -> Option<Alive> {
        let file = OpenOptions::new().write(true).open(self.lock()).ok()?;
        FileExt::try_lock_exclusive(&file).ok()?.then_some(Alive(file))
    }

    /// Whether a process holds the lock.
    pub fn is_locked(&self) -> bool {
        self.lock().exists() && self.take_over().is_none()
    }

    /// Makes the folder of a run that reports, with a mark that says who sends. It is there with the mark or not at all.
    ///
    /// # Errors
    /// When the disk refuses, or the run has a folder already.
    pub fn create_reported(&self, sender: &str) -> io::Result<()> {
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        let runs = self.0.parent().unwrap_or(&self.0);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(runs)?;
        // A name of its own: two may try at once.
        let new = tempfile::Builder::new().prefix(&format!("{NEW}{name}-")).tempdir_in(runs)?;
        let mut file = File::create(Self(new.path().to_owned()).reported())?;
        file.write_all(sender.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(new.path(), &self.0)?;
        // What was renamed is not this guard's any more.
        let _ = new.keep();
        File::open(runs)?.sync_all()
    }

    /// Removes folders of runs that were killed in the very moment of their making.
    pub fn discard_half_made(state: &Path) {
        for entry in std::fs::read_dir(state.join("runs")).into_iter().flatten().flatten() {
            let dir = Self(entry.path());
            let half_made = entry.file_name().to_string_lossy().starts_with(NEW);
            let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
            // One that never came to its lock is nobody's after a minute.
            let is_old = age.is_some_and(|age| age > MAKING) && !dir.lock().exists();
            if half_made && (is_old || dir.take_over().is_some()) {
                dir.discard();
            }
        }
    }

    /// Waits until the process that holds the lock has let go of it.
    ///
    /// # Errors
    /// When there is no lock to wait for.
    pub async fn wait_for_owner(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.lock())?;
        tokio::task::spawn_blocking(move || FileExt::lock_exclusive(&file)).await.map_err(io::Error::other)?
    }

    /// The same, on the thread that calls it.
    ///
    /// # Errors
    /// When there is no lock to wait for.
    pub fn wait_for_owner_here(&self) -> io::Result<()> {
        FileExt::lock_exclusive(&OpenOptions::new().write(true).open(self.lock())?)
    }

    /// The state folder that it is in.
    pub fn state(&self) -> &Path {
        self.0.parent().and_then(Path::parent).unwrap_or(&self.0)
    }

    /// Whether the run is one of another machine, or of another state folder, that reports to this one: nobody here
    /// holds its lock, and nothing of it is here but what it tells.
    pub fn is_reported(&self) -> bool {
        self.reported().exists()
    }

    /// Whether somebody may still write to its journal: its process lives, or it is one that reports, is not at its end,
    /// and was heard of within [`SILENT`].
    pub fn may_grow(&self) -> bool {
        self.is_locked() || self.silent_in().is_some()
    }

    /// How long from now a run that reports counts as dead unless it is heard of; none where it is over, or does not
    /// report.
    pub fn silent_in(&self) -> Option<Duration> {
        // Its reports are written when its last line has come.
        if !self.is_reported() || self.0.join("report.html").exists() {
            return None;
        }
        // Its first line comes a moment after its mark.
        let at = |path: PathBuf| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
        let heard = at(self.journal()).or_else(|| at(self.reported()))?;
        SILENT.checked_sub(heard.elapsed().unwrap_or_default()).filter(|left| !left.is_zero())
    }

    /// Says that the run is one that reports, and who sends what it tells.
    pub fn reported(&self) -> PathBuf {
        self.0.join("reported")
    }

    /// Secret values of an app that is kept, a JSON text a line, so that a later look at it can hide them
    /// too. It goes at teardown.
    pub fn kept_secrets(&self) -> PathBuf {
        self.abra().join("kept-secrets")
    }

    /// What the run deployed beside the tested app, with its logins, for tests. It goes at teardown.
    pub fn deps(&self) -> PathBuf {
        self.0.join("deps.json")
    }

    /// Asks a run that is under way to let its app stay this long when it has ended; a later word replaces an
    /// earlier one.
    ///
    /// # Errors
    /// When the disk refuses, or the run has no folder.
    pub fn hold(&self, time: Duration) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        write!(file, "{}", time.as_secs())?;
        file.persist(self.held()).map(drop).map_err(|failed| failed.error)
    }

    /// How long the run's app shall stay, if somebody asked for that since it began.
    pub fn asked_to_hold(&self) -> Option<Duration> {
        std::fs::read_to_string(self.held()).ok()?.trim().parse().ok().map(Duration::from_secs)
    }

    fn held(&self) -> PathBuf {
        self.0.join("hold")
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.jsonl")
    }

    /// The HTML report.
    pub fn html(&self) -> PathBuf {
        self.0.join("report.html")
    }

    /// The JUnit report.
    pub fn junit(&self) -> PathBuf {
        self.0.join("junit.xml")
    }

    /// `ABRA_DIR` of the run. It holds the env file, so it goes at teardown.
    pub fn abra(&self) -> PathBuf {
        self.0.join("abra")
    }

    /// `CCCI_EXEC`: a link to this program under the name by which it runs a command in a container of the app. It goes
    /// at teardown.
    pub fn exec(&self) -> PathBuf {
        self.abra().join(EXEC_NAME)
    }

    /// `CCCI_SH`: what the shell tests of every recipe may use. It goes at teardown.
    pub fn shell(&self) -> PathBuf {
        self.abra().join("ccci.sh")
    }

    /// The scratch folder that the recipe's tests share. It goes at teardown.
    pub fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// What tests keep of a failure, such as a browser's pictures. It stays, so nobody else reads it.
    pub fn artifacts(&self) -> PathBuf {
        self.0.join(Self::ARTIFACTS)
    }

    /// Removes the folder of a run that never began, or has nothing to tell.
    pub fn discard(&self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{} cannot be removed: {error}", self.0.display());
        }
    }

    fn lock(&self) -> PathBuf {
        self.0.join("alive.lock")
    }

    /// Removes what may hold secrets or checkouts; journal and reports stay.
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
