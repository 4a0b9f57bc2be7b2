//! Identifiable data is backed up, wiped, shown to be gone, restored, and shown to be back. "The
//! service is up" proves nothing.

use std::time::Duration;

use harness::abra::Call;
use harness::coopcloud::labels::{Coverage, coverage, is_backed_up};
use harness::coopcloud::snapshot_id::SnapshotId;
use harness::failure::{Failure, Kind};
use harness::swarm::MountedVolume;
use tokio::task::JoinHandle;

use super::{answers, data, overlay};
use crate::context::{Context, Step};
use crate::deploy::{compose_of, disk, sample_of};
use crate::markers::Marker;
use crate::report::text::count;
use crate::snapshots;

/// One volume, where it is mounted, and what the labels say about it.
struct Covered {
    mount: MountedVolume,
    coverage: Coverage,
}

pub(super) async fn run(cx: &mut Context) -> Step {
    let ended = back_up_and_restore(cx).await;
    snapshots::begin_to_forget(cx);
    ended
}

async fn back_up_and_restore(cx: &mut Context) -> Step {
    let Some(volumes) = volumes(cx).await? else { return Ok(()) };
    data::seed(cx).await?;
    let markers = plant(cx, &volumes).await?;
    if markers.is_empty() && cx.overlays.data.is_none() {
        let failure = Failure::new(
            Kind::NothingToProve,
            "nothing identifiable can be planted in what is backed up, so a backup would prove nothing",
            "bring data/seed, data/wipe and data/check in cc-ci's folder for this recipe",
        );
        cx.fail("backup.markers", crate::event::Origin::Generic, failure, Duration::ZERO);
        return Err(crate::context::Stopped);
    }
    create(cx).await?;
    // Reading the snapshot takes as long as restoring it, and neither needs the other: what it holds
    // is told first all the same, since an empty backup explains what follows.
    let (abra, domain, limit) = (cx.abra.clone(), cx.spec.domain.clone(), cx.time_left());
    let listing = tokio::spawn(async move { abra.backup_list(&domain, limit).await });
    wipe(cx, &markers).await?;
    restore(cx, listing).await?;
    // First what the restore brought, then whether the app lives with it: an app that lost its data
    // may answer wrongly for that very reason.
    back(cx, &markers).await?;
    data::check(cx, "restored").await?;
    answers::answers(cx, "backup.answers").await?;
    overlay::run_all(cx, "backup").await
}

/// The mounted volumes with their coverage; none where no service is labelled for backup.
async fn volumes(cx: &mut Context) -> Step<Option<Vec<Covered>>> {
    cx.check("backup.labels", async |cx: &mut Context| {
        let mounts = cx.swarm.mounted(&cx.spec.stack).await?;
        let labels = cx.swarm.all_service_labels(&cx.spec.stack).await?;
        let mut short: Vec<&str> = mounts.iter().map(|mount| mount.short.as_str()).collect();
        short.sort_unstable();
        short.dedup();
        if !labels.values().any(is_backed_up) {
            cx.note(match short.len() {
                0 => "the recipe has no volume and no backup label".to_owned(),
                _ => format!("no service is labelled for backup; volumes that nothing backs up: {}", short.join(", ")),
            });
            if let Some(base) = base_with_backup(cx) {
                cx.note(format!("the release {base} was labelled for backup, and this change is not"));
            }
            cx.skipped = Some("no service of the recipe is labelled for backup".to_owned());
            return Ok(("no service is labelled for backup, so there is nothing to back up".to_owned(), None));
        }
        let covered: Vec<Covered> = mounts
            .iter()
            .map(|mount| Covered {
                mount: mount.clone(),
                coverage: coverage(&labels, &mount.service, &mount.short, &mount.path),
            })
            .collect();
        let is_covered = |name: &str| {
            covered.iter().any(|volume| volume.mount.short == name && !matches!(volume.coverage, Coverage::No))
        };
        let (yes, no): (Vec<&str>, Vec<&str>) = short.iter().partition(|name| is_covered(name));
        if !no.is_empty() {
            cx.note(format!("volumes that the backup labels do not cover: {}", no.join(", ")));
        }
        Ok((
            format!("the labels cover {}", if yes.is_empty() { "no volume".to_owned() } else { yes.join(", ") }),
            Some(covered),
        ))
    })
    .await
}

