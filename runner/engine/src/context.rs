//! What a stage works with: the run's facts and its tools.

mod keep;
pub mod logins;
mod make;
pub mod neighbours;
mod tell;
pub mod usage;
mod variant;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base::failure::Failure;
use base::names::{RecipeName, StackName};
use coopcloud::abra::Abra;
use http_client::Http;
use slots::{Lease, SwarmBoard};
use swarm::{Before, Claim, Swarm};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::keep::Keep;
use self::logins::Logins;
pub use self::make::Parts;
use self::neighbours::Neighbours;
use self::usage::Usage;
pub use self::variant::ActiveVariant;
use crate::override_file::Place;
use change::Change;
use fence::own_tests::OwnTests;
use host::engine_watch::EngineWatch;
use host::queue::Runner;
use host::repository::Opening;
use host::settings::Guards;
use journal::emit::Emitter;
use journal::event::{Fault, RunStarted, Stage};
use journal::run_dir::RunDir;
use plan::commands::Commands;
use plan::spec::RunSpec;
use plan::warm_provider::Warm;
use recipe_folder::overlays::Overlays;
use recipe_folder::recipe_toml::RecipeToml;
use source::Checkout;

/// What a stage works with: one app of the run, and the run's tools.
pub struct Context {
    /// Whether the app is there for the tested one alone.
    pub is_dependency: bool,
    /// The apps beside the tested one, in the order in which they can come up.
    pub beside: Vec<Context>,
    /// Recipes whose apps have to be up before this one.
    pub after: Vec<RecipeName>,
    /// What makes the app outlive the run, if it does.
    pub warm: Option<Warm>,
    /// Whether everything beside the tested app has come up.
    pub came_up: bool,
    /// Something to tell before anything else.
    pub remark: Option<String>,
    /// The look at the backup bot's repository, which prepare waits for.
    pub repository: Option<Opening>,
    /// Logins that were made for this run, and the provider that gives them.
    pub logins: Option<Logins>,
    /// How apps of the run find and trust each other, where DNS and public CAs do not do it.
    pub neighbours: Neighbours,
    /// What is tested.
    pub spec: RunSpec,
    /// The facts of the run, as its first event tells them.
    pub started: RunStarted,
    /// The change, compared with the base release; none before prepare has read it, and where there is no base.
    pub change: Option<Change>,
    /// The variant that is deployed, where it is one.
    pub variant: Option<ActiveVariant>,
    /// What the recipe's folder says.
    pub toml: RecipeToml,
    /// cc-ci's own folder for the recipe; it may not be there.
    pub folder: PathBuf,
    /// What the recipe's folder brings.
    pub overlays: Overlays,
    /// What is done about the tests of the recipe's own repository.
    pub own: OwnTests,
    /// What is done about the commands that abra runs once an app is up.
    pub commands: Commands,
    /// Those of the last deploy that did not run.
    pub unrun: Option<String>,
    /// The swarm.
    pub swarm: Swarm,
    /// abra, with the run's own directory.
    pub abra: Abra,
    /// HTTP towards the apps.
    pub http: Http,
    /// The recipe's clone: the one that abra uses.
    pub checkout: Checkout,
    /// The run's folder.
    pub dir: RunDir,
    /// The scratch folder that the app's tests share: of a kept app, its run's own.
    pub work: PathBuf,
    /// Where secret values are kept for later looks at the app, as long as that stays.
    pub kept_secrets: PathBuf,
    /// The file of dependencies, where the run has any.
    pub deps: Option<PathBuf>,
    /// The HTTPS port of traefik.
    pub https_port: u16,
    /// Whether the engine stayed up.
    pub engine: EngineWatch,
    /// What the node must have to spare.
    pub guards: Guards,
    /// Measures what the run's apps hold.
    pub usage: Usage,
    /// The address of every name below the base domain, where DNS is not to be asked.
    pub fixed_address: Option<IpAddr>,
    /// Values for curl's `--resolve`, empty where DNS knows the names.
    pub resolve: Vec<String>,
    /// The same for the apps beside this one.
    pub resolve_beside: Vec<String>,
    /// The CA that signs the apps' certificates, where it is a local one.
    pub ca: Option<PathBuf>,
    /// The program that the recipes' Rust tests are built into, where one is named.
    pub recipe_tests: Option<PathBuf>,
    /// What the swarm is like that the app is deployed to.
    pub place: Place,
    /// Labels for every service that the run deploys; none before it has its names.
    pub labels: BTreeMap<String, String>,
    /// Who runs it, by which settings.
    pub runner: Runner,
    /// The run's slot, while it has one.
    pub lease: Option<Lease<SwarmBoard>>,
    /// The names that the run has, the tested app's first.
    pub claims: Vec<Claim>,
    /// Ends the run, which then tears down.
    pub cancel: CancellationToken,
    /// Who ended it, where it was not this process.
    pub cancelled_by: Option<String>,
    /// How it lost its slot, if it did.
    pub lost: Option<Failure>,
    /// Where events go.
    pub emitter: Arc<Emitter>,
    /// The stage that runs.
    pub stage: Stage,
    /// When it must end.
    pub deadline: Instant,
    /// Faults of the stage that runs.
    pub faults: Vec<Fault>,
    /// The revision that is deployed now: a tag or the head's commit.
    pub deployed: Option<String>,
    /// How the stack stood when it had settled last.
    pub settled: Option<Before>,
    /// Whether the upgrade has replaced every container.
    pub all_new: bool,
    /// Whether the base release cannot even be pulled.
    pub base_is_broken: bool,
    /// Why the app did not answer earlier in the run, if it did not: that is not waited for again.
    pub no_answer: Option<String>,
    /// Why the stage that runs has nothing to do, where it finds that out itself.
    pub skipped: Option<String>,
    /// What the stage that runs has not shown, although it passed.
    pub not_shown: Option<String>,
    /// Whether the data set's seed has run on the live app.
    pub seeded: bool,
    /// What becomes of the app when the stages are done.
    pub keep: Keep,
    /// Forgets the run's snapshots beside the stages after the backup.
    pub forgetting: Option<JoinHandle<Result<usize, Failure>>>,
    /// How often each test of what the app is for is run.
    pub rounds: u32,
    /// What the run was last busy with, for a deadline's message.
    pub busy: Arc<Mutex<String>>,
}

