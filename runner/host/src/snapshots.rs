//! The snapshots that a run made in the backup bot's repository, which on a server is that of the real apps: at
//! teardown a run forgets its own snapshots, by their ids, and no others. Until then they are listed in a file of the
//! run's folder, so that a janitor can do it for a killed run.
//!
//! Not covered: a run that is killed during the backup does not know the id yet.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use base::failure::{Failure, Kind};
use coopcloud::snapshot_id::SnapshotId;
use swarm::Swarm;

use crate::repository::{ResticAnswer, alone, restic};
use journal::run_dir::RunDir;

/// The file in the run's folder.
const FILE: &str = "snapshots";

/// Records snapshots of a run.
pub fn note(dir: &RunDir, made: &[SnapshotId]) -> io::Result<()> {
    let mut all = of(dir)?;
    all.extend(made.iter().filter(|id| !all.contains(id)).cloned().collect::<Vec<_>>());
    let text: String = all.iter().map(|id| format!("{id}\n")).collect();
    let path = file(dir);
    let new = path.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(new, path)
}

/// The recorded snapshots of a run. Invalid lines are skipped.
pub fn of(dir: &RunDir) -> io::Result<Vec<SnapshotId>> {
    let text = match std::fs::read_to_string(file(dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    Ok(text.lines().filter_map(|line| SnapshotId::try_from(line.to_owned()).ok()).collect())
}

fn file(dir: &RunDir) -> PathBuf {
    Path::new(dir.path()).join(FILE)
}

/// Forgets the snapshots of a run and returns their number. If it fails, they stay on record for a janitor.
///
/// # Errors
/// There is no bot, or its restic refuses.
pub async fn forget(swarm: &Swarm, dir: &RunDir, until: Instant) -> Result<usize, Failure> {
    let disk = |error: io::Error| Failure::disk("read", &file(dir), &error);
    let ids = of(dir).map_err(disk)?;
    if ids.is_empty() {
        return Ok(0);
    }
    let stay = |why: String| {
        let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        Failure::new(
            Kind::LeftBehind,
            format!("the run's snapshots stay in the backup bot's repository: {why}"),
            format!("in the bot's container: restic forget {ids}; `cc-ci reap` retries it"),
        )
    };
    let ids_text: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let words: Vec<&str> = ["forget"].into_iter().chain(ids_text.iter().map(String::as_str)).collect();
    // While restic forgets, it refuses all others.
    let turn = alone(swarm, until).await.map_err(|_| stay("other runs made backups the whole time".to_owned()))?;
    let forgot = restic(swarm, &words, until).await;
    drop(turn);
    match forgot {
        Ok(ResticAnswer::Output(_)) => {}
        // They do not exist any more.
        Err(failure) if failure.kind == Kind::BackupEmpty => {}
        Ok(ResticAnswer::NotAsked(why)) => return Err(stay(why)),
        Err(failure) => return Err(stay(failure.what)),
    }
    std::fs::remove_file(file(dir)).map_err(disk)?;
    Ok(ids.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_again_and_nothing_else_is() {
        let state = tempfile::tempdir().unwrap();
        let dir = RunDir::of(state.path(), &"r1".parse().unwrap());
        let _alive = dir.create().unwrap();
        assert_eq!(of(&dir).unwrap(), []);
        let id = |text: &str| SnapshotId::try_from(text.to_owned()).unwrap();
        note(&dir, &[id("13eee64e")]).unwrap();
        note(&dir, &[id("13eee64e"), id("deadbeef")]).unwrap();
        assert_eq!(of(&dir).unwrap(), [id("13eee64e"), id("deadbeef")]);
        std::fs::write(file(&dir), "--prune\nlatest\n13eee64e\n").unwrap();
        assert_eq!(of(&dir).unwrap(), [id("13eee64e")]);
    }
}
