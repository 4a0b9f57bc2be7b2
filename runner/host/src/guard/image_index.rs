//! The images that runs have pulled, with their last use and users. Docker cannot label a pulled image, so this is a
//! file of the state folder. Images that are not in it belong to the operator.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base::failure::Failure;
use base::names::RunId;
use fs4::fs_std::FileExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use swarm::{RegistryLogins, Swarm, with_tag};

use crate::blocking::blocking;
use journal::run_dir::RunDir;

/// By name with tag.
pub type Images = BTreeMap<String, ImageEntry>;

/// An image that a run has pulled, or is about to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageEntry {
    /// Its id; empty until it is pulled. If the name's id differs, the image belongs to the operator.
    #[serde(default)]
    pub id: String,
    /// Last use by a run: Unix seconds.
    pub used: i64,
    /// Last resolution of the name at the registry: Unix seconds.
    #[serde(default)]
    pub asked: i64,
    /// The runs that need it. Dead runs do not count.
    #[serde(default)]
    pub runs: BTreeSet<String>,
}

/// The result of [`ensure`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensured {
    pub pulled: Vec<swarm::Pulled>,
    /// Remarks on images that were already present.
    pub remarks: Vec<String>,
}

/// Seconds after which a tag is resolved again.
const MUTABLE: i64 = 24 * 3600;
/// The same after a registry did not answer.
const LATER: i64 = 3600;

/// The index, locked exclusively.
#[derive(Debug)]
pub struct ImageIndex {
    pub images: Images,
    path: PathBuf,
    _lock: File,
}

impl ImageIndex {
    /// Waits for the lock and opens the index.
    ///
    /// # Errors
    /// The state folder cannot be used.
    pub async fn open(state: &Path) -> Result<Self, Failure> {
        let state = state.to_owned();
        blocking(move || {
            let path = state.join("images.json");
            Self::open_now(&path).map_err(|error| Failure::disk("open", &path, &error))
        })
        .await
    }

    fn open_now(path: &Path) -> io::Result<Self> {
        let lock = path.with_extension("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(lock)?;
        FileExt::lock_exclusive(&lock)?;
        let images = match std::fs::read(path) {
            // An unreadable index names no image to remove.
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Images::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { images, path: path.to_owned(), _lock: lock })
    }

    /// Writes atomically.
    pub fn write(self) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &self.images)?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().map_err(|error| Failure::disk("write", &self.path, &error))
    }

    /// Removes dead runs, and their unfinished pulls: the owner of such an image is unknown.
    pub fn forget_the_dead(&mut self, is_alive: impl Fn(&str) -> bool) {
        for entry in self.images.values_mut() {
            entry.runs.retain(|run| is_alive(run));
        }
        self.images.retain(|_, entry| !entry.id.is_empty() || !entry.runs.is_empty());
    }
}

/// Whether a run's process lives. The index only has runs of this state folder.
pub(super) fn is_alive(state: &Path, run: &str) -> bool {
    run.parse::<RunId>().is_ok_and(|run| {
        let dir = RunDir::of(state, &run);
        dir.path().exists() && !dir.is_reported() && dir.take_over().is_none()
    })
}

/// Pulls missing images and records them: an image that a run has pulled belongs to cc-ci from then on, and stays at
/// least until this run is over. A tag that was pulled by cc-ci is pulled again after a day, since it may have moved;
/// if that fails, the present image is used, with a remark. Returns the pulled images.
///
/// # Errors
/// As for [`Swarm::ensure`], and if the state folder cannot be used.
pub async fn ensure(
    swarm: &Swarm,
    state: &Path,
    run: &RunId,
    images: &[String],
    logins: &RegistryLogins,
    say: &mut (dyn FnMut(&str) + Send),
) -> Result<Ensured, Failure> {
    note_use(swarm, state, run, images).await?;
    let remarks = refresh(swarm, state, images, logins, say).await?;
    // Each as soon as it is pulled, since a later one may fail.
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let pull = async move {
        let mut on_pulled = |pulled: &swarm::Pulled| {
            let _ = tell.send((with_tag(&pulled.image), pulled.id.clone()));
        };
        swarm.ensure_and_tell(images, logins, say, &mut on_pulled).await
    };
    let keep_book = async {
        while let Some((image, id)) = told.recv().await {
            let mut book = ImageIndex::open(state).await?;
            if let Some(entry) = book.images.get_mut(&image) {
                entry.id = id;
            }
            book.write()?;
        }
        Ok::<(), Failure>(())
    };
    let (pulled, kept) = tokio::join!(pull, keep_book);
    kept?;
    Ok(Ensured { pulled: pulled?, remarks })
}

