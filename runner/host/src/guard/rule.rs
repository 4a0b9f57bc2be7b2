//! The rule: enough, or what is lacking. Pure.

use base::failure::{Failure, Kind};
use swarm::{DiskRoom, MemoryRoom};

use super::Pruned;
use crate::settings::Guards;

const MIB: u64 = 1024 * 1024;

/// Number of files that a run creates in the state folder, times a margin.
const STATE_INODES: u64 = 2_000;

/// The free resources. Unknown ones are `None`, and not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The name of the engine's node.
    pub node: String,
    /// Docker's data folder on that node, and its disk.
    pub docker: (String, Option<DiskRoom>),
    /// cc-ci's state folder on this machine, and its disk.
    pub state: (String, Option<DiskRoom>),
    pub memory: Option<MemoryRoom>,
}

/// The required resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserves {
    /// Free bytes in docker's data folder.
    pub docker: u64,
    /// Free inodes there.
    pub docker_inodes: u64,
    /// Free bytes in the state folder.
    pub state: u64,
    /// Available bytes of memory.
    pub memory: u64,
}

impl Reserves {
    /// From the settings, plus the memory of a run's apps; `None` before the run has its slot: until then other runs
    /// use that memory.
    pub fn of(guards: &Guards, memory_mib: Option<u64>) -> Self {
        let mib = |number: u32| u64::from(number) * MIB;
        Self {
            docker: mib(guards.reserve_disk),
            docker_inodes: guards.reserve_inodes.into(),
            state: mib(guards.reserve_state),
            memory: memory_mib.map_or(0, |apps| mib(guards.reserve_memory).saturating_add(apps.saturating_mul(MIB))),
        }
    }
}

/// A resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// Bytes in docker's data folder.
    DockerDisk,
    /// Inodes there.
    DockerInodes,
    /// Bytes in the state folder.
    StateDisk,
    /// Inodes there.
    StateInodes,
    Memory,
}

/// A lacking resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    pub thing: Thing,
    /// A folder or a node.
    pub place: String,
    /// Bytes or inodes.
    pub free: u64,
    pub wanted: u64,
}

impl Lack {
    /// Whether removing images could help.
    pub fn helped_by_pruning(&self) -> bool {
        matches!(self.thing, Thing::DockerDisk | Thing::DockerInodes)
    }

    pub fn look_at(&self) -> &'static str {
        match self.thing {
            Thing::DockerDisk | Thing::DockerInodes => {
                "`docker system df` shows what uses it; `cc-ci reap` removes apps of dead runs; \
                 --reserve-disk and --reserve-inodes set the reserve"
            }
            Thing::StateDisk | Thing::StateInodes => {
                "old folders in runs/ of the state folder can be removed; --state sets another one, --reserve-state \
                 sets the reserve"
            }
            Thing::Memory => {
                "what else runs there (`docker stats`); kept apps end by `cc-ci reap --run`; [weight] in \
                 recipe.toml, if it is too high; --reserve-memory sets the reserve"
            }
        }
    }
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { place, free, wanted, .. } = self;
        match self.thing {
            Thing::DockerDisk => {
                write!(f, "docker's data folder {place} has {} free of {} required", size(*free), size(*wanted))
            }
            Thing::StateDisk => {
                write!(f, "the state folder {place} has {} free of {} required", size(*free), size(*wanted))
            }
            Thing::DockerInodes => {
                write!(f, "docker's data folder {place} has {free} free inodes of {wanted} required")
            }
            Thing::StateInodes => write!(f, "the state folder {place} has {free} free inodes of {wanted} required"),
            Thing::Memory => {
                write!(f, "node {place} has {} of memory available of {} required", size(*free), size(*wanted))
            }
        }
    }
}

/// The lacking resources, the most likely culprit first.
pub fn lacks(facts: &Facts, wanted: &Reserves) -> Vec<Lack> {
    let bytes = |disk: Option<DiskRoom>| disk.map(|disk| disk.free);
    let inodes = |disk: Option<DiskRoom>| disk.and_then(|disk| disk.inodes);
    let (docker, docker_disk) = &facts.docker;
    let (state, state_disk) = &facts.state;
    let memory = facts.memory.map(|memory| memory.available);
    [
        (Thing::DockerDisk, docker, bytes(*docker_disk), wanted.docker),
        (Thing::DockerInodes, docker, inodes(*docker_disk), wanted.docker_inodes),
        (Thing::StateDisk, state, bytes(*state_disk), wanted.state),
        (Thing::StateInodes, state, inodes(*state_disk), STATE_INODES),
        (Thing::Memory, &facts.node, memory, wanted.memory),
    ]
    .into_iter()
    .filter_map(|(thing, place, free, wanted)| {
        let free = free.filter(|free| *free < wanted)?;
        Some(Lack { thing, place: place.clone(), free, wanted })
    })
    .collect()
}

pub fn failure(facts: &Facts, lacking: &[Lack], gone: &[Pruned]) -> Failure {
    let all: Vec<String> = lacking.iter().map(ToString::to_string).collect();
    let look_at = lacking.first().map_or("", Lack::look_at);
    let what = format!("there are not enough resources for a run: {}", all.join("; "));
    let mut detail = vec![facts.to_string()];
    if lacking.iter().any(Lack::helped_by_pruning) {
        detail.push(match gone {
            [] => "no image could go: runs have pulled none that is unused".to_owned(),
            gone => format!("removing these images was not enough: {}", names(gone)),
        });
    }
    Failure::new(Kind::NodeFull, what, look_at).with_detail(detail.join("\n"))
}

/// The names of images, for a line.
pub fn names(gone: &[Pruned]) -> String {
    gone.iter().map(|one| one.image.as_str()).collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let disk = |disk: Option<DiskRoom>| match disk {
            Some(disk) => format!("{} of {} are free", size(disk.free), size(disk.total)),
            None => "the free space is unknown".to_owned(),
        };
        let memory = match self.memory {
            Some(memory) => format!("{} of {} of memory are available", size(memory.available), size(memory.total)),
            None => "its memory is unknown".to_owned(),
        };
        let Self { node, docker, state, .. } = self;
        write!(f, "node {node}: {} in {}, {memory}; {} in {}", disk(docker.1), docker.0, disk(state.1), state.0)
    }
}

/// Bytes for people: `512 MiB`, `4.0 GiB`.
fn size(bytes: u64) -> String {
    match bytes / MIB {
        mib @ 0..1024 => format!("{mib} MiB"),
        mib => format!("{}.{} GiB", mib / 1024, mib % 1024 * 10 / 1024),
    }
}

#[cfg(test)]
mod tests;
