//! The right to hold live apps, which all runners on the swarm share, and then the apps' names.

use std::time::Duration;

use harness::failure::{Failure, Kind};
use slots::{Lease, NoSlot};

use crate::claims;
use crate::context::{Context, Step};
use crate::reap::Janitor;
use crate::slot::{Times, ask, caps, place, slots_of};
use crate::usage;

/// How long the removal of what one dead run left may take, while this one waits.
const REMOVING: Duration = Duration::from_secs(60);

pub(super) async fn run(cx: &mut Context) -> Step {
    cx.check("slot.taken", async |cx: &mut Context| take(cx).await.map(|text| (text, ()))).await?;
    // Those that lived before it are gone now, and the memory is free that it needs; or something else has it.
    super::prepare::has_room(cx, "slot.room", Some(usage::needed_mib(cx))).await?;
    cx.check("slot.names", async |cx: &mut Context| {
        let names = claims::all(cx).await?;
        Ok((names, ()))
    })
    .await
}

async fn take(cx: &mut Context) -> Result<String, Failure> {
    let runner = cx.runner.clone();
    let slots = slots_of(&cx.swarm, &runner.settings);
    let caps = caps(&cx.swarm, &slots, &runner.settings).await?;
    let ask = ask(cx, &runner, claims::longest(cx));
    claims::none_is_kept(cx, &ask.stacks).await?;
    let (http, times, mut speaker) = (cx.http.clone(), Times::of(runner.state.clone()), cx.speaker());
    let swarm = cx.swarm.clone();
    let janitor = Janitor::new(&swarm, &http, &runner, REMOVING);
    let granted = slots
        .acquire(&ask, caps, &janitor, &cx.cancel, &mut |view, waiting| speaker(&place(view, waiting, &times)))
        .await;
    match granted {
        Ok(granted) => {
            let lease = Lease::start(&slots, granted);
            let (lost, cancel) = (lease.stop(), cx.cancel.clone());
            tokio::spawn(async move {
                lost.cancelled().await;
                cancel.cancel();
            });
            cx.lease = Some(lease);
            let (apps, mib) = (ask.apps, ask.mib);
            Ok(format!("{apps} of {} apps and {mib} of {} MiB; at most {} runs", caps.apps, caps.mib, caps.tests))
        }
        Err(NoSlot::Failed(failure)) => Err(failure),
        Err(NoSlot::TooMuch(what)) => Err(Failure::new(
            Kind::NoSlot,
            format!("the run can never have a slot: {what}"),
            "MAX_TESTS, --max-apps and --max-memory; [weight] in recipe.toml, if it says too much",
        )),
        Err(NoSlot::Cancelled(by)) => {
            let by = by.unwrap_or_else(|| "a signal".to_owned());
            cx.cancelled_by = Some(by.clone());
            cx.cancel.cancel();
            Err(Failure::new(Kind::NoSlot, format!("the run was cancelled by {by} while it waited"), ""))
        }
    }
}
