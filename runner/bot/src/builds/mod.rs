//! Runs as builds of Drone. A build outlives cc-ci, which finds it again by the run's id and continues to watch it. The
//! run's results are read from its journal, which it reports to this state folder (or writes there, if the state folder
//! is shared). Without a verdict in the journal, Drone's status of the build is the result.

mod find;
mod restarts;
mod seen;
mod watch;

use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base::names::RunId;
use forge::drone::Drone;
use forge::names::{Branch, Repo};
use forge::watch::Backoff;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use self::seen::{AtDrone, Over, RestartedBuild, SeenBuild, StartedBuild};
use super::child::{Leash, Order, Runs};
use super::message::WorkerMessage;

/// Poll intervals and timeouts.
#[derive(Debug, Clone, Copy)]
pub struct PollIntervals {
    /// Poll interval of a build's status.
    pub poll: Duration,
    /// Poll interval of the run's journal on this machine's disk.
    pub read: Duration,
    /// How long a last line of the journal may be in transit after Drone's report that the build has ended. Drone kills
    /// with SIGKILL, so no teardown follows.
    pub quiet: Duration,
    /// How long a run that is asked to stop has for its teardown before Drone kills it.
    pub grace: Duration,
    /// How long the journal may be silent before the run is looked up on the swarm.
    pub silent: Duration,
    /// How long a run may be missing on the swarm before it counts as dead: a reporter sends the end for a minute at
    /// most.
    pub missing: Duration,
    /// Backoff while Drone is down.
    pub pace: Backoff,
}

impl Default for PollIntervals {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(5),
            read: Duration::from_millis(500),
            quiet: Duration::from_secs(3),
            grace: Duration::from_secs(10),
            silent: Duration::from_secs(20),
            missing: Duration::from_secs(75),
            pace: Backoff { interval: Duration::from_secs(5), longest: Duration::from_secs(60) },
        }
    }
}

/// The future of a request to the swarm.
pub type CancelFuture<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// The runs on the swarm, on any host.
pub trait SwarmRuns: fmt::Debug + Send + Sync {
    /// Asks a run to stop; `by` is the user. False if the run cannot be asked. About one cancel in four never reaches
    /// Drone's runner.
    fn stop<'a>(&'a self, run: &'a RunId, by: &'a str) -> CancelFuture<'a>;

    /// Whether the swarm has a ticket, a slot or an app of the run. True if the swarm does not answer: that alone
    /// proves no run dead.
    fn has<'a>(&'a self, run: &'a RunId) -> CancelFuture<'a>;
}

/// Starts a build for each run.
#[derive(Debug, Clone)]
pub struct Builds(Arc<Server>);

#[derive(Debug, Clone)]
struct Server {
    drone: Drone,
    url: Url,
    repo: Repo,
    branch: Option<Branch>,
    state: PathBuf,
    swarm: Option<Arc<dyn SwarmRuns>>,
    paces: PollIntervals,
}

impl Builds {
    /// Builds of this repository in the Drone at this address; their journals are stored in this state folder.
    pub fn new(drone: Drone, url: Url, repo: Repo, branch: Option<Branch>, state: PathBuf) -> Self {
        let paces = PollIntervals::default();
        Self(Arc::new(Server { drone, url, repo, branch, state, swarm: None, paces }))
    }

    pub fn at(self, paces: PollIntervals) -> Self {
        Self(Arc::new(Server { paces, ..(*self.0).clone() }))
    }

    /// Sets the runs' swarm, where they are asked to stop before Drone kills them, and missed when their runner is
    /// gone.
    pub fn on(self, swarm: Arc<dyn SwarmRuns>) -> Self {
        Self(Arc::new(Server { swarm: Some(swarm), ..(*self.0).clone() }))
    }
}

impl Server {
    fn link(&self, number: u64) -> Option<Url> {
        let mut url = self.url.clone();
        let (owner, name) = (self.repo.owner.as_str(), self.repo.name.as_str());
        url.path_segments_mut().ok()?.pop_if_empty().extend([owner, name, &number.to_string()]);
        Some(url)
    }

    fn name(&self, number: u64) -> String {
        format!("{}/{number}", self.repo)
    }

    async fn ask_to_stop(&self, run: &RunId, by: &str) -> bool {
        match &self.swarm {
            Some(swarm) => swarm.stop(run, by).await,
            None => false,
        }
    }
}

impl Runs for Builds {
    fn start(&self, order: &Order, came: mpsc::UnboundedSender<WorkerMessage>) -> io::Result<Leash> {
        let (leash, let_go) = Leash::new();
        let one = One { at: Arc::clone(&self.0), order: order.clone(), let_go, came };
        tokio::spawn(one.see_through());
        Ok(leash)
    }

    fn outlive(&self) -> bool {
        true
    }

    fn look_for_restarts(&self, known: Vec<StartedBuild>, came: mpsc::UnboundedSender<WorkerMessage>) {
        let at = Arc::clone(&self.0);
        tokio::spawn(async move { at.look_for_restarts(known, &came).await });
    }
}

/// One build, from its order to its end.
struct One {
    at: Arc<Server>,
    order: Order,
    let_go: CancellationToken,
    came: mpsc::UnboundedSender<WorkerMessage>,
}

/// Why the watch of a build ends.
enum Halt {
    Over(Over),
    /// cc-ci ends, and the build continues.
    Detached,
}

impl One {
    async fn see_through(self) {
        let halt = match self.find().await {
            Ok(number) => self.watch(number).await,
            Err(halt) => halt,
        };
        if let Halt::Over(over) = halt {
            let _ = self.came.send(WorkerMessage::Over(self.order.comment, over));
        }
    }

    fn says(&self, number: Option<u64>, on_swarm: bool, state: AtDrone) {
        let link = number.and_then(|number| self.at.link(number));
        let name = number.map(|number| self.at.name(number));
        let seen = SeenBuild { number, name, link, on_swarm, state };
        let _ = self.came.send(WorkerMessage::Build(self.order.comment, Box::new(seen)));
    }

    /// Whether the run's leash was dropped. If cc-ci ends, nothing reads the messages any more.
    fn is_let_go(&self) -> bool {
        self.let_go.is_cancelled() && !self.came.is_closed()
    }
}
