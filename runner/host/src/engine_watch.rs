//! Detects that the docker engine stopped. A stage that is red because of that says nothing about the recipe.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::names::StackName;
use futures_util::StreamExt;
use swarm::{Swarm, oom_of};

use journal::event::Stage;

/// How long an engine has to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Watches the engine for the length of a run.
#[derive(Debug)]
pub struct EngineWatch {
    lost: Arc<AtomicBool>,
    kills: Arc<Mutex<Vec<(StackName, String)>>>,
    task: tokio::task::JoinHandle<()>,
    /// OOM-killed containers that were reported.
    told: BTreeSet<String>,
}

impl EngineWatch {
    /// Starts to watch. An event stream ends only when the engine or the connection does.
    pub fn start(swarm: &Swarm) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let kills = Arc::new(Mutex::new(Vec::new()));
        let (docker, flag, seen) = (swarm.docker().clone(), Arc::clone(&lost), Arc::clone(&kills));
        let task = tokio::spawn(async move {
            let mut events = docker.events(None);
            while let Some(Ok(event)) = events.next().await {
                if let (Some(kill), Ok(mut seen)) = (oom_of(&event), seen.lock())
                    && !seen.contains(&kill)
                {
                    seen.push(kill);
                }
            }
            flag.store(true, Ordering::SeqCst);
        });
        Self { lost, kills, task, told: BTreeSet::new() }
    }

    /// The containers in which the kernel OOM-killed a process since the last call, each with its stack.
    pub fn memory_kills(&self) -> Vec<(StackName, String)> {
        self.kills.lock().map(|mut kills| std::mem::take(&mut *kills)).unwrap_or_default()
    }

    /// Whether an OOM-killed container is reported for the first time. Its event may arrive in a later stage than its
    /// end.
    pub fn is_new(&mut self, ended: &str) -> bool {
        self.told.insert(ended.to_owned())
    }

    /// If the engine stopped since the last call: waits for it, returns the failure, and watches again.
    pub async fn lost_in(&mut self, swarm: &Swarm, stage: Stage) -> Option<Failure> {
        if !self.lost.load(Ordering::SeqCst) && swarm.docker().ping().await.is_ok() {
            return None;
        }
        let start = Instant::now();
        let back = Swarm::connect_within(start + PATIENCE).await.is_ok();
        let told = std::mem::take(&mut self.told);
        *self = Self::start(swarm);
        self.told = told;
        Some(if back {
            Failure::new(
                Kind::EngineRestarted,
                format!("the docker engine was restarted in the middle of {stage}"),
                "the engine's log (journalctl -u docker); then run again",
            )
        } else {
            Failure::new(
                Kind::EngineUnreachable,
                format!(
                    "the docker engine stopped during {stage} and did not come back within {} s",
                    PATIENCE.as_secs()
                ),
                "start the engine, then remove the rest with `cc-ci reap`",
            )
        })
    }
}

impl Drop for EngineWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
