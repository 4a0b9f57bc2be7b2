//! Whether the docker engine stayed up. A stage that is red because the engine went away says
//! nothing about the recipe.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use harness::failure::{Failure, Kind};
use harness::swarm::Swarm;

use crate::event::Stage;

/// Time that an engine has to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Listens to the engine for the length of a run.
#[derive(Debug)]
pub struct EngineWatch {
    lost: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl EngineWatch {
    /// Starts to listen. An event stream ends only when the engine or the connection does.
    #[must_use]
    pub fn start(swarm: &Swarm) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let (docker, flag) = (swarm.docker().clone(), Arc::clone(&lost));
        let task = tokio::spawn(async move {
            let mut events = docker.events(None);
            while let Some(Ok(_)) = events.next().await {}
            flag.store(true, Ordering::SeqCst);
        });
        Self { lost, task }
    }

    /// If the engine went away since the last look: waits for it, says so, and listens again.
    pub async fn lost_in(&mut self, swarm: &Swarm, stage: Stage) -> Option<Failure> {
        if !self.lost.load(Ordering::SeqCst) && swarm.docker().ping().await.is_ok() {
            return None;
        }
        let start = Instant::now();
        let back = Swarm::connect_within(start + PATIENCE).await.is_ok();
        *self = Self::start(swarm);
        Some(if back {
            Failure::new(
                Kind::EngineRestarted,
                format!("the docker engine was restarted in the middle of {stage}"),
                "the engine's own log (journalctl -u docker); then run again",
            )
        } else {
            Failure::new(
                Kind::EngineUnreachable,
                format!(
                    "the docker engine went away in the middle of {stage} and did not come back in {} s",
                    PATIENCE.as_secs()
                ),
                "start the engine, then `cc-ci reap` removes what is left",
            )
        })
    }
}

impl Drop for EngineWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
