//! Removes images that runs have pulled, that are unused, and that are old or in the way.

use std::collections::BTreeSet;
use std::path::Path;

use base::failure::Failure;
use jiff::Timestamp;
use serde::Serialize;
use swarm::Swarm;

use super::image_index::{ImageIndex, Images, is_alive};
use super::{Reserves, lacks, look};

const DAY: i64 = 24 * 3600;

/// How many images to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Those unused for this many days.
    Unused(u16),
    /// Least recently used first, until there is enough space.
    Enough(Reserves),
}

/// A removed image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pruned {
    pub image: String,
    /// Last use: Unix seconds.
    pub used: i64,
}

/// Removes images. Only images in the index are removed, and never by force: the engine keeps those in use.
///
/// # Errors
/// The engine does not answer, or the state folder cannot be used.
pub async fn prune(swarm: &Swarm, state: &Path, until: Until) -> Result<Vec<Pruned>, Failure> {
    if !state.join("images.json").exists() {
        return Ok(Vec::new());
    }
    // Locked to the end: a concurrent run waits, and then finds the images gone.
    let mut book = ImageIndex::open(state).await?;
    book.forget_the_dead(|run| is_alive(state, run));
    let now = Timestamp::now().as_second();
    let older_than = match until {
        Until::Unused(days) => i64::from(days) * DAY,
        Until::Enough(_) => 0,
    };
    let mut gone = Vec::new();
    let due = unused(&book.images, &BTreeSet::new(), now, older_than);
    if !due.is_empty() {
        let in_use = swarm.images_in_use().await?;
        for one in unused(&book.images, &in_use, now, older_than) {
            if let Until::Enough(wanted) = until
                && !lacks(&look(swarm, state).await?, &wanted).iter().any(super::Lack::helped_by_pruning)
            {
                break;
            }
            let known = book.images.get(&one.image).map(|entry| entry.id.clone());
            if swarm.image_id(&one.image).await? != known {
                // It is gone, or the operator gave its name to another image.
                book.images.remove(&one.image);
            } else if swarm.remove_image(&one.image).await? {
                book.images.remove(&one.image);
                gone.push(one);
            }
        }
    }
    book.write()?;
    Ok(gone)
}

/// Removable images, least recently used first: in the index, and not needed by a live run, a container or a service.
pub fn unused(images: &Images, in_use: &BTreeSet<String>, now: i64, older_than: i64) -> Vec<Pruned> {
    let mut found: Vec<Pruned> = images
        .iter()
        .filter(|(image, entry)| {
            let needed = in_use.contains(*image) || in_use.contains(&entry.id) || !entry.runs.is_empty();
            !needed && !entry.id.is_empty() && now.saturating_sub(entry.used) >= older_than
        })
        .map(|(image, entry)| Pruned { image: image.clone(), used: entry.used })
        .collect();
    found.sort_by_key(|one| one.used);
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ImageEntry;
    use super::*;

    fn entry(used: i64, run: Option<&str>) -> ImageEntry {
        ImageEntry {
            id: format!("sha256:{used}"),
            used,
            asked: used,
            runs: run.map(str::to_owned).into_iter().collect(),
        }
    }

    #[test]
    fn the_longest_unused_goes_first_and_what_is_needed_stays() {
        let images: Images = [
            ("new:1", entry(900, None)),
            ("old:1", entry(100, None)),
            ("older:1", entry(50, None)),
            ("run:1", entry(10, Some("r1"))),
            ("service:1", entry(20, None)),
            ("container:1", entry(30, None)),
            ("pulling:1", ImageEntry { id: String::new(), ..entry(1, None) }),
        ]
        .map(|(name, entry)| (name.to_owned(), entry))
        .into();
        let in_use = ["service:1", "sha256:30"].map(str::to_owned).into();
        let names = |older_than| -> Vec<String> {
            unused(&images, &in_use, 1_000, older_than).into_iter().map(|one| one.image).collect()
        };
        assert_eq!(names(0), ["older:1", "old:1", "new:1"]);
        assert_eq!(names(500), ["older:1", "old:1"]);
        assert_eq!(names(2_000), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn nothing_goes_that_is_needed_or_not_ours(
            book in proptest::collection::btree_map("[a-d]", (0..100_i64, any::<bool>(), any::<bool>()), 0..5),
            in_use in proptest::collection::btree_set("[a-f]", 0..4),
            now in 0..200_i64,
            older_than in 0..100_i64,
        ) {
            let images: Images = book
                .iter()
                .map(|(name, (used, by_run, here))| {
                    let runs = by_run.then(|| "r".to_owned()).into_iter().collect();
                    let id = if *here { format!("id-{name}") } else { String::new() };
                    (name.clone(), ImageEntry { id, used: *used, asked: *used, runs })
                })
                .collect();
            let gone = unused(&images, &in_use, now, older_than);
            prop_assert!(gone.is_sorted_by_key(|one| one.used));
            for one in &gone {
                let entry = &images[&one.image];
                prop_assert!(entry.runs.is_empty() && !in_use.contains(&one.image) && !entry.id.is_empty());
                prop_assert!(now - entry.used >= older_than);
            }
            // A longer time never removes more.
            prop_assert!(unused(&images, &in_use, now, older_than + 1).len() <= gone.len());
        }
    }
}
