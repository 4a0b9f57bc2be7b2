//! The backup bot's repository, asked of restic within the bot's container: whether it opens, and what a snapshot holds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use harness::coopcloud::snapshot_id::SnapshotId;
use harness::failure::{Failure, Kind};
use harness::messages::{self, Speaker};
use harness::swarm::Swarm;
use jiff::Timestamp;
use serde::Deserialize;

use crate::backup_content::{Entry, is_young, listed};
use crate::report::text::one_line;

/// How long a repository is tried again while another backup has it.
const LOCKED: Duration = Duration::from_secs(20);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// What restic gives.
pub enum Said {
    /// No bot runs on this node, or its container has no restic that can be asked.
    NotAsked(&'static str),
    /// Its standard output and error.
    Output(String),
}

/// Runs restic in the bot's container, and again while its repository is locked.
///
/// # Errors
/// What restic said, as a kind; unknown words are the machine's.
pub async fn restic(swarm: &Swarm, words: &[&str], until: Instant) -> Result<Said, Failure> {
    let Some(bot) = crate::world::bot_container(swarm).await? else {
        return Ok(Said::NotAsked("no backup bot runs on this node"));
    };
    let argv: Vec<String> = ["restic", "--quiet"].iter().chain(words).map(ToString::to_string).collect();
    let locked_until = until.min(Instant::now() + LOCKED);
    loop {
        let ended = swarm.exec(&bot, &argv, &[], until).await?;
        match ended.exit {
            0 => return Ok(Said::Output(ended.output)),
            126 | 127 => return Ok(Said::NotAsked("restic cannot be started in the backup bot's container")),
            _ => {}
        }
        let row = messages::meaning(Speaker::BackupBot, &ended.output);
        if !row.passes || Instant::now() + PAUSE >= locked_until {
            if !row.passes && is_remote(swarm, &bot, until).await && !ended.output.contains("wrong password") {
                return Ok(Said::NotAsked("the bot's program sets up what its remote repository is opened with"));
            }
            let what = format!("the backup bot's repository: {}: {}", row.means, one_line(&ended.output, 200));
            return Err(Failure::new(row.kind, what, row.look_at));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Opens the repository, as each backup does, and changes nothing. Whether it could be asked; one that nobody has
/// made yet is made by the first backup.
///
/// # Errors
/// It does not open.
pub async fn opens(swarm: &Swarm, until: Instant) -> Result<String, Failure> {
    match restic(swarm, &["--no-lock", "cat", "config"], until).await {
        Ok(Said::Output(_)) => Ok("the backup bot's repository opens".to_owned()),
        Ok(Said::NotAsked(why)) => Ok(format!("{why}, so its repository was not opened")),
        Err(failure) if is_not_made(swarm, until).await => {
            let _ = failure;
            Ok("the backup bot has no repository yet; the first backup makes it".to_owned())
        }
        Err(failure) => Err(failure),
    }
}

/// Whether the repository is at a server: the bot may take its keys from secrets, which a command in its container does
/// not see.
async fn is_remote(swarm: &Swarm, bot: &str, until: Instant) -> bool {
    let argv = ["sh", "-c", "case $RESTIC_REPOSITORY in *:*) ;; *) exit 1;; esac"].map(str::to_owned);
    swarm.exec(bot, &argv, &[], until).await.is_ok_and(|ended| ended.exit == 0)
}

/// Whether the bot's repository is in a folder of its own in which there is nothing yet. Elsewhere only restic can look.
async fn is_not_made(swarm: &Swarm, until: Instant) -> bool {
    let script = "case $RESTIC_REPOSITORY in ''|*:*) exit 1;; esac; \
                  [ -d \"${RESTIC_REPOSITORY%/*}\" ] && [ -z \"$(ls -A \"$RESTIC_REPOSITORY\" 2>/dev/null)\" ]";
    let Ok(Some(bot)) = crate::world::bot_container(swarm).await else { return false };
    let argv = ["sh", "-c", script].map(str::to_owned);
    swarm.exec(&bot, &argv, &[], until).await.is_ok_and(|ended| ended.exit == 0)
}

/// A snapshot of restic's list.
#[derive(Deserialize)]
struct Fact {
    id: String,
    time: Timestamp,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
}

/// The entries of a backup's snapshots: of those that it said it made, or of the app's that are young enough. None
/// where the repository cannot be asked.
///
/// # Errors
/// What restic said; [`Kind::BackupEmpty`] where there is no snapshot that is young enough.
pub async fn holds(
    swarm: &Swarm,
    stack: &str,
    made: &[SnapshotId],
    since: Timestamp,
    until: Instant,
) -> Result<Option<Vec<Entry>>, Failure> {
    let mut ids: Vec<String> = made.iter().map(ToString::to_string).collect();
    if ids.is_empty() {
        let Said::Output(text) = restic(swarm, &["--no-lock", "snapshots", "--json"], until).await? else {
            return Ok(None);
        };
        let Some(facts) = text.lines().find_map(|line| serde_json::from_str::<Vec<Fact>>(line).ok()) else {
            return Ok(None);
        };
        let volumes = format!("/{stack}_");
        let is_apps = |fact: &&Fact| {
            fact.hostname == stack
                || fact.tags.iter().any(|tag| tag == stack)
                || fact.paths.iter().any(|path| path.contains(&volumes))
        };
        ids = facts
            .iter()
            .filter(|fact| is_young(fact.time, since))
            .filter(is_apps)
            .map(|fact| fact.id.clone())
            .collect();
        if ids.is_empty() {
            let last = facts.iter().filter(is_apps).map(|fact| fact.time).max();
            return Err(too_old(last));
        }
    }
    let mut entries = Vec::new();
    for id in ids {
        let words = ["--no-lock", "ls", "--json", &id];
        let Said::Output(text) = restic(swarm, &words, until).await? else { return Ok(None) };
        let Some(snapshot) = listed(&text) else { return Ok(None) };
        if !is_young(snapshot.made, since) {
            return Err(too_old(Some(snapshot.made)));
        }
        entries.extend(snapshot.entries);
    }
    Ok(Some(entries))
}

fn too_old(last: Option<Timestamp>) -> Failure {
    let last = last
        .map_or_else(String::new, |time| format!("; the app's last one is from {}, before it", time.strftime("%F %T")));
    Failure::new(
        Kind::BackupEmpty,
        format!("the backup succeeded and made no snapshot{last}"),
        "what the backup bot printed, in the report; its log; the backupbot labels",
    )
}

/// Writes the volumes among its arguments that hold a file besides cc-ci's marker, whose name is `$0`.
const HOLDS: &str = "for volume; do cd \"/var/lib/docker/volumes/$volume/_data\" || exit 1; \
                     found=$(find . -mindepth 1 ! -type d ! -name \"$0\" -print -quit) || exit 1; \
                     [ -z \"$found\" ] || echo \"$volume\"; done";

/// Those of the volumes that hold something besides cc-ci's marker, seen from the bot, which has all volumes; none where
/// that cannot be told.
pub async fn with_content(swarm: &Swarm, volumes: &BTreeSet<String>, until: Instant) -> Option<BTreeSet<String>> {
    let bot = crate::world::bot_container(swarm).await.ok()??;
    let words = ["sh", "-c", HOLDS, crate::markers::MARKER_NAME].map(str::to_owned);
    let argv: Vec<String> = words.into_iter().chain(volumes.iter().cloned()).collect();
    let ended = swarm.exec(&bot, &argv, &[], until).await.ok().filter(|ended| ended.exit == 0)?;
    Some(ended.output.lines().map(|line| line.trim().to_owned()).filter(|line| volumes.contains(line)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The script is the bot's shell's to run; this runs it here, on folders of the same form.
    #[test]
    fn a_volume_holds_something_if_a_file_is_in_it_that_is_no_marker() {
        let root = tempfile::tempdir().unwrap();
        let script = HOLDS.replace("/var/lib/docker/volumes", root.path().to_str().unwrap());
        let volume = |name: &str| root.path().join(name).join("_data");
        for (name, file) in [("empty", None), ("marked", Some(".m")), ("folders", Some("a/")), ("full", Some("a/b"))] {
            std::fs::create_dir_all(volume(name).join("a")).unwrap();
            if let Some(file) = file.filter(|file| !file.ends_with('/')) {
                std::fs::write(volume(name).join(file), "x").unwrap();
            }
        }
        let run = |volumes: &[&str]| {
            let output = std::process::Command::new("sh").args(["-c", &script, ".m"]).args(volumes).output().unwrap();
            output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
        };
        assert_eq!(run(&["empty", "marked", "folders", "full"]).as_deref(), Some("full\n"));
        assert_eq!(run(&[]).as_deref(), Some(""));
        assert_eq!(run(&["full", "gone"]), None, "what is not there cannot be told");
    }
}