/// The base release, where its labels asked for a backup: a change that drops them is worth a look.
fn base_with_backup(cx: &Context) -> Option<String> {
    let base = cx.spec.base.clone()?;
    let env = sample_of(&cx.checkout, &base).ok()?;
    let compose = compose_of(&cx.checkout, &base, &env, cx.spec.stack.as_str()).ok()?;
    compose.services.iter().any(|service| is_backed_up(&service.labels)).then_some(base)
}

/// Plants a marker wherever the labels promise that a file is backed up.
async fn plant(cx: &mut Context, volumes: &[Covered]) -> Step<Vec<Marker>> {
    if let Some(reason) = cx.opted_out("backup.markers") {
        cx.skip("backup.markers", reason);
        return Ok(Vec::new());
    }
    cx.check("backup.markers", async |cx: &mut Context| {
        let mut planted: Vec<(String, Marker)> = Vec::new();
        for Covered { mount, coverage } in volumes.iter().filter(|volume| !volume.mount.read_only) {
            let below = match coverage {
                Coverage::All => vec![String::new()],
                Coverage::Paths(paths) => paths.clone(),
                Coverage::No => continue,
            };
            for path in below {
                let id = format!("{}/{path}", mount.short);
                if planted.iter().any(|(seen, _)| *seen == id) {
                    continue;
                }
                let content = format!("{} backup {id}", cx.spec.run);
                // A path that is a file cannot hold a marker: then the recipe's data has to show it.
                match Marker::plant(&cx.swarm, mount, &path, &content).await {
                    Ok(marker) => planted.push((id, marker)),
                    Err(failure) if path.is_empty() => return Err(failure),
                    Err(_) => cx.note(format!("no marker can be planted in {id}: it is no folder")),
                }
            }
        }
        let ids: Vec<&str> = planted.iter().map(|(id, _)| id.as_str()).collect();
        let text =
            if ids.is_empty() { "no place for a marker".to_owned() } else { format!("planted in {}", ids.join(", ")) };
        Ok((text, planted.into_iter().map(|(_, marker)| marker).collect()))
    })
    .await
}

async fn create(cx: &mut Context) -> Step {
    cx.check("backup.created", async |cx: &mut Context| {
        cx.progress("abra makes a backup");
        let call = cx.abra.backup_create(&cx.spec.domain, cx.time_left()).await;
        // Also of a backup that failed: what it saved is there.
        let made = call.as_ref().map(|call| SnapshotId::saved_in(call.output())).unwrap_or_default();
        snapshots::note(&cx.dir, &made).map_err(|error| disk("write", cx.dir.path(), &error))?;
        if made.is_empty() && call.as_ref().is_ok_and(|call| call.exit == Some(0)) {
            cx.note("the backup bot did not say which snapshot it made, so it stays in the bot's repository");
        }
        let call = cx
            .took(call, "make a backup")
            .map_err(|failure| as_kind(failure, Kind::BackupFailed, "the backup failed"))?;
        Ok((format!("in {:.1} s", call.took.as_secs_f64()), ()))
    })
    .await
}

/// A backup that names no file holds nothing, whatever its exit code says.
fn holds_something(cx: &Context, listed: Result<Call, Failure>) -> Result<(String, ()), Failure> {
    let call = cx.took(listed, "list the backup")?;
    let below = format!("{}_", cx.spec.stack);
    let files = call.output().lines().filter(|line| is_file_of(line, &below)).count();
    if files > 0 {
        return Ok((format!("{files} entries below the app's volumes"), ()));
    }
    Err(Failure::new(
        Kind::BackupEmpty,
        "the backup succeeded and holds nothing of the app's volumes",
        "the backupbot labels: do their paths exist below the volume's root, did the pre-hook write its dump",
    ))
}

