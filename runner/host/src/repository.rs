//! Queries the backup bot's repository with restic in the bot's container: whether it opens, and the content of
//! snapshots.
//!
//! restic locks the repository for readers and writers, and refuses to forget snapshots at the same time; while it
//! forgets, it refuses all others. Runs of cc-ci, on any machine, coordinate with their own lock in the bot's
//! container, which they share. The bot's own nightly backup does not use it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::messages::{self, Speaker};
use coopcloud::snapshot_id::SnapshotId;
use jiff::Timestamp;
use serde::Deserialize;
use swarm::{Bot, Holding, Swarm};
use tokio_util::task::AbortOnDropHandle;

use crate::backup_content::{SnapshotEntry, is_young, listed};
use journal::text::one_line;

/// How long to retry while another backup locks the repository.
const LOCKED: Duration = Duration::from_secs(20);
/// Timeout of a check that nothing waits for yet.
const LONGEST: Duration = Duration::from_secs(120);
/// The lock file in the bot's container that excludes backups of all runs while snapshots are forgotten.
const TURNS: &str = "/tmp/cc-ci.lock";
/// Age after which a lock of restic that was not renewed has no owner, as in restic itself.
const STALE: jiff::SignedDuration = jiff::SignedDuration::from_mins(30);
/// Maximum number of locks to inspect.
const MANY_LOCKS: usize = 3;
/// MiB: with less, the repository's disk counts as full.
const FULL_MIB: u64 = 64;
/// Pause between retries.
const PAUSE: Duration = Duration::from_millis(500);

/// restic's output.
pub enum ResticAnswer {
    /// No bot runs on this node, or its container has no usable restic.
    NotAsked(String),
    /// Its standard output and error.
    Output(String),
}

