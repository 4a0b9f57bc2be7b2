//! Identifiable data is backed up, wiped, shown to be gone, restored, and shown to be back. "The
//! service is up" proves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::messages::{self, Speaker};
use coopcloud::abra::Call;
use coopcloud::labels::{Coverage, coverage, is_backed_up};
use coopcloud::snapshot_id::SnapshotId;
use jiff::Timestamp;
use swarm::{Before as Settled, MountedVolume};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

use super::{answers, data, overlay};
use crate::context::{StageRun, Step};
use crate::forgetting::begin_to_forget;
use host::backup_content::{BackupContext, Before, Holds, SnapshotEntry, judged, names_only_volumes, paths};
use host::markers::{self, Marker};
use host::{repository, snapshots};
use journal::text::{count, one_line};
use plan::revision::{compose_of, sample_of};

/// Before a restore is tried once more.
const PAUSE: Duration = Duration::from_secs(3);

/// One volume, where it is mounted, and what the labels say about it.
struct Covered {
    mount: MountedVolume,
    coverage: Coverage,
}

pub(super) async fn run(cx: &mut StageRun) -> Step {
    let ended = back_up_and_restore(cx).await;
    begin_to_forget(cx);
    ended
}

/// The name of the stage, and the beginning of its checks' names.
const STAGE: &str = "backup";

async fn back_up_and_restore(cx: &mut StageRun) -> Step {
    let Some(volumes) = volumes(cx, STAGE).await? else {
        if let Some(base) = base_with_backup(cx) {
            cx.note(format!("the release {base} was labelled for backup, and this change is not"));
        }
        cx.skipped = Some("no service of the recipe is labelled for backup".to_owned());
        return Ok(());
    };
    data::seed(cx).await?;
    // It takes a moment, which planting needs anyway. Without it, the bot's own words about its lock make a second try.
    let turn = {
        let (swarm, until) = (cx.run.swarm.clone(), cx.wait_until());
        AbortOnDropHandle::new(tokio::spawn(async move { repository::beside_backups(&swarm, until).await }))
    };
    let markers = plant(cx, STAGE, &volumes).await?;
    // From here to the end of the restore: a run that wants to forget waits, or leaves it to a janitor.
    let turn = turn.await.ok().and_then(Result::ok).flatten();
    let made = create(cx, STAGE, &volumes).await?;
    // Reading the snapshot takes as long as restoring it, and neither needs the other: what it holds
    // is told first all the same, since an empty backup explains what follows.
    let listing = tokio::spawn(content(cx, &made));
    wipe(cx, STAGE, &markers).await?;
    let holds = restore(cx, STAGE, listing, &made).await?;
    drop(turn);
    // First what the restore brought, then whether the app lives with it: an app that lost its data
    // may answer wrongly for that very reason.
    back(cx, STAGE, &markers).await?;
    answers::awaited(cx, "backup.answers").await;
    data::check(cx, "restored").await?;
    answers::answers(cx, "backup.answers").await?;
    cx.not_shown = match holds {
        Holds::Nothing(why) => Some(format!("not shown: what a backup holds of the app ({why})")),
        Holds::Files(_) if cx.app.overlays.data.is_none() => Some(not_shown(&made)),
        Holds::Files(_) => None,
    };
    overlay::run_all(cx, "backup").await
}

/// The same with an upgrade to the head between the backup and the wipe; false where nothing is labelled for backup.
pub(super) async fn across(cx: &mut StageRun, name: &str, release: &str) -> Step<bool> {
    // It writes down what it has forgotten, as the next backup writes down what it has made.
    if let Some(begun) = cx.holdings.forgetting.take() {
        let _ = begun.await;
    }
    let Some(volumes) = volumes(cx, name).await? else { return Ok(false) };
    let markers = plant(cx, name, &volumes).await?;
    let turn = repository::beside_backups(&cx.run.swarm, cx.wait_until()).await.ok().flatten();
    let made = create(cx, name, &volumes).await?;
    let listing = tokio::spawn(content(cx, &made));
    let head = cx.app.spec.head.to_string();
    cx.check(&format!("{name}.upgraded"), async |cx: &mut StageRun| {
        let before = cx.before().await?;
        let settled = cx.deploy(&head, &before).await?;
        Ok((format!("from {release}: {} up", count(settled.services.len(), "service")), ()))
    })
    .await?;
    answers::answers(cx, &format!("{name}.upgrade-answers")).await?;
    wipe(cx, name, &markers).await?;
    restore(cx, name, listing, &made).await?;
    drop(turn);
    back(cx, name, &markers).await?;
    answers::awaited(cx, &format!("{name}.answers")).await;
    data::check(cx, "restored on the next release").await?;
    answers::answers(cx, &format!("{name}.answers")).await?;
    Ok(true)
}

