//! What a restart of a build means for its run. Pure.
//!
//! Drone and Woodpecker start a new build with the same parameters, including the run's id (read in
//! `handler/api/repos/builds/retry.go` and `server/pipeline/restart.go`, and seen in Drone). The new build has its own
//! number, and the original build as its parent.

use base::names::RunId;

use super::facts::{BuildFacts, Event};

/// The run id of a restarted build: the id in both builds' parameters, `-b`, and the number of the new build. A restart
/// of a restart has the original id as its parameter too, so ids do not grow.
pub fn restarted_run_id(run: &RunId, build_number: u64) -> RunId {
    run.with_build(build_number)
}

/// The number of a build if it is a restart. A promotion and a rollback have a parent too, but are no new attempt of
/// it.
pub fn restarted_build(facts: &BuildFacts) -> Option<u64> {
    let goes_on = facts.parent.is_some() && facts.event != Event::Deployment;
    facts.number.filter(|_| goes_on)
}
