//! The content of a backup: parsed from a snapshot's list, and judged without cc-ci's own markers. Pure.

use std::collections::BTreeSet;

use base::failure::{Failure, Kind};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// The file's name. Hidden, so that no app serves or lists it by accident.
pub const MARKER_NAME: &str = ".cc-ci-marker";

/// Tolerance for the bot's clock.
const SKEW: SignedDuration = SignedDuration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotEntry {
    /// Its absolute path.
    pub path: String,
    pub is_folder: bool,
    /// Size in bytes, if known.
    pub size: Option<u64>,
    /// Modification time, if known.
    pub written: Option<Timestamp>,
}

/// A snapshot in restic's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub made: Timestamp,
    pub entries: Vec<SnapshotEntry>,
}

/// A line of `restic ls --json`: the snapshot first, then its entries. Source: restic's manual, "scripting".
#[derive(Deserialize)]
struct ListingLine {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    time: Option<Timestamp>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    mtime: Option<Timestamp>,
}

/// Parses restic's list.
pub fn listed(text: &str) -> Option<Listed> {
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<ListingLine>(line).ok());
    let made = lines.next()?.time?;
    let entry = |line: ListingLine| {
        let is_folder = line.kind.as_deref() == Some("dir");
        Some(SnapshotEntry { path: line.path?, is_folder, size: line.size, written: line.mtime })
    };
    Some(Listed { made, entries: lines.filter_map(entry).collect() })
}

/// Parses abra's list of paths, one a line. Only the paths of entries in them show which are folders.
pub fn paths(text: &str) -> Vec<SnapshotEntry> {
    let clean = |line: &str| line.find('/').map(|at| line[at..].trim_end_matches(['"', ',', ' ', '/']).to_owned());
    let paths: Vec<String> = text.lines().filter_map(clean).collect();
    let parents: BTreeSet<&str> = paths.iter().filter_map(|path| Some(path.rsplit_once('/')?.0)).collect();
    let entry = |path: &String| SnapshotEntry {
        path: path.clone(),
        is_folder: parents.contains(path.as_str()),
        size: None,
        written: None,
    };
    paths.iter().map(entry).collect()
}

/// Whether a list only has the folders of volumes: the tool did not look into them, and their content is unknown.
pub fn names_only_volumes(entries: &[SnapshotEntry]) -> bool {
    let depth = |entry: &SnapshotEntry| entry.path.trim_start_matches('/').split('/').count();
    entries.iter().any(|entry| depth(entry) == VOLUME_DEPTH) && entries.iter().all(|entry| depth(entry) <= VOLUME_DEPTH)
}

/// Number of components of a volume's path: `/var/lib/docker/volumes/<name>`.
const VOLUME_DEPTH: usize = 5;

/// The app's state at the time of its backup.
#[derive(Debug, Clone)]
pub struct BackupContext<'a> {
    /// Prefix of its volumes' names.
    pub volumes: &'a str,
    /// When the backup began.
    pub since: Timestamp,
    /// The hooks, and the volumes' content before it.
    pub before: &'a Before,
}

/// The state before a backup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Before {
    /// The recipe's commands that prepare the backup.
    pub hooks: Vec<String>,
    /// Whether the volumes with backup labels had content; true if unknown.
    pub covered: bool,
    /// Volumes without backup labels that had content.
    pub others: Vec<String>,
}

impl Before {
    /// Whether a hook calls a program that dumps a database.
    fn calls_a_dump(&self) -> bool {
        self.hooks.iter().any(|hook| hook.contains("dump") || hook.contains(".backup"))
    }

    /// Whether a hook writes a dump, by its text. Other hooks only stop or lock the app.
    fn dumps(&self) -> bool {
        self.hooks.iter().any(|hook| {
            let into =
                |rest: &str| !rest.trim_start().starts_with(['&', '>']) && !rest.trim_start().starts_with("/dev/");
            hook.split('>').skip(1).any(into)
        }) || self.calls_a_dump()
    }
}

/// The result for a backup's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// Number of files.
    Files(usize),
    /// Empty, since there was nothing to back up: the reason.
    Nothing(String),
}

/// Whether a snapshot belongs to this backup, and did not exist before.
pub fn is_young(made: Timestamp, since: Timestamp) -> bool {
    made.saturating_add(SKEW).is_ok_and(|made| made >= since)
}

