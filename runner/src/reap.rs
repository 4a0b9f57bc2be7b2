//! Finishes the teardown of runs whose owner is gone: killed, or lost with its machine. A run that
//! lives, the world, and everything that no claim of cc-ci names are never touched.

use std::path::Path;
use std::time::Duration;

use harness::failure::Failure;
use harness::names::StackName;
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
    for claim in swarm.claims().await? {
        let what = match owner(&claim, state, host) {
            Owner::Lives => Reaping::Alive,
            Owner::Gone(dir, _alive) => finish(&claim.stack, dir.as_ref(), limit).await,
        };
        done.push(Reaped { run: claim.run.to_string(), stack: claim.stack.to_string(), what });
    }
    Ok(done)
}

/// Whether a claim's owner lives. Of another machine only the deadline is known.
enum Owner {
    Lives,
    /// Gone; the run's folder and its lock, where it was on this machine.
    Gone(Option<RunDir>, Option<Alive>),
}

fn owner(claim: &Claim, state: &Path, host: &str) -> Owner {
    let late = Timestamp::now().as_second() > claim.deadline;
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

async fn finish(stack: &StackName, dir: Option<&RunDir>, limit: Duration) -> Reaping {
    let ended = tear_down(stack, dir, limit).await;
    match (ended.failure, ended.left) {
        (Some(failure), _) => Reaping::Failed(failure.what),
        (None, left) if left.is_empty() => Reaping::Removed,
        (None, left) => {
            Reaping::Left(left.into_iter().map(|object| format!("{} {}", object.kind, object.name)).collect())
        }
    }
}
