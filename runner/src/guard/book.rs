//! Which images runs have pulled, when they were last used, and by whom. Docker cannot label an image that it has
//! pulled, so this is a file of the state folder. What is not in it belongs to somebody else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fs4::fs_std::FileExt;
use harness::failure::Failure;
use harness::names::RunId;
use harness::swarm::{Swarm, with_tag};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::blocking::blocking;
use crate::deploy::disk;
use crate::run_dir::RunDir;

/// The images, by their names with a tag.
pub type Images = BTreeMap<String, Entry>;

/// An image that a run has pulled, or is about to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id; empty until it is here. A name that means another image meanwhile is somebody else's.
    #[serde(default)]
    pub id: String,
    /// When a run last said that it needs it: Unix seconds.
    pub used: i64,
    /// The runs that need it. Those that are dead do not count.
    #[serde(default)]
    pub runs: BTreeSet<String>,
}

/// The open book. Nobody else reads or writes it meanwhile.
#[derive(Debug)]
pub struct Book {
    /// What is in it.
    pub images: Images,
    path: PathBuf,
    _lock: File,
}

impl Book {
    /// Waits for the book and opens it.
    ///
    /// # Errors
    /// The state folder cannot be used.
    pub async fn open(state: &Path) -> Result<Self, Failure> {
        let state = state.to_owned();
        blocking(move || {
            let path = state.join("images.json");
            Self::open_now(&path).map_err(|error| disk("open", &path, &error))
        })
        .await
    }

    fn open_now(path: &Path) -> io::Result<Self> {
        let lock = path.with_extension("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(lock)?;
        FileExt::lock_exclusive(&lock)?;
        let images = match std::fs::read(path) {
            // One that cannot be read names no image that may go.
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Images::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { images, path: path.to_owned(), _lock: lock })
    }

    /// Writes it in one step: a process that is killed leaves the old or the new one.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(self) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &self.images)?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().map_err(|error| disk("write", &self.path, &error))
    }

    /// Forgets the runs that are dead, and the pulls that they did not come to the end of: nobody can say whose
    /// such an image is.
    pub fn forget_the_dead(&mut self, is_alive: impl Fn(&str) -> bool) {
        for entry in self.images.values_mut() {
            entry.runs.retain(|run| is_alive(run));
        }
        self.images.retain(|_, entry| !entry.id.is_empty() || !entry.runs.is_empty());
    }
}

/// Whether a run's process lives. Only those of this state folder are in its book.
pub(super) fn is_alive(state: &Path, run: &str) -> bool {
    run.parse::<RunId>().is_ok_and(|run| {
        let dir = RunDir::of(state, &run);
        dir.path().exists() && !dir.is_reported() && dir.take_over().is_none()
    })
}

/// Sees to it that images are here, and keeps book: what has to be pulled is ours from now on, and nothing that is
/// ours goes before this run is over. Gives those that were pulled.
///
/// # Errors
/// As of [`Swarm::ensure`], and where the state folder cannot be used.
pub async fn ensure(
    swarm: &Swarm,
    state: &Path,
    run: &RunId,
    images: &[String],
    say: &mut (dyn FnMut(&str) + Send),
) -> Result<Vec<harness::swarm::Pulled>, Failure> {
    note_use(swarm, state, run, images).await?;
    // Each as soon as it is here, since a later one may fail.
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let pull = async move {
        let mut on_pulled = |pulled: &harness::swarm::Pulled| {
            let _ = tell.send((with_tag(&pulled.image), pulled.id.clone()));
        };
        swarm.ensure_and_tell(images, say, &mut on_pulled).await
    };
    let keep_book = async {
        while let Some((image, id)) = told.recv().await {
            let mut book = Book::open(state).await?;
            if let Some(entry) = book.images.get_mut(&image) {
                entry.id = id;
            }
            book.write()?;
        }
        Ok::<(), Failure>(())
    };
    let (pulled, kept) = tokio::join!(pull, keep_book);
    kept?;
    pulled
}

