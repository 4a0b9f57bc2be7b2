//! The right to hold live apps, which all runners on the swarm share, and then the apps' names.

use slots::Claims;
use std::time::Duration;

use base::failure::{Failure, Kind};
use slots::{Board as _, Lease, NoSlot};

use crate::claims;
use crate::context::usage;
use crate::context::{StageRun, Step};
use crate::slot::ask;
use host::janitor::Janitor;
use host::queue::{UsualTimes, caps, now, place, slots_of};

/// How long the removal of what one dead run left may take, while this one waits.
const REMOVING: Duration = Duration::from_secs(60);

pub(super) async fn run(cx: &mut StageRun) -> Step {
    cx.check("slot.taken", async |cx: &mut StageRun| take(cx).await.map(|text| (text, ()))).await?;
    // Those that lived before it are gone now, and the memory is free that it needs; or something else has it.
    super::prepare::has_room(cx, "slot.room", Some(usage::needed_mib(cx))).await?;
    cx.check("slot.names", async |cx: &mut StageRun| {
        let names = claims::all(cx).await?;
        hold_what_is_warm(cx).await?;
        Ok((names, ()))
    })
    .await
}

/// A provider that others made stays for as long as this run may need it from now on: how long it waited
/// nobody knew before.
async fn hold_what_is_warm(cx: &StageRun) -> Result<(), Failure> {
    let longest = i64::try_from(claims::longest(cx).as_secs()).unwrap_or(i64::MAX);
    for app in cx.apps().filter(|app| app.was_there()) {
        let until = now(&cx.run.swarm, &cx.run.runner.settings).await?.saturating_add(longest);
        if !Claims(&cx.run.swarm).extend(&app.spec.stack, until).await? {
            let what = format!("the provider {} was ended while the run waited for its slot", app.spec.domain);
            return Err(Failure::new(Kind::DependencyGone, what, "run again: it makes a provider of its own"));
        }
    }
    Ok(())
}

async fn take(cx: &mut StageRun) -> Result<String, Failure> {
    let runner = cx.run.runner.clone();
    let slots = slots_of(&cx.run.swarm, &runner.settings);
    let wish = caps(&cx.run.swarm, &runner.settings).await?;
    let ask = ask(cx, &runner, claims::longest(cx));
    claims::none_is_kept(cx, &ask.stacks).await?;
    let (http, times, mut speaker) = (cx.http.clone(), UsualTimes::begin(runner.state.clone()), cx.speaker());
    let swarm = cx.run.swarm.clone();
    let janitor = Janitor::new(&swarm, &http, &runner, REMOVING);
    let granted = slots
        .acquire(&ask, wish, &janitor, &cx.run.cancel, &mut |view, waiting| speaker(&place(view, waiting, &times)))
        .await;
    match granted {
        Ok(granted) => {
            let lease = Lease::start(&slots, granted);
            let (lost, cancel) = (lease.stop(), cx.run.cancel.clone());
            tokio::spawn(async move {
                lost.cancelled().await;
                cancel.cancel();
            });
            cx.holdings.lease = Some(lease);
            let caps = slots.board().ledger().await?.map_or(wish.usual, |ledger| ledger.caps);
            let (apps, mib) = (ask.apps, ask.mib);
            Ok(format!("{apps} of {} apps and {mib} of {} MiB; at most {} runs", caps.apps, caps.mib, caps.tests))
        }
        Err(NoSlot::Failed(failure)) => Err(failure),
        Err(NoSlot::TooMuch(what)) => Err(Failure::new(
            Kind::NoSlot,
            format!("the run can never have a slot: {what}"),
            "`cc-ci caps`, which shows and changes what the swarm may hold; [weight] in recipe.toml, if it says too much",
        )),
        Err(NoSlot::Cancelled(by)) => {
            let by = by.unwrap_or_else(|| "a signal".to_owned());
            cx.holdings.cancelled_by = Some(by.clone());
            cx.run.cancel.cancel();
            Err(Failure::new(Kind::NoSlot, format!("the run was cancelled by {by} while it waited"), ""))
        }
    }
}
