//! The claims of a run: on the tested app's name, and on that of every app beside it.

use std::collections::BTreeMap;

use harness::failure::{Failure, Kind};
use harness::names::RunId;
use harness::swarm::{Claim, ClaimOutcome, Swarm};
use jiff::Timestamp;

use crate::prepared::Prepared;
use crate::spec::RunSpec;

/// Takes the names of all apps of a run on the swarm, or none, and gives the labels that every service of
/// the run carries.
///
/// # Errors
/// [`Kind::NoSlot`] with who holds one of them.
pub async fn all(swarm: &Swarm, prepared: &Prepared, host: &str) -> Result<BTreeMap<String, String>, Failure> {
    let tested = &prepared.spec;
    let seconds: u64 = prepared.stages.iter().map(|stage| stage.deadline_s).sum();
    let deadline = Timestamp::now().as_second().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
    let mut held: Vec<&RunSpec> = Vec::new();
    // One that several runs use belongs to none of them.
    let own = prepared.dependencies.iter().filter(|dependency| dependency.warm.is_none());
    for spec in [tested].into_iter().chain(own.map(|dependency| &dependency.spec)) {
        let claim = Claim {
            run: spec.run.clone(),
            stack: spec.stack.clone(),
            domain: spec.domain.clone(),
            recipe: spec.recipe.clone(),
            beside: (spec.stack != tested.stack).then(|| tested.stack.clone()),
            warm: None,
            owner: host.to_owned(),
            deadline,
            kept_until: None,
        };
        if let Err(failure) = take(swarm, &claim).await {
            for other in held {
                swarm.release(&other.stack).await?;
            }
            return Err(failure);
        }
        held.push(spec);
    }
    Ok(labels(&tested.run, host, deadline))
}

/// The labels of every service that a run deploys.
#[must_use]
pub fn labels(run: &RunId, host: &str, deadline: i64) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("cc-ci.run".to_owned(), run.to_string()),
        ("cc-ci.owner".to_owned(), host.to_owned()),
        ("cc-ci.deadline".to_owned(), deadline.to_string()),
    ])
}

async fn take(swarm: &Swarm, claim: &Claim) -> Result<(), Failure> {
    let ClaimOutcome::Taken(other) = swarm.claim(claim).await? else { return Ok(()) };
    let kept = other.kept_until.map(|_| format!("; it is kept: `cc-ci reap --run {}` ends it", other.run));
    Err(Failure::new(
        Kind::NoSlot,
        format!("the app {} is held by run {} on {}", claim.domain, other.run, other.owner),
        format!("wait until that run has ended{}; one that was killed goes by `cc-ci reap`", kept.unwrap_or_default()),
    ))
}
