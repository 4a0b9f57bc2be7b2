//! Finishes the teardown of runs whose owner is gone: killed, or lost with its machine. A run that
//! lives, the world, and everything that no claim of cc-ci names are never touched.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use harness::failure::Failure;
use harness::names::RunId;
use harness::swarm::{Claim, Swarm};
use jiff::Timestamp;
use serde::Serialize;

use crate::run_dir::{Alive, RunDir};
use crate::stage::tear_down;

/// What was done about one claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reaped {
    /// The run.
    pub run: String,
    /// Its stack.
    pub stack: String,
    /// What was done.
    pub what: Reaping,
}

/// What a reaping did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reaping {
    /// The owner lives: nothing was touched.
    Alive,
    /// The app stays until this time (Unix seconds): nothing was touched.
    Kept(i64),
    /// Nothing is left of it.
    Removed,
    /// Something is still there.
    Left(Vec<String>),
    /// It could not be tried.
    Failed(String),
}

/// Looks at every claim on the swarm and finishes those with no live owner.
///
/// # Errors
/// When the engine does not answer.
pub async fn reap(swarm: &Swarm, state: &Path, host: &str, limit: Duration) -> Result<Vec<Reaped>, Failure> {
    let mut done = Vec::new();
    for held in by_run(swarm.claims().await?) {
        done.extend(match owner(&held[0], state, host) {
            Owner::Lives => told(&held, &Reaping::Alive),
            Owner::Keeps(until) => told(&held, &Reaping::Kept(until)),
            Owner::Gone(dir, _alive) => finish(&held, dir.as_ref(), limit).await,
        });
    }
    Ok(done)
}

/// Ends what one run holds, also apps that it keeps. With `when_due`, waits until they have been kept as
/// long as was asked for; somebody may have given them more time meanwhile.
///
/// # Errors
/// When the engine does not answer.
pub async fn reap_run(
    swarm: &Swarm,
    (state, host): (&Path, &str),
    run: &RunId,
    when_due: bool,
    limit: Duration,
) -> Result<Vec<Reaped>, Failure> {
    loop {
        let mut claims = swarm.claims().await?;
        claims.retain(|claim| claim.run == *run);
        let Some(held) = by_run(claims).pop() else { return Ok(Vec::new()) };
        return Ok(match owner(&held[0], state, host) {
            // Another janitor was quicker: it is done when it lets go.
            Owner::Lives if when_due && RunDir::of(state, run).wait_for_owner().await.is_ok() => continue,
            Owner::Lives => told(&held, &Reaping::Alive),
            Owner::Keeps(until) if when_due => {
                let left = until.saturating_sub(Timestamp::now().as_second());
                tokio::time::sleep(Duration::from_secs(u64::try_from(left).unwrap_or(0))).await;
                continue;
            }
            Owner::Keeps(_) => finish(&held, Some(&RunDir::of(state, run)), limit).await,
            Owner::Gone(dir, _alive) => finish(&held, dir.as_ref(), limit).await,
        });
    }
}

/// The claims of each run, the tested app's before those of the apps that are there for it. No list is
/// empty.
fn by_run(claims: Vec<Claim>) -> Vec<Vec<Claim>> {
    let mut runs: BTreeMap<RunId, Vec<Claim>> = BTreeMap::new();
    for claim in claims {
        runs.entry(claim.run.clone()).or_default().push(claim);
    }
    for held in runs.values_mut() {
        held.sort_by_key(|claim| claim.beside.is_some());
    }
    runs.into_values().collect()
}

fn told(held: &[Claim], what: &Reaping) -> Vec<Reaped> {
    let of = |claim: &Claim| Reaped {
        run: claim.run.to_string(),
        stack: claim.stack.to_string(),
        what: what.clone(),
    };
    held.iter().map(of).collect()
}

/// Whether a claim's owner lives. Of another machine only the deadline is known.
enum Owner {
    Lives,
    /// Its run has ended, and the app stays until this time.
    Keeps(i64),
    /// Gone; the run's folder and its lock, where it was on this machine.
    Gone(Option<RunDir>, Option<Alive>),
}

fn owner(claim: &Claim, state: &Path, host: &str) -> Owner {
    let now = Timestamp::now().as_second();
    if let Some(until) = claim.kept_until.filter(|until| now < *until) {
        return Owner::Keeps(until);
    }
    let late = now > claim.kept_until.unwrap_or(claim.deadline);
    if claim.owner != host {
        return if late { Owner::Gone(None, None) } else { Owner::Lives };
    }
    let dir = RunDir::of(state, &claim.run);
    match dir.take_over() {
        Some(alive) => Owner::Gone(Some(dir), Some(alive)),
        // The owner lives, or used another state folder: then only the deadline is known.
        None if late && !dir.path().exists() => Owner::Gone(None, None),
        None => Owner::Lives,
    }
}

async fn finish(held: &[Claim], dir: Option<&RunDir>, limit: Duration) -> Vec<Reaped> {
    let mut done = Vec::new();
    for claim in held {
        let ended = tear_down(std::slice::from_ref(&claim.stack), dir, limit).await;
        let what = match (ended.failure, ended.left) {
            (Some(failure), _) => Reaping::Failed(failure.what),
            (None, left) if left.is_empty() => Reaping::Removed,
            (None, left) => {
                Reaping::Left(left.into_iter().map(|object| format!("{} {}", object.kind, object.name)).collect())
            }
        };
        done.extend(told(std::slice::from_ref(claim), &what));
    }
    done
}