/// Runs restic in the bot's container, with retries while its repository is locked.
///
/// # Errors
/// restic's message as a kind; unknown messages are the machine's.
pub async fn restic(swarm: &Swarm, words: &[&str], until: Instant) -> Result<ResticAnswer, Failure> {
    let bot = match swarm.backup_bot().await? {
        Bot::Here { container } => container,
        Bot::Elsewhere { node } => {
            return Ok(ResticAnswer::NotAsked(format!("the backup bot runs on the node {node}")));
        }
        Bot::None | Bot::Stopped { .. } => return Ok(ResticAnswer::NotAsked("no backup bot runs".to_owned())),
    };
    let argv: Vec<String> = ["restic", "--quiet"].iter().chain(words).map(ToString::to_string).collect();
    let locked_until = until.min(Instant::now() + LOCKED);
    loop {
        let ended = swarm.exec(&bot, &argv, &[], until).await?;
        match ended.exit {
            0 => return Ok(ResticAnswer::Output(ended.output)),
            126 | 127 => {
                return Ok(ResticAnswer::NotAsked("restic cannot be started in the backup bot's container".to_owned()));
            }
            _ => {}
        }
        let row = messages::meaning(Speaker::BackupBot, &ended.output);
        if !row.passes || Instant::now() + PAUSE >= locked_until {
            if !row.passes && is_remote(swarm, &bot, until).await && !ended.output.contains("wrong password") {
                let why = "the bot's program sets up what its remote repository is opened with";
                return Ok(ResticAnswer::NotAsked(why.to_owned()));
            }
            let what = format!("the backup bot's repository: {}: {}", row.means, one_line(&ended.output, 200));
            return Err(Failure::new(row.kind, what, row.look_at));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Opens the repository, as each backup does, and checks for stale locks and free space, without changes. A repository
/// that does not exist is created by the first backup.
///
/// # Errors
/// No bot runs; its repository does not open; a stale lock prevents every backup; its disk is full.
pub async fn opens(swarm: &Swarm, until: Instant) -> Result<Looked, Failure> {
    if let Bot::Stopped { service, why } = swarm.backup_bot().await? {
        let what = format!("the service {service} of the backup bot has no task that runs: {why}");
        return Err(Failure::new(Kind::BackupBotUnusable, what, format!("docker service ps --no-trunc {service}")));
    }
    let (listed, room) = tokio::join!(restic(swarm, &["--no-lock", "list", "locks"], until), room(swarm, until));
    let locks = match listed {
        Ok(ResticAnswer::Output(text)) => locks(swarm, &text, until).await?,
        Ok(ResticAnswer::NotAsked(why)) => {
            return Ok(Looked::NotAsked(format!("{why}, so its repository was not opened")));
        }
        Err(failure) if is_not_made(swarm, until).await => {
            let _ = failure;
            return Ok(Looked::Well("the backup bot has no repository yet; the first backup creates it".to_owned()));
        }
        Err(failure) => return Err(failure),
    };
    judged(&locks, room, Timestamp::now())
}

/// A check of the repository in the background: restic takes half a second to open one.
pub type Opening = AbortOnDropHandle<Result<Looked, Failure>>;

/// Starts to open the repository.
pub fn begin_to_open(swarm: &Swarm) -> Opening {
    let swarm = swarm.clone();
    AbortOnDropHandle::new(tokio::spawn(async move { opens(&swarm, Instant::now() + LONGEST).await }))
}

/// The result if backups are possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// Everything is fine.
    Well(String),
    /// Backups work, with the limit in the text.
    Limited(String),
    /// It could not be queried.
    NotAsked(String),
}

impl Looked {
    pub fn text(&self) -> &str {
        let (Self::Well(text) | Self::Limited(text) | Self::NotAsked(text)) = self;
        text
    }
}

/// A lock in the repository, in restic's format.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Lock {
    time: Timestamp,
    #[serde(default)]
    exclusive: bool,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    pid: u64,
}

/// The locks with the ids in restic's list, except those that are gone meanwhile.
async fn locks(swarm: &Swarm, ids: &str, until: Instant) -> Result<Vec<Lock>, Failure> {
    let is_id = |line: &&str| line.len() == 64 && line.chars().all(|c| c.is_ascii_hexdigit());
    let mut locks = Vec::new();
    for id in ids.lines().map(str::trim).filter(is_id).take(MANY_LOCKS) {
        if let Ok(ResticAnswer::Output(text)) = restic(swarm, &["--no-lock", "cat", "lock", id], until).await {
            locks.extend(serde_json::from_str::<Lock>(&text).ok());
        }
    }
    Ok(locks)
}

/// Free MiB of the repository's disk; `None` if it is remote or unknown.
async fn room(swarm: &Swarm, until: Instant) -> Option<u64> {
    let script = "case $RESTIC_REPOSITORY in ''|*:*) exit 1;; esac; df -Pm \"$RESTIC_REPOSITORY\"";
    let ended = swarm.in_bot(&["sh", "-c", script].map(str::to_owned), until).await.ok()??;
    let free = ended.output.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok();
    free.filter(|_| ended.exit == 0)
}

fn judged(locks: &[Lock], room: Option<u64>, now: Timestamp) -> Result<Looked, Failure> {
    if let Some(free) = room.filter(|free| *free < FULL_MIB) {
        return Err(Failure::new(
            Kind::BackupBotUnusable,
            format!("the disk of the backup bot's repository is full: {free} MiB are free"),
            "free some; `restic forget --prune` in the bot's container removes old snapshots",
        ));
    }
    // restic renews a lock every five minutes while its holder lives.
    let old: Vec<&Lock> = locks.iter().filter(|lock| now.duration_since(lock.time) > STALE).collect();
    let told = |lock: &Lock| {
        format!(
            "a lock of process {} on {} from {}, which has not been renewed since",
            lock.pid,
            lock.hostname,
            lock.time.strftime("%F %T")
        )
    };
    if let Some(lock) = old.iter().find(|lock| lock.exclusive) {
        return Err(Failure::new(
            Kind::BackupBotUnusable,
            format!("the backup bot's repository is locked: it has {}", told(lock)),
            "`restic unlock` in the bot's container removes stale locks",
        ));
    }
    Ok(match old.first() {
        Some(lock) => Looked::Limited(format!(
            "the backup bot's repository opens; it has {}, so nothing can be forgotten or pruned: `restic unlock` in \
             the bot's container takes it away",
            told(lock)
        )),
        None => Looked::Well("the backup bot's repository opens".to_owned()),
    })
}

/// Waits until no run forgets snapshots, and prevents it until the result is dropped. `None` if the bot is not here, or
/// has no `flock`.
///
/// # Errors
/// Timeout.
pub async fn beside_backups(swarm: &Swarm, until: Instant) -> Result<Option<Holding>, Failure> {
    turn(swarm, "-s", until).await
}

/// Waits until no run makes or restores a backup, and prevents it until the result is dropped.
///
/// # Errors
/// Timeout.
pub async fn alone(swarm: &Swarm, until: Instant) -> Result<Option<Holding>, Failure> {
    turn(swarm, "-x", until.min(Instant::now() + LOCKED)).await
}

async fn turn(swarm: &Swarm, how: &str, until: Instant) -> Result<Option<Holding>, Failure> {
    let Some(bot) = swarm.bot_container().await? else { return Ok(None) };
    swarm.hold(&bot, &["flock", how, TURNS, "sh", "-c", "echo held; cat >/dev/null"], until).await
}

/// Whether the repository is remote: the bot may take its keys from secrets, which a command in its container does not
/// see.
async fn is_remote(swarm: &Swarm, bot: &str, until: Instant) -> bool {
    let argv = ["sh", "-c", "case $RESTIC_REPOSITORY in *:*) ;; *) exit 1;; esac"].map(str::to_owned);
    swarm.exec(bot, &argv, &[], until).await.is_ok_and(|ended| ended.exit == 0)
}

/// Whether the bot's repository is a local folder that is still empty. Other repositories only restic can check.
async fn is_not_made(swarm: &Swarm, until: Instant) -> bool {
    let script = "case $RESTIC_REPOSITORY in ''|*:*) exit 1;; esac; \
                  [ -d \"${RESTIC_REPOSITORY%/*}\" ] && [ -z \"$(ls -A \"$RESTIC_REPOSITORY\" 2>/dev/null)\" ]";
    let Ok(Some(bot)) = swarm.bot_container().await else { return false };
    let argv = ["sh", "-c", script].map(str::to_owned);
    swarm.exec(&bot, &argv, &[], until).await.is_ok_and(|ended| ended.exit == 0)
}

/// A snapshot in restic's list.
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

/// The entries of a backup's snapshots: of those in the backup's output, or of the app's that are recent enough. `None`
/// if the repository cannot be queried.
///
/// # Errors
/// restic's message; [`Kind::BackupEmpty`] if no snapshot is recent enough.
pub async fn holds(
    swarm: &Swarm,
    stack: &str,
    made: &[SnapshotId],
    since: Timestamp,
    until: Instant,
) -> Result<Option<Vec<SnapshotEntry>>, Failure> {
    let mut ids: Vec<String> = made.iter().map(ToString::to_string).collect();
    if ids.is_empty() {
        let ResticAnswer::Output(text) = restic(swarm, &["--no-lock", "snapshots", "--json"], until).await? else {
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
        let ResticAnswer::Output(text) = restic(swarm, &words, until).await? else { return Ok(None) };
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
        format!("the backup succeeded without a snapshot{last}"),
        "what the backup bot printed, in the report; its log; the backupbot labels",
    )
}

/// Prints the volumes among its arguments that contain a file other than cc-ci's marker, whose name is `$0`.
const HOLDS: &str = "for volume; do cd \"/var/lib/docker/volumes/$volume/_data\" || exit 1; \
                     found=$(find . -mindepth 1 ! -type d ! -name \"$0\" -print -quit) || exit 1; \
                     [ -z \"$found\" ] || echo \"$volume\"; done";

/// The volumes with content other than cc-ci's marker, read in the bot, which has all volumes; `None` if unknown.
pub async fn with_content(swarm: &Swarm, volumes: &BTreeSet<String>, until: Instant) -> Option<BTreeSet<String>> {
    let words = ["sh", "-c", HOLDS, crate::backup_content::MARKER_NAME].map(str::to_owned);
    let argv: Vec<String> = words.into_iter().chain(volumes.iter().cloned()).collect();
    let ended = swarm.in_bot(&argv, until).await.ok()?.filter(|ended| ended.exit == 0)?;
    Some(ended.output.lines().map(|line| line.trim().to_owned()).filter(|line| volumes.contains(line)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bot's shell runs this script; the test runs it on folders of the same form.
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

    fn lock(time: &str, exclusive: bool) -> Lock {
        let text = format!(
            r#"{{"time":"{time}","exclusive":{exclusive},"hostname":"bot","username":"root","pid":7,"uid":0,"gid":0}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn said(locks: &[Lock], room: Option<u64>) -> Result<Looked, String> {
        judged(locks, room, "2026-11-28T08:00:00Z".parse().unwrap()).map_err(|failure| {
            assert_eq!(failure.kind, Kind::BackupBotUnusable);
            failure.what
        })
    }

    #[test]
    fn a_lock_that_nobody_renews_is_told_and_an_exclusive_one_keeps_every_backup_out() {
        let (old, young) = ("2026-11-28T07:29:00.123456789+00:00", "2026-11-28T08:55:00+01:00");
        assert!(matches!(said(&[], Some(5000)), Ok(Looked::Well(_))));
        assert!(matches!(said(&[lock(young, true), lock(young, false)], None), Ok(Looked::Well(_))), "it will pass");
        assert!(matches!(said(&[lock(young, true), lock(old, false)], None), Ok(Looked::Limited(_))));
        let said = said(&[lock(old, false), lock(old, true)], None).unwrap_err();
        assert!(said.contains("process 7 on bot from 2026-11-28 07:29:00"), "{said}");
    }

    #[test]
    fn a_full_disk_is_told_before_a_backup_is_made() {
        assert!(said(&[], Some(63)).unwrap_err().contains("63 MiB are free"));
        assert!(said(&[], Some(64)).is_ok());
    }
}