/// Whether a line of the listing names something inside a volume, not only the volume's own root.
fn is_file_of(line: &str, stack: &str) -> bool {
    let Some(at) = line.find(stack) else { return false };
    let Some((_, inside)) = line[at..].split_once('/') else { return false };
    let inside = inside.trim_end_matches(['"', ',', ' ', '/']);
    !matches!(inside, "" | "_data")
}

async fn wipe(cx: &mut Context, markers: &[Marker]) -> Step {
    cx.check("backup.wiped", async |cx: &mut Context| {
        let mounts = cx.swarm.mounted(&cx.spec.stack).await?;
        for marker in markers {
            marker.wipe(&cx.swarm, &mounts).await?;
            if marker.is_there(&cx.swarm, &mounts).await? {
                return Err(Failure::new(
                    Kind::WipeDidNothing,
                    format!("the marker in volume {} outlived its wipe", marker.volume),
                    "what rewrites files in that volume",
                ));
            }
        }
        Ok((format!("gone: {}", count(markers.len(), "marker")), ()))
    })
    .await?;
    data::wipe(cx).await
}

async fn restore(cx: &mut Context, listing: JoinHandle<Result<Call, Failure>>) -> Step {
    cx.progress("abra restores the backup");
    let before = cx.swarm.before(&cx.spec.stack).await;
    let restored = cx.abra.restore(&cx.spec.domain, cx.time_left()).await;
    let listed = listing.await.map_err(|error| Failure::new(Kind::Bug, error.to_string(), ""));
    cx.check("backup.holds", async |cx: &mut Context| holds_something(cx, listed.and_then(|call| call))).await?;
    cx.check("backup.restored", async |cx: &mut Context| {
        let call = cx.took(restored, "restore the backup");
        let call = call.map_err(|failure| as_kind(failure, Kind::RestoreFailed, "the restore failed"))?;
        // A hook may have ended the app; what answers next must be settled.
        cx.settle(&before?).await?;
        Ok((format!("in {:.1} s, and the app is settled", call.took.as_secs_f64()), ()))
    })
    .await
}

async fn back(cx: &mut Context, markers: &[Marker]) -> Step {
    if markers.is_empty() {
        return Ok(());
    }
    cx.check("backup.back", async |cx: &mut Context| {
        let mounts = cx.swarm.mounted(&cx.spec.stack).await?;
        for marker in markers {
            if !marker.is_there(&cx.swarm, &mounts).await? {
                return Err(Failure::new(
                    Kind::RestoreEmpty,
                    format!("the restore succeeded and what was in volume {} is not back", marker.volume),
                    "the restore hooks, and the paths that the backupbot labels name",
                ));
            }
        }
        Ok((format!("back: {}", count(markers.len(), "marker")), ()))
    })
    .await
}

/// A failure of the backup's own words keeps its kind when it is a known one.
fn as_kind(failure: Failure, kind: Kind, what: &str) -> Failure {
    if failure.kind == Kind::AbraFailed {
        Failure { kind, what: format!("{what}: {}", failure.what), ..failure }
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_inside_a_volume_counts() {
        let stack = "x-pr1_ci_localhost_";
        assert!(is_file_of("/var/lib/docker/volumes/x-pr1_ci_localhost_content/_data/index.html", stack));
        assert!(is_file_of("  x-pr1_ci_localhost_db/_data/backup.sql  ", stack));
        assert!(!is_file_of("/var/lib/docker/volumes/x-pr1_ci_localhost_content/_data", stack));
        assert!(!is_file_of("/var/lib/docker/volumes/x-pr1_ci_localhost_content", stack));
        assert!(!is_file_of("snapshot 1234 of x-pr1_ci_localhost_", stack));
    }
}
