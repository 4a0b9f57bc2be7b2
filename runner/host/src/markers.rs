//! Markers: small files that cc-ci writes into an app's volumes, to show that data survives an upgrade and is restored
//! from a backup. They are transferred by the engine's archive API, so the container needs no shell. The engine starts
//! a program for each call, which takes 50 to 200 ms; the backup bot sees the volumes too, and answers in a few. So a
//! marker at the root of a volume in docker's own folder is written by the bot. If the bot does not find it, the
//! archive API is used.

use std::time::{Duration, Instant};

use crate::backup_content::MARKER_NAME;
use base::failure::Failure;
use base::names::StackName;
use futures_util::future::try_join_all;
use swarm::{MountedVolume, Swarm};

/// A written marker.
#[derive(Debug, Clone)]
pub struct Marker {
    /// The volume's short name.
    pub volume: String,
    /// The folder of the file below the volume's root; empty for the root itself.
    below: String,
    content: String,
    /// The full name of the volume, if the bot has written the marker.
    by_bot: Option<String>,
}

/// Timeout of the bot, after which the archive API is used.
const A_MOMENT: Duration = Duration::from_secs(5);

/// Writes the text `$3` to the file `$2` of the volume `$1`, replacing an existing one. No link is followed: `set -C`
/// only creates new files.
const PUT: &str = "cd \"/var/lib/docker/volumes/$1/_data\" && rm -f \"$2\" && set -C && printf %s \"$3\" >\"$2\"";

/// Whether the file `$2` of the volume `$1` is a regular one with the text `$3`.
const HAS: &str =
    "cd \"/var/lib/docker/volumes/$1/_data\" && [ -f \"$2\" ] && [ ! -L \"$2\" ] && [ \"$(cat \"$2\")\" = \"$3\" ]";

/// Runs a script in the bot; whether that succeeded.
async fn in_bot(swarm: &Swarm, script: &str, volume: &str, content: &str) -> bool {
    let argv = ["sh", "-c", script, "sh", volume, MARKER_NAME, content].map(str::to_owned);
    let ended = swarm.in_bot(&argv, Instant::now() + A_MOMENT).await;
    matches!(ended, Ok(Some(ended)) if ended.exit == 0)
}

impl Marker {
    /// Writes a marker in a folder of a mounted volume.
    pub async fn plant(swarm: &Swarm, mount: &MountedVolume, below: &str, content: &str) -> Result<Self, Failure> {
        let mut marker =
            Self { volume: mount.short.clone(), below: below.to_owned(), content: content.to_owned(), by_bot: None };
        if below.is_empty() && swarm.is_in_dockers_folder(&mount.name).await? {
            marker.by_bot = in_bot(swarm, PUT, &mount.name, content).await.then(|| mount.name.clone());
        }
        if marker.by_bot.is_none() {
            swarm.put_file(&mount.container, &marker.folder(mount), MARKER_NAME, content.as_bytes()).await?;
        }
        Ok(marker)
    }

    /// Whether the marker's content is there.
    async fn is_there(&self, swarm: &Swarm, mounts: &[MountedVolume]) -> Result<bool, Failure> {
        let Some(mount) = self.mount(mounts) else { return Ok(false) };
        if self.by_bot.as_ref() == Some(&mount.name) && in_bot(swarm, HAS, &mount.name, &self.content).await {
            return Ok(true);
        }
        let found = swarm.get_file(&mount.container, &format!("{}/{MARKER_NAME}", self.folder(mount))).await?;
        Ok(found.as_deref() == Some(self.content.as_bytes()))
    }

    /// The volume's current mount, if a service still has it.
    fn mount<'a>(&self, mounts: &'a [MountedVolume]) -> Option<&'a MountedVolume> {
        mounts.iter().find(|mount| mount.short == self.volume && !mount.read_only)
    }

    fn folder(&self, mount: &MountedVolume) -> String {
        if self.below.is_empty() { mount.path.clone() } else { format!("{}/{}", mount.path, self.below) }
    }
}

/// The content of a wiped marker.
const WIPED: &str = "wiped";

/// Overwrites markers. Returns the volumes' current mounts.
pub async fn wipe(swarm: &Swarm, stack: &StackName, markers: &[Marker]) -> Result<Vec<MountedVolume>, Failure> {
    let mounts = swarm.mounted(stack).await?;
    let wipes = markers.iter().filter_map(|marker| Some((marker, marker.mount(&mounts)?)));
    try_join_all(wipes.map(async |(marker, mount)| {
        if marker.by_bot.as_ref() == Some(&mount.name) && in_bot(swarm, PUT, &mount.name, WIPED).await {
            return Ok(());
        }
        swarm.put_file(&mount.container, &marker.folder(mount), MARKER_NAME, WIPED.as_bytes()).await
    }))
    .await?;
    Ok(mounts)
}

/// The volumes without their marker's content, in the markers' order.
pub async fn missing(swarm: &Swarm, mounts: &[MountedVolume], markers: &[Marker]) -> Result<Vec<String>, Failure> {
    let found = try_join_all(markers.iter().map(|marker| marker.is_there(swarm, mounts))).await?;
    Ok(markers.iter().zip(found).filter(|(_, found)| !found).map(|(marker, _)| marker.volume.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bot's shell runs these scripts; this test runs them on a folder of the same form.
    #[test]
    fn a_marker_is_a_plain_file_and_no_link_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("v/_data");
        std::fs::create_dir_all(&data).unwrap();
        let run = |script: &str, volume: &str, content: &str| {
            let script = script.replace("/var/lib/docker/volumes", root.path().to_str().unwrap());
            let args = ["-c", &script, "sh", volume, ".m", content];
            std::process::Command::new("sh").args(args).output().unwrap().status.success()
        };
        let (marker, outside) = (data.join(".m"), root.path().join("outside"));
        assert!(!run(HAS, "v", "one") && run(PUT, "v", "one") && run(HAS, "v", "one"));
        assert!(!run(HAS, "v", "two") && run(PUT, "v", WIPED) && !run(HAS, "v", "one"));
        std::fs::write(&outside, "one").unwrap();
        std::fs::remove_file(&marker).unwrap();
        std::os::unix::fs::symlink(&outside, &marker).unwrap();
        assert!(!run(HAS, "v", "one"), "what a link leads to is no marker");
        assert!(run(PUT, "v", "two") && run(HAS, "v", "two"));
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "one");
        assert!(!run(PUT, "gone", "one"), "a volume that the bot does not see");
    }
}
