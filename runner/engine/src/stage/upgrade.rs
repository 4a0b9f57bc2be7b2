//! The deployment goes to the tested commit, in place, by a chaos deploy. That it moved, that the
//! process is new and that the data outlived it are each shown.

use std::collections::BTreeSet;

use base::failure::{Failure, Kind};
use futures_util::future::try_join_all;
use swarm::{MountedVolume, Settled};
use tokio_util::task::AbortOnDropHandle;

use super::{answers, change, data, overlay};
use crate::context::{StageRun, Step};
use host::markers::{self, Marker};

pub(super) async fn run(cx: &mut StageRun) -> Step {
    let markers = match cx.app.opted_out("upgrade.data") {
        Some(reason) => {
            cx.skip("upgrade.data", reason);
            None
        }
        None => Some(Planting::begin(cx)),
    };
    // Neither needs the other: the marker is a file at a volume's root.
    data::seed(cx).await?;
    let markers = match markers {
        Some(planting) => Some(planting.planted(cx, "upgrade.markers").await?),
        None => None,
    };

    let head = cx.app.spec.head.to_string();
    let (settled, old) = cx
        .check("upgrade.settled", async |cx: &mut StageRun| {
            let before = cx.before().await?;
            let deployed = cx.deploy(&head, &before).await;
            change::left_behind(cx).await?;
            let settled = deployed.map_err(|failure| cx.explained(failure))?;
            let text = format!("{} services have settled, no rollback", settled.services.len());
            Ok((text, (settled, before.containers)))
        })
        .await?;
    let mut containers = settled.services.iter().flat_map(|service| &service.containers);
    cx.app.all_new = !containers.any(|container| old.contains(container));
    cx.check("upgrade.moved", async |cx: &mut StageRun| Ok((answers::runs_commit(cx, &head).await?, ()))).await?;
    cx.check("upgrade.new-process", async |cx: &mut StageRun| new_process(cx, &settled, &old).await).await?;
    answers::answers(cx, "upgrade.answers").await?;
    if let Some(markers) = markers {
        cx.check("upgrade.data", async |cx: &mut StageRun| {
            nameless(cx).await?;
            let (text, ()) = still_there(cx, &markers, "the upgrade").await?;
            let new = if cx.app.all_new { ", and every container is new: they outlive an undeploy too" } else { "" };
            Ok((format!("{text}{new}"), ()))
        })
        .await?;
    }
    data::check(cx, "upgrade").await?;
    overlay::run_all(cx, "upgrade").await
}

/// Plants a marker in every volume that some service may write to.
pub(super) async fn plant(cx: &mut StageRun, check: &str) -> Step<Vec<Marker>> {
    Planting::begin(cx).planted(cx, check).await
}

/// Markers that are being planted while the run does something else.
struct Planting(AbortOnDropHandle<Result<Vec<Marker>, Failure>>);

impl Planting {
    fn begin(cx: &StageRun) -> Self {
        let (swarm, stack, run) = (cx.run.swarm.clone(), cx.app.spec.stack.clone(), cx.app.spec.run.clone());
        Self(AbortOnDropHandle::new(tokio::spawn(async move {
            let mut mounts = swarm.mounted(&stack).await?;
            let mut seen = BTreeSet::new();
            mounts.retain(|mount| !mount.read_only && seen.insert(mount.short.clone()));
            let plant =
                async |mount: &MountedVolume| Marker::plant(&swarm, mount, "", &format!("{run} {}", mount.short)).await;
            try_join_all(mounts.iter().map(plant)).await
        })))
    }

    async fn planted(self, cx: &mut StageRun, check: &str) -> Step<Vec<Marker>> {
        cx.check(check, async |_: &mut StageRun| {
            let ended = self.0.await;
            let planted = ended.map_err(|error| Failure::new(Kind::Bug, error.to_string(), "please report it"))??;
            let names: Vec<&str> = planted.iter().map(|marker| marker.volume.as_str()).collect();
            let text = if names.is_empty() {
                "the app has no volume that could hold a marker".to_owned()
            } else {
                format!("a marker is in {}", names.join(", "))
            };
            Ok((text, planted))
        })
        .await
    }
}

/// The service `app` answers from containers that were not there before.
async fn new_process(cx: &StageRun, settled: &Settled, old: &BTreeSet<String>) -> Result<(String, ()), Failure> {
    let app = settled.services.iter().find(|service| service.name == "app");
    let containers = app.map(|service| service.containers.clone()).unwrap_or_default();
    let stale = containers.iter().find(|container| old.contains(*container));
    if app.is_some() && !containers.is_empty() && stale.is_none() {
        return Ok(("service app runs in a container that was not there before".to_owned(), ()));
    }
    Err(Failure::new(
        Kind::DidNotMove,
        format!("the upgrade did not move: service app of {} still runs in the container of before", cx.app.spec.stack),
        "whether the change reaches service app at all, and its task history",
    ))
}

/// Tells which data go with their container, whatever is kept.
async fn nameless(cx: &StageRun) -> Result<(), Failure> {
    let found = cx.run.swarm.nameless(&cx.app.spec.stack).await?;
    if !found.is_empty() {
        let places: Vec<String> = found.iter().map(|(service, path)| format!("{path} of {service}")).collect();
        cx.note(format!(
            "volumes without a name, which go with their container at an upgrade and an undeploy: {}",
            places.join(", ")
        ));
    }
    Ok(())
}

pub(super) async fn still_there(cx: &StageRun, markers: &[Marker], after: &str) -> Result<(String, ()), Failure> {
    let mounts = cx.run.swarm.mounted(&cx.app.spec.stack).await?;
    if let Some(volume) = markers::missing(&cx.run.swarm, &mounts, markers).await?.first() {
        return Err(Failure::new(
            Kind::DataLost,
            format!("{after} lost data: what was in volume {volume} before is not there after"),
            "volumes that the change renames, drops or mounts elsewhere, and what entrypoints delete",
        ));
    }
    Ok((format!("{} markers from before are there", markers.len()), ()))
}
