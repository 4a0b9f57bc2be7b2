//! Markers: small files that cc-ci plants in an app's volumes, to show that data outlives an
//! upgrade and comes back from a backup. They go in and out by the engine's archive call, so the
//! container needs no shell.

use base::failure::Failure;
use base::names::StackName;
use futures_util::future::try_join_all;
use host::backup_content::MARKER_NAME;
use swarm::{MountedVolume, Swarm};

/// One planted file.
#[derive(Debug, Clone)]
pub struct Marker {
    /// The volume's short name.
    pub volume: String,
    /// The folder of the file below the volume's root; empty for the root itself.
    below: String,
    content: String,
}

impl Marker {
    /// Plants a marker in a folder of a mounted volume.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn plant(swarm: &Swarm, mount: &MountedVolume, below: &str, content: &str) -> Result<Self, Failure> {
        let marker = Self { volume: mount.short.clone(), below: below.to_owned(), content: content.to_owned() };
        swarm.put_file(&mount.container, &marker.folder(mount), MARKER_NAME, content.as_bytes()).await?;
        Ok(marker)
    }

    /// Whether the planted content is there.
    async fn is_there(&self, swarm: &Swarm, mounts: &[MountedVolume]) -> Result<bool, Failure> {
        let Some(mount) = self.mount(mounts) else { return Ok(false) };
        let found = swarm.get_file(&mount.container, &format!("{}/{MARKER_NAME}", self.folder(mount))).await?;
        Ok(found.as_deref() == Some(self.content.as_bytes()))
    }

    /// The volume, wherever it is mounted now; none where no service has it any more.
    fn mount<'a>(&self, mounts: &'a [MountedVolume]) -> Option<&'a MountedVolume> {
        mounts.iter().find(|mount| mount.short == self.volume && !mount.read_only)
    }

    fn folder(&self, mount: &MountedVolume) -> String {
        if self.below.is_empty() { mount.path.clone() } else { format!("{}/{}", mount.path, self.below) }
    }
}

/// Replaces markers, so that what was planted is gone. The volumes as they are mounted now.
///
/// # Errors
/// What the engine said.
pub async fn wipe(swarm: &Swarm, stack: &StackName, markers: &[Marker]) -> Result<Vec<MountedVolume>, Failure> {
    let mounts = swarm.mounted(stack).await?;
    let wipes = markers.iter().filter_map(|marker| Some((marker, marker.mount(&mounts)?)));
    try_join_all(wipes.map(async |(marker, mount)| {
        swarm.put_file(&mount.container, &marker.folder(mount), MARKER_NAME, b"wiped").await
    }))
    .await?;
    Ok(mounts)
}

/// The volumes in which what was planted is not there, in the markers' order.
///
/// # Errors
/// What the engine said.
pub async fn missing(swarm: &Swarm, mounts: &[MountedVolume], markers: &[Marker]) -> Result<Vec<String>, Failure> {
    let found = try_join_all(markers.iter().map(|marker| marker.is_there(swarm, mounts))).await?;
    Ok(markers.iter().zip(found).filter(|(_, found)| !found).map(|(marker, _)| marker.volume.clone()).collect())
}
