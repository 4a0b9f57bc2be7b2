//! Whether a node has the resources for a run: what is free, what is required, and what can be removed.

mod image_index;
mod prune;
mod rule;

use std::path::Path;
use std::time::{Duration, Instant};

use base::failure::Failure;
use swarm::{DiskRoom, Swarm};

pub use image_index::{Ensured, ImageEntry, ImageIndex, Images, ensure};
pub use prune::{Pruned, Until, prune, unused};
pub use rule::names;
pub use rule::{Facts, Lack, Reserves, Thing, failure, lacks};

use crate::settings::Guards;

/// Timeout of the check of a node.
const LOOK: Duration = Duration::from_secs(15);

/// The resources of the engine's node and the state folder.
pub async fn look(swarm: &Swarm, state: &Path) -> Result<Facts, Failure> {
    let node = swarm.room(Instant::now() + LOOK).await?;
    // A missing state folder will be on the disk of its nearest existing parent.
    let room = state.ancestors().find_map(|path| DiskRoom::of(path).ok());
    Ok(Facts {
        node: node.node,
        docker: (node.data_root, node.disk),
        state: (state.display().to_string(), room),
        memory: node.memory,
    })
}

/// Ensures free resources, by removing unused images if necessary. `memory_mib` is what the run's apps need.
///
/// # Errors
/// [`base::failure::Kind::NodeFull`] with everything that is still lacking.
pub async fn make_room(
    swarm: &Swarm,
    state: &Path,
    guards: &Guards,
    memory_mib: Option<u64>,
) -> Result<(Facts, Vec<Pruned>), Failure> {
    let wanted = Reserves::of(guards, memory_mib);
    // Expired images are removed in any case.
    let mut gone = prune(swarm, state, Until::Unused(guards.images_unused)).await?;
    let mut facts = look(swarm, state).await?;
    if lacks(&facts, &wanted).iter().any(Lack::helped_by_pruning) {
        gone.extend(prune(swarm, state, Until::Enough(wanted)).await?);
        facts = look(swarm, state).await?;
    }
    let lacking = lacks(&facts, &wanted);
    if lacking.is_empty() { Ok((facts, gone)) } else { Err(failure(&facts, &lacking, &gone)) }
}
