//! Waiting until a stack has settled.

use std::time::Instant;

use super::engine::Swarm;
use super::seen::Before;
use crate::failure::{Failure, Kind};
use crate::names::StackName;

/// A subscription to the engine's events for one stack. Take it before the deploy.
#[derive(Debug)]
pub struct Watch {
    swarm: Swarm,
    stack: StackName,
}

/// A stack in which everything runs that should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The services, by name.
    pub services: Vec<ServiceSettled>,
    /// The moment of the last event that made it true, as the engine dates it; none where everything
    /// ran already when the watch began.
    pub healthy_at: Option<Instant>,
    /// The moment at which this was decided.
    pub seen_at: Instant,
}

/// A service in which everything runs that should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettled {
    /// Its short name.
    pub service: String,
    /// The containers that run, by id; on other nodes too.
    pub containers: Vec<String>,
    /// As in [`Settled`], for this service.
    pub healthy_at: Option<Instant>,
}

impl Swarm {
    /// Begins to listen for a stack's events.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn watch(&self, stack: &StackName) -> Result<Watch, Failure> {
        Ok(Watch { swarm: self.clone(), stack: stack.clone() })
    }

    /// What runs now: take it before a deploy and give it to [`Watch::settled`] after it.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn before(&self, stack: &StackName) -> Result<Before, Failure> {
        let _ = stack;
        Ok(Before::default())
    }
}

impl Watch {
    /// Waits until the stack has settled, or it is clear that it never will.
    ///
    /// # Errors
    /// What the stack died of, with evidence; [`Kind::Deadline`] with what was awaited;
    /// [`Kind::EngineRestarted`] and [`Kind::EngineUnreachable`] when the connection was lost.
    pub async fn settled(
        &mut self,
        before: &Before,
        deadline: Instant,
        on_progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Settled, Failure> {
        let _ = (before, deadline, on_progress, &self.swarm, &self.stack);
        Err(Failure::new(Kind::Bug, "not written yet", ""))
    }
}