/// Judges a backup's content. An empty one is the recipe's fault if there was something to back up: in the volumes with
/// backup labels, or in another one of which a hook writes a dump.
///
/// # Errors
/// [`Kind::BackupEmpty`], [`Kind::BackupFailed`].
pub fn judged(entries: &[SnapshotEntry], asked: &BackupContext<'_>) -> Result<Holds, Failure> {
    let inside: Vec<&SnapshotEntry> = entries.iter().filter(|entry| is_inside(&entry.path, asked.volumes)).collect();
    let is_ours = |entry: &&&SnapshotEntry| entry.path.rsplit('/').next() == Some(MARKER_NAME);
    let content: Vec<&SnapshotEntry> =
        inside.iter().filter(|entry| !entry.is_folder && !is_ours(entry)).copied().collect();
    let Before { hooks, covered, others } = asked.before;
    if content.is_empty() {
        let is_lost = !others.is_empty() && asked.before.dumps();
        if !covered && !is_lost {
            return Ok(Holds::Nothing(match others.as_slice() {
                [] => "the app has written nothing into its volumes yet".to_owned(),
                others => format!("what the labels cover is empty; {} is not, and is not covered", others.join(", ")),
            }));
        }
        let but = if inside.iter().any(|entry| is_ours(&entry)) { " but cc-ci's own marker" } else { "" };
        let why = if *covered { "" } else { ", and the pre-hook writes a dump" };
        return Err(Failure::new(
            Kind::BackupEmpty,
            format!("the backup succeeded and contains nothing of the app's volumes{but}{why}"),
            "the backupbot labels: do their paths exist below the volume's root, did the pre-hook write its dump below \
             them, does a hook remove what is to be backed up",
        ));
    }
    let is_new = |entry: &SnapshotEntry| entry.written.is_some_and(|written| is_young(written, asked.since));
    if let Some(dump) = content.iter().find(|entry| !hooks.is_empty() && is_new(entry) && is_empty_dump(entry)) {
        let name = dump.path.rsplit('/').next().unwrap_or_default();
        return Err(Failure::new(
            Kind::BackupFailed,
            format!("the backup succeeded, and {name}, which was written for it, is empty"),
            "the pre-hook: a command that fails in front of a pipe (dump | gzip) is lost without `set -o pipefail`",
        ));
    }
    let is_told = content.iter().all(|entry| entry.written.is_some());
    if asked.before.calls_a_dump() && !others.is_empty() && is_told && !content.iter().any(|entry| is_new(entry)) {
        return Err(Failure::new(
            Kind::BackupEmpty,
            format!(
                "the backup succeeded, and no file in it was written for it, although the pre-hook makes a dump; {} is not \
                 covered",
                others.join(", ")
            ),
            "where the pre-hook writes its dump: it has to be in a path that the backupbot labels cover",
        ));
    }
    Ok(Holds::Files(content.len()))
}

/// Whether a path is inside a volume, and not the volume's own root.
fn is_inside(path: &str, volumes: &str) -> bool {
    let Some(at) = path.find(volumes) else { return false };
    let Some((_, inside)) = path[at..].split_once('/') else { return false };
    !matches!(inside.trim_end_matches('/'), "" | "_data")
}

