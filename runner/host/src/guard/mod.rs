//! Whether a node has room for a run: what is free, what is wanted, and what can be given up for it.

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

/// How long a look at the node may take.
const LOOK: Duration = Duration::from_secs(15);

/// What the engine's node and the state folder have.
pub async fn look(swarm: &Swarm, state: &Path) -> Result<Facts, Failure> {
    let node = swarm.room(Instant::now() + LOOK).await?;
    // A state folder that is not made yet will be on the disk of what is there above it.
    let room = state.ancestors().find_map(|path| DiskRoom::of(path).ok());
    Ok(Facts {
        node: node.node,
        docker: (node.data_root, node.disk),
        state: (state.display().to_string(), room),
        memory: node.memory,
    })
}

/// Sees to it that there is room: what is wanted and not there is made, as far as unused images give it.
/// `memory_mib` is what the run's apps need.
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
    // What is due goes also where there is room.
    let mut gone = prune(swarm, state, Until::Unused(guards.images_unused)).await?;
    let mut facts = look(swarm, state).await?;
    if lacks(&facts, &wanted).iter().any(Lack::helped_by_pruning) {
        gone.extend(prune(swarm, state, Until::Enough(wanted)).await?);
        facts = look(swarm, state).await?;
    }
    let lacking = lacks(&facts, &wanted);
    if lacking.is_empty() { Ok((facts, gone)) } else { Err(failure(&facts, &lacking, &gone)) }
}
