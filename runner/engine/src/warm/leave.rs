//! After a run: its realm goes from a provider that stays, and one that it made stays for the next run.

use std::time::Duration;

use base::failure::{Failure, Kind};
use swarm::Claim;

use crate::context::Context;
use crate::context::logins;
use crate::end_later::end_later;
use host::queue;
use host::teardown::tear_down;
use journal::event::ObjectFact;
use plan::warm_provider::Warm;

/// How long a provider may take to remove a realm.
const REMOVING: Duration = Duration::from_secs(60);

/// Takes the run's realm from a warm provider; one that was made and came up stays, one that did not goes.
/// Gives what is left of it and what went wrong: nothing here keeps the rest from being torn down.
pub async fn leave(cx: &Context, limit: Duration) -> (Vec<ObjectFact>, Vec<Failure>) {
    let (mut left, mut failures) = (Vec::new(), Vec::new());
    let Some((app, warm)) = the_warm_one(cx) else { return (left, failures) };
    let up = app.deployed.is_some() && cx.came_up;
    if up {
        let removed = tokio::time::timeout(REMOVING, logins::remove(cx)).await.unwrap_or_else(|_| {
            let what = format!("the provider did not remove the run's realm in {} s", REMOVING.as_secs());
            Err(Failure::new(Kind::ProviderUnreachable, what, "`cc-ci reap` tries again"))
        });
        match removed {
            // One that was still being made when the run was stopped may come yet: then a janitor looks again.
            Ok(()) if cx.logins.is_none() => {}
            Ok(()) => failures.extend(cx.swarm.release_realm(&cx.spec.run).await.err()),
            Err(failure) => failures.push(failure),
        }
    }
    if warm.was_there() {
        if !up {
            // No realm was made.
            failures.extend(cx.swarm.release_realm(&cx.spec.run).await.err());
        }
        return (left, failures);
    }
    if up {
        let kept = async { stays(app, until(cx, warm.time).await?).await };
        failures.extend(kept.await.err());
        return (left, failures);
    }
    let ended = tear_down(warm.claim.as_slice(), Some(&warm.dir), limit).await;
    failures.extend(ended.failure);
    failures.extend(cx.swarm.release_realm(&cx.spec.run).await.err());
    warm.dir.discard();
    left.extend(ended.left);
    (left, failures)
}

/// The tested app is kept until then (Unix seconds), so its realm is too, and the provider.
///
/// # Errors
/// When the engine does not answer, or nothing could end the provider later.
pub async fn stay(cx: &Context, until: i64) -> Result<(), Failure> {
    let Some((app, warm)) = the_warm_one(cx) else { return Ok(()) };
    let lease = cx.swarm.realm_leases().await?.into_iter().find(|lease| lease.run == cx.spec.run);
    if let Some(lease) = lease {
        // Nobody reaps a lease of a run that lives, so the moment without one is harmless.
        cx.swarm.release_realm(&cx.spec.run).await?;
        cx.swarm.lease_realm(&Claim { kept_until: Some(until), ..lease }).await?;
    }
    if warm.was_there() {
        if cx.swarm.extend_claim(&app.spec.stack, until).await? {
            return Ok(());
        }
        let what = format!("the provider {} has been ended meanwhile", app.spec.domain);
        return Err(Failure::new(Kind::DependencyGone, what, "who ended it: `cc-ci reap`, or its own time"));
    }
    stays(app, until.max(self::until(cx, warm.time).await?)).await
}

async fn stays(app: &Context, until: i64) -> Result<(), Failure> {
    app.swarm.keep_claim(&app.spec.stack, until).await?;
    end_later(app, &app.spec.run)
}

async fn until(cx: &Context, time: Duration) -> Result<i64, Failure> {
    let now = queue::now(&cx.swarm, &cx.runner.settings).await?;
    Ok(now.saturating_add(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)))
}

fn the_warm_one(cx: &Context) -> Option<(&Context, &Warm)> {
    cx.beside.iter().find_map(|app| Some((app, app.warm.as_ref()?)))
}
