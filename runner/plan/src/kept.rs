//! An app that an earlier run keeps: found again, so that tests can be tried against it at once.

use std::path::Path;

use base::failure::{Failure, Kind};
use base::names::RecipeName;
use slots::Claims;
use swarm::Swarm;

use journal::event::{Event, RunStarted};

use journal::run_dir::RunDir;

/// A kept app.
#[derive(Debug, Clone)]
pub struct KeptApp {
    /// The facts of the run that made it.
    pub started: RunStarted,
    /// That run's folder.
    pub dir: RunDir,
}

/// The recipe's app that is kept on this machine; the newest, where there are several.
///
/// # Errors
/// When there is none, or its journal cannot be read.
pub async fn find(swarm: &Swarm, state: &Path, recipe: &RecipeName) -> Result<KeptApp, Failure> {
    let mut claims = Claims(swarm).all().await?;
    // One whose end has begun does not say so any more.
    claims.retain(|claim| claim.recipe == *recipe && claim.beside.is_none() && claim.kept_until.is_some());
    claims.sort_by(|a, b| a.run.cmp(&b.run));
    let found = claims.iter().rev().map(|claim| RunDir::of(state, &claim.run)).find(|dir| dir.journal().exists());
    let Some(dir) = found else {
        return Err(Failure::new(
            Kind::NotKept,
            format!("no app of {recipe} is kept on this machine"),
            format!("keep one: cc-ci run {recipe} --keep"),
        ));
    };
    let read = journal::read(&dir.journal()).map_err(|error| {
        Failure::new(Kind::NotKept, format!("the kept app's journal: {error}"), format!("cc-ci run {recipe} --keep"))
    })?;
    let started = read.records.into_iter().find_map(|record| match record.event {
        Event::RunStarted(started) => Some(*started),
        _ => None,
    });
    match started {
        Some(started) => Ok(KeptApp { started, dir }),
        None => Err(Failure::new(Kind::NotKept, "the kept app's journal has no beginning", "keep another one")),
    }
}