async fn note_use(swarm: &Swarm, state: &Path, run: &RunId, images: &[String]) -> Result<(), Failure> {
    let mut book = Book::open(state).await?;
    let now = Timestamp::now().as_second();
    for image in images {
        let image = with_tag(image);
        let here = swarm.image_id(&image).await?;
        note(&mut book.images, &image, here.as_deref(), run.as_str(), now);
    }
    book.write()
}

/// A run needs an image, which is here with this id or is not here.
fn note(images: &mut Images, image: &str, here: Option<&str>, run: &str, now: i64) {
    let known = images.get(image).map(|entry| entry.id.clone());
    match (here, known) {
        // It was here before, and nobody of ours brought it.
        (Some(_), None) => return,
        // Another run is pulling it at this moment, or somebody else has been quicker: the pull itself will tell.
        (Some(_), Some(known)) if known.is_empty() => {}
        // Somebody gave the name to another image: that one is theirs.
        (Some(id), Some(known)) if known != id => {
            images.remove(image);
            return;
        }
        (None, _) => {
            let entry = images.entry(image.to_owned()).or_insert_with(|| Entry {
                id: String::new(),
                used: now,
                runs: BTreeSet::new(),
            });
            entry.id.clear();
        }
        (Some(_), Some(_)) => {}
    }
    if let Some(entry) = images.get_mut(image) {
        entry.used = now;
        entry.runs.insert(run.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(images: &mut Images, here: Option<&str>, run: &str) {
        note(images, "nginx:1", here, run, 100);
    }

    #[test]
    fn what_was_here_before_is_never_ours() {
        let mut images = Images::new();
        noted(&mut images, Some("sha256:1"), "r1");
        assert_eq!(images, Images::new());
    }

    #[test]
    fn what_a_run_pulls_is_ours_until_its_name_means_another() {
        let mut images = Images::new();
        noted(&mut images, None, "r1");
        images.get_mut("nginx:1").unwrap().id = "sha256:1".to_owned();
        noted(&mut images, Some("sha256:1"), "r2");
        let runs: Vec<&str> = images["nginx:1"].runs.iter().map(String::as_str).collect();
        assert_eq!(runs, ["r1", "r2"]);
        noted(&mut images, Some("sha256:2"), "r3");
        assert_eq!(images, Images::new(), "an operator pulled it anew");
    }

    #[test]
    fn one_that_went_and_is_pulled_again_has_no_id_until_then() {
        let mut images = Images::new();
        noted(&mut images, None, "r1");
        images.get_mut("nginx:1").unwrap().id = "sha256:1".to_owned();
        noted(&mut images, None, "r2");
        assert_eq!(images["nginx:1"].id, "");
    }

    #[test]
    fn a_pull_that_a_dead_run_did_not_end_is_nobodys() {
        let dir = tempfile::tempdir().unwrap();
        let mut book = Book::open_now(&dir.path().join("images.json")).unwrap();
        noted(&mut book.images, None, "dead");
        book.forget_the_dead(|run| run == "dead");
        assert_eq!(book.images.len(), 1);
        book.forget_the_dead(|_| false);
        assert_eq!(book.images, Images::new());
    }

    #[test]
    fn the_book_is_written_whole_and_read_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("images.json");
        let mut book = Book::open_now(&path).unwrap();
        noted(&mut book.images, None, "r1");
        let images = book.images.clone();
        let other = OpenOptions::new().write(true).open(path.with_extension("lock")).unwrap();
        assert!(!FileExt::try_lock_exclusive(&other).unwrap());
        book.write().unwrap();
        assert!(FileExt::try_lock_exclusive(&other).unwrap());
        drop(other);
        assert_eq!(Book::open_now(&path).unwrap().images, images);
        std::fs::write(&path, "{ not json").unwrap();
        assert_eq!(Book::open_now(&path).unwrap().images, Images::new());
    }

    #[test]
    fn a_run_is_alive_while_its_process_holds_its_folder() {
        let state = tempfile::tempdir().unwrap();
        let dir = RunDir::of(state.path(), &"r1".parse().unwrap());
        assert!(!is_alive(state.path(), "r1"));
        let alive = dir.create().unwrap();
        assert!(is_alive(state.path(), "r1"));
        drop(alive);
        assert!(!is_alive(state.path(), "r1") && !is_alive(state.path(), "../x"));
    }
}