/// The stage cannot go on; the fault has been recorded.
#[derive(Debug)]
pub struct Stopped;

/// What a part of a stage gives.
pub type Step<T = ()> = Result<T, Stopped>;

impl Context {
    /// The stacks of the run's own apps. One that outlives the run is not among them.
    #[must_use]
    pub fn stacks(&self) -> Vec<StackName> {
        let beside = self.beside.iter().filter(|app| app.warm.is_none());
        [self].into_iter().chain(beside).map(|app| app.spec.stack.clone()).collect()
    }

    /// The names that the run has, in the order in which the apps go: who needs another goes before it.
    #[must_use]
    pub fn claims_to_end(&self) -> Vec<Claim> {
        let (tested, beside): (Vec<Claim>, Vec<Claim>) =
            self.claims.iter().cloned().partition(|claim| claim.beside.is_none());
        tested.into_iter().chain(beside.into_iter().rev()).collect()
    }

    /// The revision that a dependency is deployed from.
    #[must_use]
    pub fn release(&self) -> String {
        let fact = self.started.dependencies.iter().find(|fact| fact.recipe == self.spec.recipe);
        fact.map_or_else(|| self.spec.head.to_string(), |fact| fact.release.clone())
    }

    /// The recipe folder's reason to leave a generic check out, if it gives one.
    #[must_use]
    pub fn opted_out(&self, check: &str) -> Option<String> {
        self.toml.opted_out(check).map(|reason| reason.as_str().to_owned())
    }

    /// Time that is left for the stage, less a moment to collect evidence.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).saturating_sub(Duration::from_secs(3))
    }

    /// When waits inside the stage end, so that they can still say what they saw.
    #[must_use]
    pub fn wait_until(&self) -> Instant {
        Instant::now() + self.time_left()
    }

    /// Where the app's ports are reached: they are on its node, which is where traefik's name leads to.
    #[must_use]
    pub fn host(&self) -> String {
        match self.fixed_address {
            None => self.spec.domain.to_string(),
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            Some(IpAddr::V4(address)) => address.to_string(),
        }
    }

    /// The public address of the app, with no slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let port = if self.https_port == 443 { String::new() } else { format!(":{}", self.https_port) };
        format!("https://{}{port}", self.spec.domain)
    }
}
