//! After a run: its realm goes from a provider that stays, and one that it made stays for the next run.

use std::time::Duration;

use base::failure::{Failure, Kind};
use slots::{Claim, Claims, RealmLeases};

use crate::context::StageRun;
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
pub async fn leave(cx: &StageRun, limit: Duration) -> (Vec<ObjectFact>, Vec<Failure>) {
    let (mut left, mut failures) = (Vec::new(), Vec::new());
    let Some((other, warm)) = the_warm_one(cx) else { return (left, failures) };
    let up = other.app.deployed.is_some() && cx.holdings.came_up;
    if up {
        let removed = tokio::time::timeout(REMOVING, logins::remove(cx)).await.unwrap_or_else(|_| {
            let what = format!("the provider did not remove the run's realm in {} s", REMOVING.as_secs());
            Err(Failure::new(Kind::ProviderUnreachable, what, "`cc-ci reap` tries again"))
        });
        match removed {
            // One that was still being made when the run was stopped may come yet: then a janitor looks again.
            Ok(()) if cx.holdings.logins.is_none() => {}
            Ok(()) => failures.extend(RealmLeases(&cx.run.swarm).release(&cx.app.spec.run).await.err()),
            Err(failure) => failures.push(failure),
        }
    }
    if warm.was_there() {
        if !up {
            // No realm was made.
            failures.extend(RealmLeases(&cx.run.swarm).release(&cx.app.spec.run).await.err());
        }
        return (left, failures);
    }
    if up {
        let kept = async { stays(other, until(cx, warm.time).await?).await };
        failures.extend(kept.await.err());
        return (left, failures);
    }
    let ended = tear_down(warm.claim.as_slice(), Some(&warm.dir), limit).await;
    failures.extend(ended.failure);
    failures.extend(RealmLeases(&cx.run.swarm).release(&cx.app.spec.run).await.err());
    warm.dir.discard();
    left.extend(ended.left);
    (left, failures)
}

/// The tested app is kept until then (Unix seconds), so its realm is too, and the provider.
///
/// # Errors
/// When the engine does not answer, or nothing could end the provider later.
pub async fn stay(cx: &StageRun, until: i64) -> Result<(), Failure> {
    let Some((other, warm)) = the_warm_one(cx) else { return Ok(()) };
    let lease = RealmLeases(&cx.run.swarm).all().await?.into_iter().find(|lease| lease.run == cx.app.spec.run);
    if let Some(lease) = lease {
        // Nobody reaps a lease of a run that lives, so the moment without one is harmless.
        RealmLeases(&cx.run.swarm).release(&cx.app.spec.run).await?;
        RealmLeases(&cx.run.swarm).take(&Claim { kept_until: Some(until), ..lease }).await?;
    }
    if warm.was_there() {
        if Claims(&cx.run.swarm).extend(&other.app.spec.stack, until).await? {
            return Ok(());
        }
        let what = format!("the provider {} has been ended meanwhile", other.app.spec.domain);
        return Err(Failure::new(Kind::DependencyGone, what, "who ended it: `cc-ci reap`, or its own time"));
    }
    stays(other, until.max(self::until(cx, warm.time).await?)).await
}

async fn stays(provider: &StageRun, until: i64) -> Result<(), Failure> {
    let spec = &provider.app.spec;
    Claims(&provider.run.swarm).keep(&spec.stack, until).await?;
    end_later(provider, &spec.run)
}

async fn until(cx: &StageRun, time: Duration) -> Result<i64, Failure> {
    let now = queue::now(&cx.run.swarm, &cx.run.runner.settings).await?;
    Ok(now.saturating_add(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)))
}

fn the_warm_one(cx: &StageRun) -> Option<(&StageRun, &Warm)> {
    cx.holdings.dependencies.iter().find_map(|other| Some((other, other.app.warm.as_ref()?)))
}
