//! The jobs on disk: one file each, replaced atomically.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use forge::names::CommentId;
use jiff::{SignedDuration, Timestamp};

use super::job::Job;

/// How long a delivered job is kept. The watcher knows each comment for a day; after a longer pause of a pull request,
/// the bot starts a new comment.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JobStoreError {
    /// The disk refuses.
    #[error("{} cannot be {what}: {why}; check its free disk space and its permissions", .path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// The operation.
        what: &'static str,
        why: io::Error,
    },
    /// A file exists and is not a job.
    #[error("{} cannot be parsed ({why}); move it away, and repeat the command", .path.display())]
    Unreadable { path: PathBuf, why: String },
}

/// The folder of jobs.
#[derive(Debug, Clone)]
pub struct JobStore {
    dir: PathBuf,
}

impl JobStore {
    /// The store in a state folder. Its folder is created with access for this user only.
    pub fn below(state: &Path) -> Result<Self, JobStoreError> {
        let dir = state.join("answers");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        made.map_err(|why| JobStoreError::Disk { path: dir.clone(), what: "made", why })?;
        Ok(Self { dir })
    }

    fn path(&self, comment: CommentId) -> PathBuf {
        self.dir.join(format!("{comment}.json"))
    }

    pub fn has(&self, comment: CommentId) -> bool {
        self.path(comment).exists()
    }

    /// Writes a job, and returns once it is synced to disk.
    ///
    /// # Errors
    /// The disk refuses; the previous file is then unchanged.
    pub fn save(&self, job: &Job) -> Result<(), JobStoreError> {
        let path = self.path(job.comment);
        self.replace(&path, job).map_err(|why| JobStoreError::Disk { path, what: "written", why })
    }

    fn replace(&self, path: &Path, job: &Job) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".word-").tempfile_in(&self.dir)?;
        file.write_all(&serde_json::to_vec_pretty(job)?)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|failed| failed.error)?;
        // Syncs the rename.
        File::open(&self.dir)?.sync_all()
    }

    /// All jobs, in the order of their comments. Delivered jobs older than a month are removed.
    ///
    /// # Errors
    /// The folder or one of its files cannot be read.
    pub fn all(&self, now: Timestamp) -> Result<Vec<Job>, JobStoreError> {
        let failed = |path: &Path, what| {
            let path = path.to_owned();
            move |why| JobStoreError::Disk { path, what, why }
        };
        let mut jobs = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(failed(&self.dir, "read"))? {
            let path = entry.map_err(failed(&self.dir, "read"))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || !name.ends_with(".json") {
                // A partial file that a killed process left.
                if name.starts_with(".word-") {
                    std::fs::remove_file(&path).map_err(failed(&path, "removed"))?;
                }
                continue;
            }
            let bytes = std::fs::read(&path).map_err(failed(&path, "read"))?;
            let job: Job = serde_json::from_slice(&bytes)
                .map_err(|error| JobStoreError::Unreadable { path: path.clone(), why: error.to_string() })?;
            if job.told && job.has_ended() && now.duration_since(job.taken) > KEPT {
                std::fs::remove_file(&path).map_err(failed(&path, "removed"))?;
                continue;
            }
            jobs.push(job);
        }
        jobs.sort_by_key(|job| job.comment);
        Ok(jobs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{End, Phase};
    use crate::work::fake::asked;

    #[test]
    fn a_word_is_in_the_book_until_it_is_told_and_old() {
        let state = tempfile::tempdir().unwrap();
        let (book, now) = (JobStore::below(state.path()).unwrap(), Timestamp::now());
        let mut old = Job::new(&asked(3, 7, "!testme"), now - SignedDuration::from_hours(24 * 31));
        old.phase = Phase::Ended(End::Done);
        let new = Job::new(&asked(20, 7, "!stop"), now);
        book.save(&new).unwrap();
        book.save(&old).unwrap();
        std::fs::write(state.path().join("answers/.word-x"), "{").unwrap();
        assert!(book.has(CommentId(3)) && !book.has(CommentId(4)));
        assert_eq!(book.all(now).unwrap(), [old.clone(), new.clone()]);
        old.told = true;
        book.save(&old).unwrap();
        assert_eq!(book.all(now).unwrap(), [new]);
        assert!(!book.has(CommentId(3)) && !state.path().join("answers/.word-x").exists());
    }

    #[test]
    fn a_file_that_is_no_word_is_named() {
        let state = tempfile::tempdir().unwrap();
        let book = JobStore::below(state.path()).unwrap();
        std::fs::write(state.path().join("answers/5.json"), "{}").unwrap();
        let told = book.all(Timestamp::now()).unwrap_err().to_string();
        assert!(told.contains("5.json") && told.contains("move it away"), "{told}");
    }
}
