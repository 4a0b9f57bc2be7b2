//! Finds or starts the build of a run, so that there are never two.

use forge::drone::{DroneError, NewBuild, TESTME_RUN, Testme, UnfitParameter};
use tokio::time::sleep;

use super::seen::{AtDrone, Over};
use super::{Halt, One};

/// Retries after an error that waiting does not change, if a build may exist.
const PATIENCE: u32 = 6;

impl One {
    /// Finds the build, or starts it. Every attempt looks first: an earlier cc-ci process may have started it, or the
    /// response to an earlier attempt was lost.
    pub(super) async fn find(&self) -> Result<u64, Halt> {
        if let Some(number) = self.order.build {
            return Ok(number);
        }
        let new = self.new_build().map_err(|error| Halt::Over(unfit(&error)))?;
        // Whether an unknown build may exist.
        let mut may_be = self.order.again;
        let (mut failures, mut settled) = (0_u32, 0_u32);
        loop {
            if self.came.is_closed() {
                return Err(Halt::Detached);
            }
            if self.is_let_go() && !may_be {
                return Err(Halt::Over(Over::NotStarted));
            }
            let error = match self.at.drone.started_with(&self.at.repo, TESTME_RUN, self.order.run.as_str()).await {
                Ok(Some(build)) => return Ok(build.number),
                Ok(None) if self.let_go.is_cancelled() => {
                    may_be = false;
                    continue;
                }
                Ok(None) => match self.at.drone.start(&new).await {
                    Ok(build) => return Ok(build.number),
                    Err(error) => {
                        may_be |= matches!(error, DroneError::Unreachable { .. } | DroneError::Wrong { .. });
                        error
                    }
                },
                Err(error) => error,
            };
            // A permanent error ends the command. If a build may exist that has to be watched, there are retries for
            // some minutes.
            settled = if matches!(error, DroneError::Unreachable { .. }) { 0 } else { settled + 1 };
            if settled > if may_be { PATIENCE } else { 0 } {
                return Err(Halt::Over(self.refused(&error).await));
            }
            failures = failures.saturating_add(1);
            tracing::warn!("the build of run {} waits: {error}", self.order.run);
            self.says(None, false, AtDrone::Away(error.to_string()));
            tokio::select! {
                () = sleep(self.at.paces.pace.after(failures, rand::random())) => {}
                () = self.let_go.cancelled(), if !may_be => {}
                () = self.came.closed() => {}
            }
        }
    }

    fn new_build(&self) -> Result<NewBuild, UnfitParameter> {
        let order = &self.order;
        let testme = Testme {
            run: order.run.clone(),
            recipe: order.recipe.clone(),
            source: order.source.clone(),
            pull: order.pull,
            commit: order.commit.clone(),
            only: order.only.clone(),
            from: order.from.clone(),
        };
        let (repo, branch) = (self.at.repo.clone(), self.at.branch.clone());
        Ok(NewBuild { repo, branch, commit: None, parameters: testme.parameters()? })
    }

    async fn refused(&self, error: &DroneError) -> Over {
        let refusal = self.at.drone.refusal(&self.at.repo, self.at.branch.as_ref(), error).await;
        Over::Refused {
            what: format!("no build could be started in Drone: {}", refusal.what),
            look_at: refusal.look_at,
        }
    }
}

fn unfit(error: &UnfitParameter) -> Over {
    let what = format!("no build can be started with these parameters: {error}");
    Over::Refused { what, look_at: "the arguments of the command".to_owned() }
}
