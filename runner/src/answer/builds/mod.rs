//! A run as a build of Drone. The build outlives cc-ci: whoever comes after it finds the build again by the run's id,
//! and goes on watching. What the run says is read from its journal, which it reports to this state folder (or which
//! is here because the state folder is shared).

mod find;
mod seen;
mod watch;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use trigger::drone::Drone;
use trigger::names::{Branch, Repo};
use trigger::watch::Pace;
use url::Url;

pub(in crate::answer) use self::seen::word;
pub use self::seen::{AtDrone, Over, Seen};
use super::child::{Leash, Order, Runs};
use super::work::Came;

/// How often things are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Paces {
    /// A build's standing.
    pub poll: Duration,
    /// Its run's journal, on this machine's disk.
    pub read: Duration,
    /// A build that ended without its run's verdict is waited for until its run is silent for so long: what was
    /// stopped tears down first.
    pub quiet: Duration,
    /// A Drone that is down.
    pub pace: Pace,
}

impl Default for Paces {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(5),
            read: Duration::from_millis(500),
            quiet: Duration::from_secs(30),
            pace: Pace { interval: Duration::from_secs(5), longest: Duration::from_secs(60) },
        }
    }
}

/// Starts a build for each run.
#[derive(Debug, Clone)]
pub struct Builds(Arc<Server>);

#[derive(Debug)]
struct Server {
    drone: Drone,
    url: Url,
    repo: Repo,
    branch: Option<Branch>,
    state: PathBuf,
    paces: Paces,
}

impl Builds {
    /// Builds of this repository in the Drone at this address; their runs' journals come below this state folder.
    #[must_use]
    pub fn new(drone: Drone, url: Url, repo: Repo, branch: Option<Branch>, state: PathBuf) -> Self {
        Self(Arc::new(Server { drone, url, repo, branch, state, paces: Paces::default() }))
    }

    /// With other pauses.
    #[must_use]
    pub fn at(self, paces: Paces) -> Self {
        let Server { drone, url, repo, branch, state, .. } = &*self.0;
        let (drone, url, repo, branch) = (drone.clone(), url.clone(), repo.clone(), branch.clone());
        Self(Arc::new(Server { drone, url, repo, branch, state: state.clone(), paces }))
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
}

impl Runs for Builds {
    fn start(&self, order: &Order, came: mpsc::UnboundedSender<Came>) -> io::Result<Leash> {
        let (leash, let_go) = Leash::new();
        let one = One { at: Arc::clone(&self.0), order: order.clone(), let_go, came };
        tokio::spawn(one.see_through());
        Ok(leash)
    }

    fn outlive(&self) -> bool {
        true
    }
}

/// One build, from the order to its end.
struct One {
    at: Arc<Server>,
    order: Order,
    let_go: CancellationToken,
    came: mpsc::UnboundedSender<Came>,
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
            let _ = self.came.send(Came::Over(self.order.comment, over));
        }
    }

    fn says(&self, number: Option<u64>, state: AtDrone) {
        let link = number.and_then(|number| self.at.link(number));
        let name = number.map(|number| format!("{}/{number}", self.at.repo));
        let seen = Seen { number, name, link, state };
        let _ = self.came.send(Came::Build(self.order.comment, Box::new(seen)));
    }

    /// Whether somebody has let go of the run: who let go because cc-ci ends does not listen any more.
    fn is_let_go(&self) -> bool {
        self.let_go.is_cancelled() && !self.came.is_closed()
    }
}
