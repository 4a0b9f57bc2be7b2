//! What a stage works with: the run, one of its apps, and how the stage stands.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::names::StackName;
use http_client::Http;
use journal::event::{Fault, Record, Stage};

use super::app::App;
use super::holdings::Holdings;
use super::run::Run;

/// One app of a run in the stage that runs.
pub struct StageRun {
    /// What all apps of the run share.
    pub(crate) run: Arc<Run>,
    /// What the run holds; empty for a dependency.
    pub(crate) holdings: Holdings,
    /// The app that the stage works on.
    pub(crate) app: App,
    /// The stage that runs.
    pub(crate) stage: Stage,
    /// When it must end.
    pub(crate) deadline: Instant,
    /// HTTP towards the apps, recorded by the check that runs.
    pub(crate) http: Http,
    /// Faults of the stage that runs.
    pub(crate) faults: Vec<Fault>,
    /// Why the stage that runs has nothing to do, where it finds that out itself.
    pub(crate) skipped: Option<String>,
    /// What the stage that runs has not shown, although it passed.
    pub(crate) not_shown: Option<String>,
}

/// The stage cannot go on; the fault has been recorded.
#[derive(Debug)]
pub struct Stopped;

/// What a part of a stage gives.
pub type Step<T = ()> = Result<T, Stopped>;

impl StageRun {
    /// The run's apps, the tested one first.
    pub(crate) fn apps(&self) -> impl Iterator<Item = &App> {
        [&self.app].into_iter().chain(self.holdings.dependencies.iter().map(|other| &other.app))
    }

    /// The run's own apps. One that outlives the run is not among them.
    pub(crate) fn own_apps(&self) -> impl Iterator<Item = &App> {
        self.apps().filter(|app| !app.is_warm())
    }

    /// The stacks of the run's own apps.
    pub(crate) fn stacks(&self) -> Vec<StackName> {
        self.own_apps().map(|app| app.spec.stack.clone()).collect()
    }

    /// What is done for each app that this run deploys itself, the tested one first.
    pub(crate) fn deployed_here(&self) -> impl Iterator<Item = &Self> {
        [self].into_iter().chain(&self.holdings.dependencies).filter(|one| !one.app.was_there())
    }

    /// The revision that a dependency is deployed from.
    pub(crate) fn release(&self) -> String {
        let spec = &self.app.spec;
        let fact = self.run.started.dependencies.iter().find(|fact| fact.recipe == spec.recipe);
        fact.map_or_else(|| spec.head.to_string(), |fact| fact.release.clone())
    }

    /// Time that is left for the stage, less a moment to collect evidence.
    pub(crate) fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).saturating_sub(Duration::from_secs(3))
    }

    /// When waits inside the stage end, so that they can still say what they saw.
    pub(crate) fn wait_until(&self) -> Instant {
        Instant::now() + self.time_left()
    }

    /// Where the app's ports are reached: they are on its node, which is where traefik's name leads to.
    pub(crate) fn host(&self) -> String {
        match self.run.fixed_address {
            None => self.app.spec.domain.to_string(),
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            Some(IpAddr::V4(address)) => address.to_string(),
        }
    }

    /// The public address of the app, with no slash at the end.
    pub(crate) fn url(&self) -> String {
        let port = if self.run.https_port == 443 { String::new() } else { format!(":{}", self.run.https_port) };
        format!("https://{}{port}", self.app.spec.domain)
    }

    /// What was told so far, without the progress.
    pub fn records(&self) -> Vec<Record> {
        self.run.emitter.records()
    }

    /// Whether the run had a slot and lost it.
    pub fn lost_its_slot(&self) -> bool {
        self.holdings.lost.is_some()
    }
}