/// What a marker that came back does not say.
fn not_shown(made: &Made) -> String {
    let what = if made.before.hooks.is_empty() {
        "that the app's own data comes back"
    } else {
        "that the app's data comes back from its dump"
    };
    format!("not shown: {what} (the recipe's folder has no data/)")
}

/// A backup that was made.
#[derive(Clone)]
struct Made {
    /// The snapshots that the bot named.
    ids: Vec<SnapshotId>,
    since: Timestamp,
    before: Before,
    /// Whether a hook of the recipe takes part in a restore, which may end the app.
    restores_by_hook: bool,
}

/// The mounted volumes with their coverage; none where no service is labelled for backup.
async fn volumes(cx: &mut StageRun, name: &str) -> Step<Option<Vec<Covered>>> {
    cx.check(&format!("{name}.labels"), async |cx: &mut StageRun| {
        let mounts = cx.run.swarm.mounted(&cx.app.spec.stack).await?;
        let labels = cx.run.swarm.all_service_labels(&cx.app.spec.stack).await?;
        let mut short: Vec<&str> = mounts.iter().map(|mount| mount.short.as_str()).collect();
        short.sort_unstable();
        short.dedup();
        if !labels.values().any(is_backed_up) {
            cx.note(match short.len() {
                0 => "the recipe has no volume and no backup label".to_owned(),
                _ => format!("no service is labelled for backup; volumes that nothing backs up: {}", short.join(", ")),
            });
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
fn base_with_backup(cx: &StageRun) -> Option<String> {
    let base = cx.app.spec.base.clone()?;
    let env = sample_of(&cx.app.checkout, &base).ok()?;
    let compose = compose_of(&cx.app.checkout, &base, &env, cx.app.spec.stack.as_str()).ok()?;
    compose.services.iter().any(|service| is_backed_up(&service.labels)).then_some(base)
}

/// Plants a marker wherever the labels promise that a file is backed up.
async fn plant(cx: &mut StageRun, name: &str, volumes: &[Covered]) -> Step<Vec<Marker>> {
    let check = format!("{name}.markers");
    let markers = match cx.app.opted_out("backup.markers") {
        Some(reason) => {
            cx.skip(&check, reason);
            Vec::new()
        }
        None => plant_each(cx, &check, volumes).await?,
    };
    // Labels may name files alone, such as a dump: what comes back of those is not shown without data/.
    let is_covered = volumes.iter().any(|volume| volume.coverage != Coverage::No);
    if markers.is_empty() && cx.app.overlays.data.is_none() && !is_covered {
        let failure = Failure::new(
            Kind::NothingToProve,
            "nothing identifiable can be planted in what is backed up, so a backup would prove nothing",
            "bring data/seed, data/wipe and data/check in cc-ci's folder for this recipe",
        );
        cx.fail(&check, journal::event::Origin::Generic, failure, Duration::ZERO);
        return Err(crate::context::Stopped);
    }
    Ok(markers)
}

async fn plant_each(cx: &mut StageRun, check: &str, volumes: &[Covered]) -> Step<Vec<Marker>> {
    cx.check(check, async |cx: &mut StageRun| {
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
                let content = format!("{} backup {id}", cx.app.spec.run);
                // A path that is a file cannot hold a marker: then the recipe's data has to show it.
                match Marker::plant(&cx.run.swarm, mount, &path, &content).await {
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

/// What is known of the app before its backup is made, since a hook may change it.
async fn before(cx: &StageRun, volumes: &[Covered]) -> Result<Before, Failure> {
    let labels = cx.run.swarm.all_service_labels(&cx.app.spec.stack).await?;
    let hooks = labels.values().filter(|labels| is_backed_up(labels));
    let hooks = hooks.filter_map(|labels| labels.get("backupbot.backup.pre-hook").cloned()).collect();
    let names = |is_covered: bool| -> BTreeSet<String> {
        let wanted = volumes.iter().filter(|volume| (volume.coverage != Coverage::No) == is_covered);
        wanted.map(|volume| volume.mount.name.clone()).collect()
    };
    // One volume may be mounted twice, by a service whose labels cover it and by another.
    let (covered, mut others) = (names(true), names(false));
    others.retain(|name| !covered.contains(name));
    let all: BTreeSet<String> = covered.union(&others).cloned().collect();
    let full = repository::with_content(&cx.run.swarm, &all, cx.wait_until()).await;
    let is_full = |name: &&String| full.as_ref().is_none_or(|full| full.contains(*name));
    let short = |name: &String| name.strip_prefix(&cx.app.spec.stack.object("")).unwrap_or(name).to_owned();
    Ok(Before {
        hooks,
        covered: full.is_none() || covered.iter().any(|name| is_full(&name)),
        others: others.iter().filter(is_full).map(short).collect(),
    })
}

async fn create(cx: &mut StageRun, name: &str, volumes: &[Covered]) -> Step<Made> {
    cx.check(&format!("{name}.created"), async |cx: &mut StageRun| {
        let before = before(cx, volumes).await?;
        let labels = cx.run.swarm.all_service_labels(&cx.app.spec.stack).await?;
        let is_hook = |key: &String| key.starts_with("backupbot.restore");
        let restores_by_hook = labels.values().flat_map(|labels| labels.keys()).any(is_hook);
        cx.progress("abra makes a backup");
        let since = Timestamp::now();
        let mut call = cx.app.abra.backup_create(&cx.app.spec.domain, cx.time_left()).await;
        // Also of a backup that failed: what it saved is there.
        let ids = call.as_ref().map(|call| SnapshotId::saved_in(call.output())).unwrap_or_default();
        snapshots::note(&cx.app.dir, &ids).map_err(|error| Failure::disk("write", cx.app.dir.path(), &error))?;
        if ids.is_empty() && call.as_ref().is_ok_and(|call| !call.ok() && passes(call)) {
            if let Err(failure) = cx.took_from(call, "make a backup", Speaker::BackupBot) {
                cx.note(format!("the backup was tried once more; at the first try: {}", failure.what));
            }
            call = cx.app.abra.backup_create(&cx.app.spec.domain, cx.time_left()).await;
        }
        let ids = call.as_ref().map(|call| SnapshotId::saved_in(call.output())).unwrap_or_default();
        snapshots::note(&cx.app.dir, &ids).map_err(|error| Failure::disk("write", cx.app.dir.path(), &error))?;
        if ids.is_empty() && call.as_ref().is_ok_and(Call::ok) {
            cx.note("the backup bot did not say which snapshot it made, so it stays in the bot's repository");
        }
        let call = cx.took_from(call, "make a backup", Speaker::BackupBot);
        let call = call.map_err(|failure| of_hooks(failure, &labels, "backup"))?;
        no_hook_failed(&call)?;
        Ok((format!("in {:.1} s", call.took.as_secs_f64()), Made { ids, since, before, restores_by_hook }))
    })
    .await
}

/// Another backup on a server holds the repository for a while: that is no fault of this app.
fn passes(call: &Call) -> bool {
    messages::known(Speaker::BackupBot, call.output()).is_some_and(|row| row.passes)
}

/// What the backup holds: asked of the repository itself, or of abra where that cannot be.
fn content(cx: &StageRun, made: &Made) -> impl Future<Output = Result<Listing, Failure>> + Send + 'static {
    let (swarm, abra, domain, limit) =
        (cx.run.swarm.clone(), cx.app.abra.clone(), cx.app.spec.domain.clone(), cx.time_left());
    let (stack, made) = (cx.app.spec.stack.to_string(), made.clone());
    async move {
        let until = Instant::now() + limit;
        match repository::holds(&swarm, &stack, &made.ids, made.since, until).await? {
            Some(entries) => Ok(Listing::Known(entries)),
            None => abra.backup_list(&domain, limit).await.map(Listing::Told),
        }
    }
}

/// What is known of a backup's content.
enum Listing {
    /// From the repository.
    Known(Vec<SnapshotEntry>),
    /// By abra.
    Told(Call),
}

/// A backup that holds nothing of the app is none, whatever its exit code says.
fn holds_something(cx: &StageRun, made: &Made, listing: Result<Listing, Failure>) -> Result<(String, Holds), Failure> {
    let entries = match listing? {
        Listing::Known(entries) => entries,
        Listing::Told(call) => {
            let entries = paths(cx.took_from(Ok(call), "list the backup", Speaker::BackupBot)?.output());
            if names_only_volumes(&entries) {
                let why = "abra names the volumes and not what is in them";
                return Ok((format!("not known: {why}"), Holds::Nothing(why.to_owned())));
            }
            entries
        }
    };
    let volumes = cx.app.spec.stack.object("");
    let holds = judged(&entries, &BackupContext { volumes: &volumes, since: made.since, before: &made.before })?;
    let text = match &holds {
        Holds::Files(files) => format!("{} in the app's volumes", count(*files, "file")),
        Holds::Nothing(why) => format!("nothing: {why}"),
    };
    Ok((text, holds))
}

async fn wipe(cx: &mut StageRun, name: &str, markers: &[Marker]) -> Step {
    // The recipe's own data may be wiped while the markers are looked for: a folder that goes has no marker either.
    let looking = markers::wipe(&cx.run.swarm, &cx.app.spec.stack, markers).await.map(|mounts| {
        let (swarm, markers) = (cx.run.swarm.clone(), markers.to_vec());
        AbortOnDropHandle::new(tokio::spawn(async move { markers::missing(&swarm, &mounts, &markers).await }))
    });
    let wiped = if looking.is_ok() { data::wipe(cx).await } else { Ok(()) };
    cx.check(&format!("{name}.wiped"), async |_: &mut StageRun| {
        let missing =
            looking?.await.map_err(|error| Failure::new(Kind::Bug, error.to_string(), "please report it"))??;
        match markers.iter().find(|marker| !missing.contains(&marker.volume)) {
            Some(marker) => Err(Failure::new(
                Kind::WipeDidNothing,
                format!("the marker in volume {} outlived its wipe", marker.volume),
                "what rewrites files in that volume",
            )),
            None => Ok((format!("gone: {}", count(markers.len(), "marker")), ())),
        }
    })
    .await?;
    wiped
}

async fn restore(
    cx: &mut StageRun,
    name: &str,
    listing: JoinHandle<Result<Listing, Failure>>,
    made: &Made,
) -> Step<Holds> {
    cx.progress("abra restores the backup");
    let before = cx.before().await;
    let mut restored = cx.app.abra.restore(&cx.app.spec.domain, cx.time_left()).await;
    if restored.as_ref().is_ok_and(|call| !call.ok() && passes(call)) {
        if let Err(failure) = cx.took_from(restored, "restore the backup", Speaker::BackupBot) {
            cx.note(format!("the restore was tried once more; at the first try: {}", failure.what));
        }
        tokio::time::sleep(PAUSE).await;
        restored = cx.app.abra.restore(&cx.app.spec.domain, cx.time_left()).await;
    }
    let listed = listing.await.map_err(|error| Failure::new(Kind::Bug, error.to_string(), ""));
    let holds = cx
        .check(&format!("{name}.holds"), async |cx: &mut StageRun| {
            holds_something(cx, made, listed.and_then(|listing| listing))
        })
        .await?;
    cx.check(&format!("{name}.restored"), async |cx: &mut StageRun| {
        let call = match cx.took_from(restored, "restore the backup", Speaker::BackupBot).map_err(of_restore) {
            Ok(call) => call,
            Err(failure) => {
                let labels = cx.run.swarm.all_service_labels(&cx.app.spec.stack).await.unwrap_or_default();
                return Err(of_hooks(failure, &labels, "restore"));
            }
        };
        no_hook_failed(&call).map_err(of_restore)?;
        // A hook may have ended the app; what answers next must be settled.
        cx.settle(&Settled { outlive: !made.restores_by_hook, ..before? }).await?;
        Ok((format!("in {:.1} s, and the app is settled", call.took.as_secs_f64()), ()))
    })
    .await?;
    Ok(holds)
}

async fn back(cx: &mut StageRun, name: &str, markers: &[Marker]) -> Step {
    if markers.is_empty() {
        return Ok(());
    }
    cx.check(&format!("{name}.back"), async |cx: &mut StageRun| {
        let mounts = cx.run.swarm.mounted(&cx.app.spec.stack).await?;
        if let Some(volume) = markers::missing(&cx.run.swarm, &mounts, markers).await?.first() {
            return Err(Failure::new(
                Kind::RestoreEmpty,
                format!("the restore succeeded and what was in volume {volume} is not back"),
                "the restore hooks, and the paths that the backupbot labels name",
            ));
        }
        Ok((format!("back: {}", count(markers.len(), "marker")), ()))
    })
    .await
}

/// The bot says nothing of a hook that does not end, and abra neither; so the hooks are named. `when` is backup or restore.
fn of_hooks(failure: Failure, labels: &BTreeMap<String, BTreeMap<String, String>>, when: &str) -> Failure {
    let begin = format!("backupbot.{when}.");
    let hooks = labels.iter().flat_map(|(service, labels)| labels.iter().map(move |label| (service, label)));
    let hooks = hooks.filter(|(_, (name, _))| name.starts_with(&begin) && name.ends_with("-hook"));
    let hooks: Vec<String> =
        hooks.map(|(service, (_, command))| format!("{service}: {}", one_line(command, 160))).collect();
    if failure.kind != Kind::Deadline || hooks.is_empty() {
        return failure;
    }
    let look_at = format!(
        "the hooks ({}): one that waits for an answer never ends. It may have a terminal, where psql and mysql show what \
         is long page by page: `psql -P pager=off`, or `> /dev/null`",
        hooks.join("; ")
    );
    Failure { look_at, ..failure }
}

/// The bot goes on after a hook that failed, and ends well: its lines are all that tells.
fn no_hook_failed(call: &Call) -> Result<(), Failure> {
    let Some(line) = messages::failed_hook(call.output()) else { return Ok(()) };
    Err(Failure::new(
        Kind::BackupFailed,
        format!("the backup bot says that it succeeded, and a hook of the recipe failed: {}", one_line(line, 200)),
        "the hook in the backupbot labels, and what it printed; its command runs in the service's container",
    ))
}

/// What fails in a backup by the recipe's doing fails here in a restore.
fn of_restore(failure: Failure) -> Failure {
    match failure.kind {
        Kind::BackupFailed | Kind::BackupEmpty => Failure { kind: Kind::RestoreFailed, ..failure },
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hooks_are_named_where_a_restore_does_not_end_and_nowhere_else() {
        let labels = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let hooks: BTreeMap<String, BTreeMap<String, String>> = [
            ("app".to_owned(), labels(&[("backupbot.backup", "true")])),
            (
                "db".to_owned(),
                labels(&[("backupbot.backup.pre-hook", "/dump"), ("backupbot.restore.post-hook", "psql -f all.sql")]),
            ),
        ]
        .into();
        let failure = |kind| Failure::new(kind, "abra did not end in 293 s", "its output, in the report");
        let restore = of_hooks(failure(Kind::Deadline), &hooks, "restore");
        assert!(restore.look_at.starts_with("the hooks (db: psql -f all.sql): one that waits"), "{}", restore.look_at);
        assert!(of_hooks(failure(Kind::Deadline), &hooks, "backup").look_at.contains("(db: /dump)"));
        let other = of_hooks(failure(Kind::AbraFailed), &hooks, "restore");
        assert_eq!(other.look_at, "its output, in the report");
        let none = of_hooks(failure(Kind::Deadline), &BTreeMap::new(), "restore");
        assert_eq!(none.look_at, "its output, in the report");
    }
}
