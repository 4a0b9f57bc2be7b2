//! Teardown. It needs no working context, only the stack's name and an engine, so that it can run after any failure and
//! for a killed run.

use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use slots::{Claim, Claims, Leftovers};
use swarm::{Removal, Swarm};

use journal::event::ObjectFact;
use journal::run_dir::RunDir;

/// The result of a teardown.
#[derive(Debug)]
pub struct Teardown {
    /// Objects that still exist.
    pub left: Vec<ObjectFact>,
    pub failure: Option<Failure>,
}

/// Removes all objects of the apps, one app after the other, and each claim last: as long as something is left, the
/// claim names its owner. Then removes the run's private folders. A failure for one app does not stop the others; an
/// app whose name a later run has belongs to that run.
pub async fn tear_down(claims: &[Claim], dir: Option<&RunDir>, limit: Duration) -> Teardown {
    tear_down_and_say(claims, dir, limit, &mut |_| {}).await
}

/// The same, and reports which app is being removed.
pub async fn tear_down_and_say(
    claims: &[Claim],
    dir: Option<&RunDir>,
    limit: Duration,
    say: &mut (dyn FnMut(&str) + Send),
) -> Teardown {
    let until = Instant::now() + limit;
    let mut ended = Teardown { left: Vec::new(), failure: None };
    for claim in claims {
        say(&format!("removes {}", claim.stack));
        match objects(claim, until).await {
            Ok(left) => ended.left.extend(left),
            Err(failure) => {
                ended.failure.get_or_insert(failure);
            }
        }
    }
    if let Some(Err(error)) = dir.map(RunDir::remove_private) {
        let failure = Failure::new(
            Kind::LeftBehind,
            format!("the run's private folders could not be removed: {error}"),
            "rights and space of cc-ci's state folder",
        );
        ended.failure.get_or_insert(failure);
    }
    ended
}

async fn objects(claim: &Claim, until: Instant) -> Result<Vec<ObjectFact>, Failure> {
    // A new connection: the run's may be what failed.
    let swarm = Swarm::connect_within(until).await?;
    // A run that slept past its lease finds its apps removed, and perhaps its name claimed by a later run. An unclaimed
    // name is claimed again, so that no other run takes it during the removal.
    let Some(id) = Claims(&swarm).hold(claim).await? else { return Ok(Vec::new()) };
    Leftovers(&swarm).note(&claim.stack, &claim.owner).await?;
    let left = swarm.remove_under(&claim.stack, &id, Removal::Kill, until).await?;
    if left.is_empty() {
        Claims(&swarm).give_back(&id).await?;
    }
    Ok(left.into_iter().map(|object| ObjectFact { kind: object.kind.word().to_owned(), name: object.name }).collect())
}