/// Sizes in bytes of empty compressed files: seen with gzip 1.12, bzip2 1.0.8, xz 5.4, zstd 1.5 from a pipe.
fn is_empty_dump(entry: &SnapshotEntry) -> bool {
    let Some(size) = entry.size else { return false };
    let name = entry.path.rsplit('/').next().unwrap_or_default().to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let dump = [".sql", ".dump", ".dmp", ".tar", ".bak", ".rdb", ".json", ".xml", ".ldif", ".archive", ".backup"];
    match size {
        0 => ends(&dump) || ends(&[".gz", ".tgz", ".bz2", ".xz", ".zst"]),
        20 => ends(&[".gz", ".tgz"]),
        14 => ends(&[".bz2"]),
        32 => ends(&[".xz"]),
        9 | 13 => ends(&[".zst"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLUMES: &str = "x-pr1_ci_localhost_";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }
    fn entry(name: &str, size: u64, written: &str) -> SnapshotEntry {
        let path = format!("/var/lib/docker/volumes/x-pr1_ci_localhost_db/_data/{name}");
        SnapshotEntry { path, is_folder: false, size: Some(size), written: Some(at(written)) }
    }
    const DUMP: &str = "pg_dump x | gzip > /var/lib/db/a.sql.gz";
    fn before(hooks: &[&str], covered: bool, others: &[&str]) -> Before {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        Before { hooks: owned(hooks), covered, others: owned(others) }
    }
    fn with(entries: &[SnapshotEntry], before: &Before) -> Result<Holds, Failure> {
        judged(entries, &BackupContext { volumes: VOLUMES, since: at("2026-11-28T08:00:00Z"), before })
    }
    fn kind(entries: &[SnapshotEntry]) -> Option<Kind> {
        with(entries, &before(&[DUMP], true, &[])).err().map(|failure| failure.kind)
    }
    const BEFORE: &str = "2026-11-27T08:00:00Z";
    const NOW: &str = "2026-11-28T08:00:01Z";

    #[test]
    fn only_what_is_inside_a_volume_counts() {
        assert!(is_inside("/var/lib/docker/volumes/x-pr1_ci_localhost_content/_data/index.html", VOLUMES));
        assert!(!is_inside("/var/lib/docker/volumes/x-pr1_ci_localhost_content/_data", VOLUMES));
        assert!(!is_inside("/var/lib/docker/volumes/x-pr1_ci_localhost_content", VOLUMES));
        assert!(!is_inside("snapshot 1234 of x-pr1_ci_localhost_", VOLUMES));
        assert!(!is_inside("/var/lib/docker/volumes/other_content/_data/a", VOLUMES));
    }

    #[test]
    fn cc_cis_own_marker_is_no_content_and_neither_are_folders() {
        assert_eq!(kind(&[entry(MARKER_NAME, 30, NOW)]), Some(Kind::BackupEmpty));
        assert_eq!(kind(&[entry(&format!("deep/{MARKER_NAME}"), 30, NOW)]), Some(Kind::BackupEmpty));
        let folder = SnapshotEntry { is_folder: true, ..entry("deep", 0, NOW) };
        assert_eq!(kind(&[folder, entry(MARKER_NAME, 30, NOW)]), Some(Kind::BackupEmpty));
        assert_eq!(kind(&[]), Some(Kind::BackupEmpty));
        assert_eq!(kind(&[entry("index.html", 3, BEFORE), entry(MARKER_NAME, 30, NOW)]), None);
        let text = "/var/lib/docker/volumes/x-pr1_ci_localhost_db/_data\n  /var/lib/docker/volumes/x-pr1_ci_localhost_db/_data/deep/\n\
                    /var/lib/docker/volumes/x-pr1_ci_localhost_db/_data/deep/.cc-ci-marker\nsnapshot 1234\n";
        assert_eq!(kind(&paths(text)), Some(Kind::BackupEmpty));
    }

    #[test]
    fn an_empty_backup_is_red_where_something_was_there_to_be_backed_up() {
        const LOCK: &str = "occ maintenance:mode --on";
        let empty = [entry(MARKER_NAME, 30, NOW)];
        for (hooks, covered, others, is_red) in [
            (vec![], true, vec![], true),
            (vec![], true, vec!["cache"], true),
            (vec![LOCK], true, vec![], true),
            (vec![DUMP], true, vec!["cache"], true),
            (vec![], false, vec![], false),
            (vec![LOCK], false, vec![], false),
            (vec![DUMP], false, vec![], false),
            (vec![], false, vec!["cache"], false),
            (vec![LOCK], false, vec!["cache"], false),
            // Its dump is not in the backup, and its source is in no volume with backup labels.
            (vec![DUMP], false, vec!["db"], true),
            (vec![LOCK, DUMP], false, vec!["db"], true),
        ] {
            let said = with(&empty, &before(&hooks, covered, &others));
            let kind = said.as_ref().err().map(|failure| failure.kind);
            assert_eq!(kind, is_red.then_some(Kind::BackupEmpty), "{hooks:?} {covered} {others:?}");
            if let Ok(Holds::Nothing(why)) = said {
                assert_eq!(why.contains("cache"), !others.is_empty(), "{why}");
            }
            let file = [entry("a", 3, NOW)];
            assert_eq!(with(&file, &before(&hooks, covered, &others)).unwrap(), Holds::Files(1));
        }
    }

    #[test]
    fn a_dump_that_is_not_in_the_backup_is_missed_where_its_data_are_in_none() {
        let pages = [entry("index.html", 3, BEFORE)];
        let red = |hook: &str, others: &[&str], entries: &[SnapshotEntry]| {
            with(entries, &before(&[hook], true, others)).err().map(|failure| failure.kind)
        };
        assert_eq!(red(DUMP, &["db"], &pages), Some(Kind::BackupEmpty));
        assert_eq!(red(DUMP, &[], &pages), None);
        assert_eq!(red("occ maintenance:mode --on > /tmp/log", &["db"], &pages), None);
        assert_eq!(red(DUMP, &["db"], &[entry("a.sql", 3, NOW), pages[0].clone()]), None);
        let untold = SnapshotEntry { written: None, ..pages[0].clone() };
        assert_eq!(red(DUMP, &["db"], &[untold]), None);
    }

    #[test]
    fn a_hook_that_writes_a_dump_is_told_from_others() {
        for hook in
            [DUMP, "sh -c 'mysqldump db > /d/x.sql'", "sqlite3 a.db \".backup 'b.db'\"", "tar c / >/backup/a.tar"]
        {
            assert!(before(&[hook], false, &[]).dumps(), "{hook}");
        }
        for hook in ["occ maintenance:mode --on", "kill -STOP 1 2>/dev/null", "sync >&2", "/hooks/pre.sh", "x 2>&1"] {
            assert!(!before(&[hook], false, &[]).dumps(), "{hook}");
        }
    }

    #[test]
    fn a_list_of_nothing_but_volumes_is_no_list_of_what_they_hold() {
        let short = "/var/lib/docker/volumes\n/var/lib/docker/volumes/x-pr1_ci_localhost_db\n";
        assert!(names_only_volumes(&paths(short)));
        assert!(!names_only_volumes(&paths(&format!("{short}/var/lib/docker/volumes/x-pr1_ci_localhost_db/_data\n"))));
        assert!(
            !names_only_volumes(&paths("no snapshot\n")) && !names_only_volumes(&paths("/var/lib/docker/volumes\n"))
        );
    }

    #[test]
    fn a_dump_that_packs_nothing_is_a_hook_that_failed_in_a_pipe() {
        let data = || entry("pg/1", 8192, BEFORE);
        for (name, size) in
            [("a.sql.gz", 20), ("a.sql", 0), ("A.GZ", 0), ("a.bz2", 14), ("a.xz", 32), ("a.sql.zst", 13)]
        {
            assert_eq!(kind(&[data(), entry(name, size, NOW)]), Some(Kind::BackupFailed), "{name}");
            assert_eq!(kind(&[data(), entry(name, size, BEFORE)]), None, "{name} is no dump of this backup");
            assert_eq!(kind(&[data(), entry(name, size + 200, NOW)]), None, "{name}");
        }
        assert_eq!(kind(&[data(), entry("postmaster.lock", 0, NOW)]), None);
        assert!(with(&[data(), entry("a.sql.gz", 20, NOW)], &before(&[], true, &[])).is_ok());
    }

    #[test]
    fn a_snapshot_counts_only_if_it_is_younger() {
        let since = at("2026-11-28T08:00:00Z");
        assert!(is_young(at(NOW), since));
        assert!(is_young(at("2026-11-28T07:59:59Z"), since), "clocks differ");
        assert!(!is_young(at(BEFORE), since));
    }

    #[test]
    fn restics_list_is_read() {
        let text = "{\"time\":\"2026-11-28T08:00:01.5+01:00\",\"tree\":\"1\",\"paths\":[\"/a\"],\"hostname\":\"x\",\"id\":\"12\",\"struct_type\":\"snapshot\"}\n\
                    {\"name\":\"_data\",\"type\":\"dir\",\"path\":\"/a/_data\",\"mtime\":\"2026-11-28T08:00:00Z\",\"struct_type\":\"node\"}\n\
                    {\"name\":\"b\",\"type\":\"file\",\"path\":\"/a/_data/b\",\"size\":20,\"mtime\":\"2026-11-28T08:00:00Z\",\"struct_type\":\"node\"}\n";
        let listed = listed(text).unwrap();
        assert_eq!(listed.made, at("2026-11-28T07:00:01.5Z"));
        assert_eq!(
            listed.entries.iter().map(|entry| (entry.is_folder, entry.size)).collect::<Vec<_>>(),
            [(true, None), (false, Some(20))]
        );
        assert!(super::listed("Fatal: no\n").is_none());
    }
}
