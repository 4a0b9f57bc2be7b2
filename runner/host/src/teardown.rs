//! Everything goes. Teardown needs no context that works, only the stack's name and an engine, so
//! that it can run after any failure and for a run that was killed.

use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use slots::{Claim, Claims, Leftovers};
use swarm::{Removal, Swarm};

use journal::event::ObjectFact;
use journal::run_dir::RunDir;

/// How a teardown ended.
#[derive(Debug)]
pub struct Teardown {
    /// What is still there.
    pub left: Vec<ObjectFact>,
    /// What went wrong on the way, if anything did.
    pub failure: Option<Failure>,
}

/// Removes every object of the apps, one app after the other, and each one's claim last: as long as
/// something is left, the claim says whose it is. Then the run's private folders go. One app that stays
/// does not keep the others, and one whose name a later run has is that run's.
pub async fn tear_down(claims: &[Claim], dir: Option<&RunDir>, limit: Duration) -> Teardown {
    tear_down_and_say(claims, dir, limit, &mut |_| {}).await
}

/// The same, and says which app goes.
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
    // A connection of its own: the run's may be what broke.
    let swarm = Swarm::connect_within(until).await?;
    // One that slept past its lease finds its apps removed, and perhaps its name with a later run. Where
    // nobody has the name it is taken again, so that nobody takes it while something is removed.
    let Some(id) = Claims(&swarm).hold(claim).await? else { return Ok(Vec::new()) };
    Leftovers(&swarm).note(&claim.stack, &claim.owner).await?;
    let left = swarm.remove_under(&claim.stack, &id, Removal::Kill, until).await?;
    if left.is_empty() {
        Claims(&swarm).give_back(&id).await?;
    }
    Ok(left.into_iter().map(|object| ObjectFact { kind: object.kind.word().to_owned(), name: object.name }).collect())
}