/// Pulls again those tags that belong to cc-ci and were resolved long ago.
async fn refresh(
    swarm: &Swarm,
    state: &Path,
    images: &[String],
    logins: &RegistryLogins,
    say: &mut (dyn FnMut(&str) + Send),
) -> Result<Vec<String>, Failure> {
    let book = ImageIndex::open(state).await?;
    let due = due(&book.images, images, Timestamp::now().as_second());
    // The lock is not held while a registry responds.
    drop(book);
    let mut remarks = Vec::new();
    for (image, old) in due {
        say(&format!("asking whether {image} means another image now"));
        let asked = swarm.refresh(&image, logins).await;
        let now = Timestamp::now().as_second();
        let mut book = ImageIndex::open(state).await?;
        if let Some(entry) = book.images.get_mut(&image).filter(|entry| entry.id == old) {
            match &asked {
                Ok(pulled) => {
                    entry.id.clone_from(&pulled.id);
                    entry.asked = now;
                }
                // Not at each stage of each run.
                Err(_) => entry.asked = now - MUTABLE + LATER,
            }
        }
        book.write()?;
        match asked {
            Ok(pulled) if pulled.id != old => {
                // The old one stays without a name: an operator may have tagged it.
                remarks.push(format!("{image} means another image than at its last pull"));
            }
            Ok(_) => {}
            Err(failure) => {
                remarks.push(format!("whether {image} means another image now is not known: {}", failure.what))
            }
        }
    }
    Ok(remarks)
}

/// The tags to resolve again, with their previous ids. A digest never changes.
fn due(images: &Images, wanted: &[String], now: i64) -> BTreeMap<String, String> {
    let names = wanted.iter().filter(|image| !image.contains('@')).map(|image| with_tag(image));
    let ours = names.filter_map(|name| Some((images.get(&name)?, name)));
    let due = ours.filter(|(entry, _)| !entry.id.is_empty() && now - entry.asked >= MUTABLE);
    due.map(|(entry, name)| (name, entry.id.clone())).collect()
}

async fn note_use(swarm: &Swarm, state: &Path, run: &RunId, images: &[String]) -> Result<(), Failure> {
    let mut book = ImageIndex::open(state).await?;
    let now = Timestamp::now().as_second();
    for image in images {
        let image = with_tag(image);
        let here = swarm.image_id(&image).await?;
        note(&mut book.images, &image, here.as_deref(), run.as_str(), now);
    }
    book.write()
}

/// Records that a run needs an image, with the id of the present one, if any.
fn note(images: &mut Images, image: &str, here: Option<&str>, run: &str, now: i64) {
    let known = images.get(image).map(|entry| entry.id.clone());
    match (here, known) {
        // It was present before and not pulled by cc-ci.
        (Some(_), None) => return,
        // Another process is pulling it at this moment: the pull itself will tell.
        (Some(_), Some(known)) if known.is_empty() => {}
        // The operator gave the name to another image, which belongs to them.
        (Some(id), Some(known)) if known != id => {
            images.remove(image);
            return;
        }
        (None, _) => {
            let entry = images.entry(image.to_owned()).or_insert_with(|| ImageEntry {
                id: String::new(),
                used: now,
                asked: now,
                runs: BTreeSet::new(),
            });
            entry.id.clear();
            entry.asked = now;
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
    fn a_tag_is_asked_for_again_after_a_day_and_a_digest_never() {
        let mut images = Images::new();
        noted(&mut images, None, "r1");
        let wanted = ["nginx:1".to_owned(), "nginx@sha256:00".to_owned(), "theirs:1".to_owned()];
        assert!(due(&images, &wanted, 100 + MUTABLE).is_empty(), "it is being pulled");
        images.get_mut("nginx:1").unwrap().id = "sha256:1".to_owned();
        images.insert("nginx@sha256:00".to_owned(), images["nginx:1"].clone());
        assert!(due(&images, &wanted, 99 + MUTABLE).is_empty());
        let found: Vec<(String, String)> = due(&images, &wanted, 100 + MUTABLE).into_iter().collect();
        assert_eq!(found, [("nginx:1".to_owned(), "sha256:1".to_owned())]);
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
        let mut book = ImageIndex::open_now(&dir.path().join("images.json")).unwrap();
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
        let mut book = ImageIndex::open_now(&path).unwrap();
        noted(&mut book.images, None, "r1");
        let images = book.images.clone();
        let other = OpenOptions::new().write(true).open(path.with_extension("lock")).unwrap();
        assert!(!FileExt::try_lock_exclusive(&other).unwrap());
        book.write().unwrap();
        assert!(FileExt::try_lock_exclusive(&other).unwrap());
        drop(other);
        assert_eq!(ImageIndex::open_now(&path).unwrap().images, images);
        std::fs::write(&path, "{ not json").unwrap();
        assert_eq!(ImageIndex::open_now(&path).unwrap().images, Images::new());
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
