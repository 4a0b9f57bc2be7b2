//! The claims of a run: on the tested app's name, and on that of every app beside it. They say what has to
//! be removed when the run is dead.

use std::collections::BTreeSet;
use std::time::Duration;

use base::failure::{Failure, Kind};
use base::names::StackName;
use slots::{Claim, ClaimOutcome, Claims};
use swarm::Swarm;

use crate::context::StageRun;
use host::queue;
use host::run_labels::labels;
use journal::event::Stage;
use journal::text::count;
use plan::spec::RunSpec;

/// How long a name may still be held by a run that has just given its slot back.
const LETTING_GO: Duration = Duration::from_secs(15);

/// Takes the names of all apps of a run on the swarm, and writes down which it has and the labels that every
/// service carries. What was taken is given back by the teardown, also when one is missing.
///
/// # Errors
/// [`Kind::NoSlot`] with who holds one of them.
pub async fn all(cx: &mut StageRun) -> Result<String, Failure> {
    let seconds = i64::try_from(longest(cx).as_secs()).unwrap_or(i64::MAX);
    let deadline = queue::now(&cx.run.swarm, &cx.run.runner.settings).await?.saturating_add(seconds);
    let labels = labels(&cx.app.spec.run, &cx.run.runner.host, deadline);
    cx.app.labels = labels.clone();
    // One that several runs use belongs to none of them.
    for other in cx.holdings.dependencies.iter_mut().filter(|other| !other.app.is_warm()) {
        other.app.labels = labels.clone();
    }
    let specs: Vec<RunSpec> = cx.own_apps().map(|app| app.spec.clone()).collect();
    for spec in &specs {
        let claim = Claim {
            run: spec.run.clone(),
            stack: spec.stack.clone(),
            domain: spec.domain.clone(),
            recipe: spec.recipe.clone(),
            beside: (spec.stack != cx.app.spec.stack).then(|| cx.app.spec.stack.clone()),
            warm: None,
            owner: cx.run.runner.host.clone(),
            deadline,
            kept_until: None,
        };
        take(&cx.run.swarm, &claim).await?;
        cx.holdings.claims.push(claim);
    }
    Ok(format!("{} held", count(specs.len(), "name")))
}

/// How long a run can hold its slot at most.
pub fn longest(cx: &StageRun) -> Duration {
    let held = cx.run.started.stages.iter().filter(|planned| planned.stage > Stage::Slot);
    Duration::from_secs(held.map(|planned| planned.deadline_s).sum())
}

/// A name that an app keeps for hours is not waited for.
///
/// # Errors
/// [`Kind::NoSlot`] with how to end that app.
pub async fn none_is_kept(cx: &StageRun, stacks: &BTreeSet<StackName>) -> Result<(), Failure> {
    let now = queue::now(&cx.run.swarm, &cx.run.runner.settings).await?;
    let kept = |claim: &&Claim| stacks.contains(&claim.stack) && claim.kept_until.is_some_and(|until| now < until);
    Claims(&cx.run.swarm).all().await?.iter().find(kept).map_or(Ok(()), |other| Err(held_by(other)))
}

async fn take(swarm: &Swarm, claim: &Claim) -> Result<(), Failure> {
    let claims = Claims(swarm);
    let gone = claims.gone(&claim.stack);
    let ClaimOutcome::Taken(_) = claims.take(claim).await? else { return Ok(()) };
    // The slot says that nobody lives under this name: whoever has it is being removed.
    let _ = tokio::time::timeout(LETTING_GO, gone).await;
    match claims.take(claim).await? {
        ClaimOutcome::Held => Ok(()),
        ClaimOutcome::Taken(other) => Err(held_by(&other)),
    }
}

fn held_by(other: &Claim) -> Failure {
    let kept = other.kept_until.map(|_| format!("; it is kept: `cc-ci reap --run {}` ends it", other.run));
    Failure::new(
        Kind::NoSlot,
        format!("the app {} is held by run {} on {}", other.domain, other.run, other.owner),
        format!("wait until that run has ended{}; one that was killed goes by `cc-ci reap`", kept.unwrap_or_default()),
    )
}
