//! A run as a build of Drone. The build outlives cc-ci, which finds it again by the run's id and goes on watching. What
//! the run says is read from its journal, which it reports to this state folder (or which is here because the state
//! folder is shared). Where no verdict comes that way, Drone's word on the build is the end.

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

/// How often things are looked at.
#[derive(Debug, Clone, Copy)]
pub struct PollIntervals {
    /// A build's standing.
    pub poll: Duration,
    /// Its run's journal, on this machine's disk.
    pub read: Duration,
    /// After Drone's word that a build has ended, its run may have a last line under way for so long. Drone kills with
    /// SIGKILL, so no teardown follows.
    pub quiet: Duration,
    /// A run that is asked to stop tears down and says so within this time, or Drone kills it.
    pub grace: Duration,
    /// A run that says nothing for so long is looked for on the swarm.
    pub silent: Duration,
    /// A run that the swarm has nothing of for so long is dead: it tells its end for a minute at most.
    pub missing: Duration,
    /// A Drone that is down.
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

/// What a request to the swarm comes to.
pub type CancelFuture<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// Runs as the swarm knows them, wherever their process is.
pub trait SwarmRuns: fmt::Debug + Send + Sync {
    /// Asks a run to stop; `by` is who wants it. False where the run cannot be asked. About one cancel in four never
    /// reaches Drone's runner.
    fn stop<'a>(&'a self, run: &'a RunId, by: &'a str) -> CancelFuture<'a>;

    /// Whether the swarm has a place, a slot or an app of the run. A swarm that does not answer is taken for one that
    /// has: no run is dead because of that.
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
    /// Builds of this repository in the Drone at this address; their runs' journals come below this state folder.
    pub fn new(drone: Drone, url: Url, repo: Repo, branch: Option<Branch>, state: PathBuf) -> Self {
        let paces = PollIntervals::default();
        Self(Arc::new(Server { drone, url, repo, branch, state, swarm: None, paces }))
    }

    /// With other pauses.
    pub fn at(self, paces: PollIntervals) -> Self {
        Self(Arc::new(Server { paces, ..(*self.0).clone() }))
    }

    /// With the swarm that the runs are on: they can be asked to stop before Drone kills them, and are missed there
    /// when their runner is gone.
    pub fn on(self, swarm: Arc<dyn SwarmRuns>) -> Self {
        Self(Arc::new(Server { swarm: Some(swarm), ..(*self.0).clone() }))
    }
}

impl Server {
    /// A build's page.
    fn link(&self, number: u64) -> Option<Url> {
        let mut url = self.url.clone();
        let (owner, name) = (self.repo.owner.as_str(), self.repo.name.as_str());
        url.path_segments_mut().ok()?.pop_if_empty().extend([owner, name, &number.to_string()]);
        Some(url)
    }

    /// What a build is called.
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

/// One build, from the order to its end.
struct One {
    at: Arc<Server>,
    order: Order,
    let_go: CancellationToken,
    came: mpsc::UnboundedSender<WorkerMessage>,
}

/// Why no more is done about a build.
enum Halt {
    /// This is how it ended.
    Over(Over),
    /// Nobody listens any more: cc-ci ends, and the build goes on.
    Nobody,
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

    /// Whether somebody has let go of the run: who let go because cc-ci ends does not listen any more.
    fn is_let_go(&self) -> bool {
        self.let_go.is_cancelled() && !self.came.is_closed()
    }
}
