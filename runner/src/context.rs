//! What a stage works with: the run's facts, its tools, and the one way to record a check.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::abra::{Abra, Call, explain};
use harness::exchange::{Exchanges, Recorder};
use harness::failure::{Cause, Failure, Kind};
use harness::http::Http;
use harness::names::{Domain, RecipeName, StackName};
use harness::overlay::OverlayFile;
use harness::redact::Redactor;
use harness::swarm::{Claim, Swarm};
use slots::{Lease, SwarmBoard};
use tokio_util::sync::CancellationToken;

use crate::dependencies::Dependency;
use crate::deploy::disk;
use crate::emit::{Emitter, Sink};
use crate::engine_watch::EngineWatch;
use crate::event::{AbraCall, CheckResult, Event, Fault, Origin, Outcome, RunStarted, Shown, Stage};
use crate::keep::Keep;
use crate::logins::{self, Logins};
use crate::neighbours::Neighbours;
use crate::override_file::Place;
use crate::own_tests::OwnTests;
use crate::prepared::{Prepared, folder_of};
use crate::recipe_toml::RecipeToml;
use crate::run_dir::RunDir;
use crate::settings::Guards;
use crate::slot::Runner;
use crate::source::Checkout;
use crate::spec::RunSpec;
use crate::usage::Usage;
use crate::warm::Warm;
use crate::world;

/// The overlay files of a recipe's folder, found once.
#[derive(Debug, Clone, Default)]
pub struct Overlays {
    /// `install/`, `upgrade/`, `backup/`, `functional/` and `browser/`, each in name order.
    pub checks: BTreeMap<&'static str, Vec<OverlayFile>>,
    /// Those of all folders that are to be proven, also of stages that do not run.
    pub proven: Vec<OverlayFile>,
    /// `data/seed`, `data/wipe` and `data/check`, when all three are there.
    pub data: Option<Data>,
}

/// The three files of a data set.
#[derive(Debug, Clone)]
pub struct Data {
    /// Makes data through the app.
    pub seed: OverlayFile,
    /// Destroys it.
    pub wipe: OverlayFile,
    /// Is green while the data is there, and red when it is not.
    pub check: OverlayFile,
}

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
    /// Logins that were made for this run, and the provider that gives them.
    pub logins: Option<Logins>,
    /// How apps of the run find and trust each other, where DNS and public CAs do not do it.
    pub neighbours: Neighbours,
    /// What is tested.
    pub spec: RunSpec,
    /// The facts of the run, as its first event tells them.
    pub started: RunStarted,
    /// What the recipe's folder says.
    pub toml: RecipeToml,
    /// cc-ci's own folder for the recipe; it may not be there.
    pub folder: PathBuf,
    /// What the recipe's folder brings.
    pub overlays: Overlays,
    /// What is done about the tests of the recipe's own repository.
    pub own: OwnTests,
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
    /// Whether the base release cannot even be pulled.
    pub base_is_broken: bool,
    /// Why the stage that runs has nothing to do, where it finds that out itself.
    pub skipped: Option<String>,
    /// Whether the data set's seed has run on the live app.
    pub seeded: bool,
    /// What becomes of the app when the stages are done.
    pub keep: Keep,
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

/// What a context is made of.
pub struct Parts {
    /// What is tested, and with what.
    pub prepared: Prepared,
    /// The facts of the run.
    pub started: RunStarted,
    /// The swarm.
    pub swarm: Swarm,
    /// abra, with the run's own directory.
    pub abra: Abra,
    /// The run's folder.
    pub dir: RunDir,
    /// The folder of the run that deployed the app: this one, or that which keeps it.
    pub shared: RunDir,
    /// What the swarm is like that the apps are deployed to.
    pub place: Place,
    /// Who runs it, by which settings.
    pub runner: Runner,
    /// Ends the run, which then tears down.
    pub cancel: CancellationToken,
    /// What becomes of the app when the stages are done.
    pub keep: Keep,
    /// How often each test of what the app is for is run.
    pub rounds: u32,
    /// Something to tell before anything else.
    pub remark: Option<String>,
    /// The readers of the run's events.
    pub sinks: Vec<Box<dyn Sink>>,
}

impl Context {
    /// A context at the beginning of a run.
    ///
    /// # Errors
    /// When the local CA's certificate is no certificate.
    pub fn new(parts: Parts) -> Result<Self, Failure> {
        let Parts { prepared, started, swarm, abra, dir, shared, place, runner, cancel, keep, rounds, remark, sinks } =
            parts;
        let settings = &runner.settings;
        let (http, ca) = world::http(settings)?;
        let address = settings.fixed_address();
        let port = settings.https_port;
        let resolve = |domain: &Domain| address.map(|ip| format!("{domain}:{port}:{ip}")).into_iter().collect();
        let resolve_own: Vec<String> = resolve(&prepared.spec.domain);
        let folder = folder_of(settings, &started.recipe);
        let started_beside = started.dependencies.clone();
        let mut cx = Self {
            is_dependency: false,
            beside: Vec::new(),
            after: Vec::new(),
            warm: None,
            came_up: false,
            remark,
            logins: None,
            neighbours: Neighbours::default(),
            resolve_beside: started_beside.iter().flat_map(|fact| resolve(&fact.domain)).collect(),
            spec: prepared.spec,
            place,
            started,
            toml: prepared.toml,
            folder,
            overlays: prepared.overlays,
            own: prepared.own,
            engine: EngineWatch::start(&swarm),
            guards: settings.guards.clone(),
            usage: Usage::default(),
            swarm,
            abra,
            http,
            checkout: prepared.checkout,
            dir,
            work: shared.work(),
            kept_secrets: shared.kept_secrets(),
            deps: (!started_beside.is_empty()).then(|| shared.deps()),
            https_port: settings.https_port,
            fixed_address: address,
            resolve: resolve_own,
            ca,
            recipe_tests: settings.recipe_tests.clone(),
            labels: BTreeMap::new(),
            lease: None,
            claims: Vec::new(),
            cancel,
            cancelled_by: None,
            lost: None,
            emitter: Arc::new(Emitter::new(sinks, Redactor::default())),
            stage: Stage::Prepare,
            deadline: Instant::now(),
            faults: Vec::new(),
            deployed: None,
            base_is_broken: false,
            seeded: false,
            skipped: None,
            keep,
            rounds,
            busy: Arc::new(Mutex::new(String::new())),
            runner: runner.clone(),
        };
        for dependency in prepared.dependencies {
            let folder = folder_of(settings, &dependency.needed.recipe);
            let resolve = resolve(&dependency.spec.domain);
            cx.beside.push(cx.for_dependency(dependency, folder, resolve));
        }
        if matches!(cx.keep, Keep::ByRun(_)) {
            logins::recall(&mut cx)?;
        }
        Ok(cx)
    }

    /// The context of an app beside the tested one: the same run, the same tools, another app.
    fn for_dependency(&self, dependency: Dependency, folder: PathBuf, resolve: Vec<String>) -> Self {
        // A warm one belongs to a run of its own.
        let (dir, abra, labels) = match &dependency.warm {
            None => (self.dir.clone(), self.abra.clone(), self.labels.clone()),
            Some(warm) => {
                let abra = Abra::new(self.abra.program().to_owned(), warm.dir.abra());
                (warm.dir.clone(), abra, warm.labels.clone())
            }
        };
        Self {
            warm: dependency.warm,
            is_dependency: true,
            beside: Vec::new(),
            after: dependency.needed.after,
            came_up: false,
            remark: None,
            logins: None,
            neighbours: Neighbours::default(),
            spec: dependency.spec,
            started: self.started.clone(),
            toml: dependency.toml,
            folder,
            overlays: Overlays::default(),
            own: OwnTests::default(),
            swarm: self.swarm.clone(),
            abra,
            http: self.http.clone(),
            checkout: dependency.checkout,
            dir,
            work: self.work.clone(),
            kept_secrets: self.kept_secrets.clone(),
            deps: None,
            https_port: self.https_port,
            engine: EngineWatch::start(&self.swarm),
            guards: self.guards.clone(),
            usage: Usage::default(),
            fixed_address: self.fixed_address,
            resolve,
            resolve_beside: Vec::new(),
            ca: self.ca.clone(),
            recipe_tests: self.recipe_tests.clone(),
            place: self.place.clone(),
            labels,
            runner: self.runner.clone(),
            lease: None,
            claims: Vec::new(),
            cancel: self.cancel.clone(),
            cancelled_by: None,
            lost: None,
            emitter: Arc::clone(&self.emitter),
            stage: self.stage,
            deadline: self.deadline,
            faults: Vec::new(),
            deployed: None,
            base_is_broken: false,
            seeded: false,
            skipped: None,
            keep: self.keep.clone(),
            rounds: 1,
            busy: Arc::clone(&self.busy),
        }
    }

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

    /// Runs one check and records how it ended. The future gives the line that says what was shown.
    ///
    /// # Errors
    /// [`Stopped`] when the check is red; the caller decides whether the stage goes on.
    pub async fn check<T>(
        &mut self,
        name: &str,
        check: impl AsyncFnOnce(&mut Self) -> Result<(String, T), Failure>,
    ) -> Step<T> {
        let (start, recorder) = (Instant::now(), Recorder::default());
        let recorded = self.http.recorded_by(&recorder);
        let unrecorded = std::mem::replace(&mut self.http, recorded);
        let ended = check(self).await;
        self.http = unrecorded;
        let shown = self.shown(recorder.take());
        match ended {
            Ok((text, value)) => {
                self.record_shown(name, Origin::Generic, Outcome::Passed, text, None, start.elapsed(), shown);
                Ok(value)
            }
            Err(failure) => {
                self.fail_shown(name, Origin::Generic, failure, start.elapsed(), shown);
                Err(Stopped)
            }
        }
    }

    /// What a check asked and was answered, clean and bounded.
    #[must_use]
    pub fn shown(&self, exchanges: Exchanges) -> Shown {
        let (exchanges, exchanges_left_out) = exchanges.shown(&self.emitter.redactor());
        Shown { exchanges, exchanges_left_out, ..Shown::default() }
    }

    /// Records a red or blocked check and its fault.
    pub fn fail(&mut self, name: &str, origin: Origin, failure: Failure, took: Duration) {
        self.fail_shown(name, origin, failure, took, Shown::default());
    }

    /// The same, with what the check did.
    pub fn fail_shown(&mut self, name: &str, origin: Origin, failure: Failure, took: Duration, shown: Shown) {
        let fault = self.fault(failure);
        let outcome = if fault.cause == Cause::Infrastructure { Outcome::Blocked } else { Outcome::Failed };
        let (text, told) = (fault.failure.what.clone(), Some(fault.clone()));
        self.record_shown(name, origin, outcome, text, told, took, shown);
        self.faults.push(fault);
    }

    /// Records a check that does not run, with the reason.
    pub fn skip(&self, name: &str, reason: impl Into<String>) {
        self.record(name, Origin::Generic, Outcome::Skipped, reason.into(), None, Duration::ZERO);
    }

    /// The recipe folder's reason to leave a generic check out, if it gives one.
    #[must_use]
    pub fn opted_out(&self, check: &str) -> Option<String> {
        self.toml.opted_out(check).map(|reason| reason.as_str().to_owned())
    }

    /// Records how a check ended.
    pub fn record(
        &self,
        name: &str,
        origin: Origin,
        outcome: Outcome,
        text: String,
        fault: Option<Fault>,
        took: Duration,
    ) {
        self.record_shown(name, origin, outcome, text, fault, took, Shown::default());
    }

    /// The same, with what the check did.
    #[expect(clippy::too_many_arguments, reason = "the parts of one check")]
    pub fn record_shown(
        &self,
        name: &str,
        origin: Origin,
        outcome: Outcome,
        text: String,
        fault: Option<Fault>,
        took: Duration,
        shown: Shown,
    ) {
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let check = CheckResult { name: name.to_owned(), origin, outcome, text, fault, took_ms, shown };
        self.emitter.emit(Event::CheckEnded { stage: self.stage, check });
    }

    /// Who has to act on a failure here: what goes wrong while the base release is deployed is not
    /// the tested change's fault.
    #[must_use]
    pub fn fault(&self, failure: Failure) -> Fault {
        let usual = failure.kind.usual_cause();
        if self.is_dependency && matches!(usual, Cause::Recipe | Cause::Test) {
            return Fault { cause: Cause::Dependency, failure };
        }
        let on_base = self.stage == Stage::Install && self.spec.base.is_some();
        let cause = if on_base && usual == Cause::Recipe { Cause::BaseRelease } else { usual };
        Fault { cause, failure }
    }

    /// Says what the run is busy with.
    pub fn progress(&self, text: impl Into<String>) {
        self.speaker()(&text.into());
    }

    /// A function that says what the run is busy with, for those who cannot borrow the context.
    pub fn speaker(&self) -> impl FnMut(&str) + Send + use<> {
        let (emitter, busy, stage) = (Arc::clone(&self.emitter), Arc::clone(&self.busy), self.stage);
        let whose = if self.is_dependency { format!("{}: ", self.spec.recipe) } else { String::new() };
        move |text: &str| say(&emitter, &busy, stage, format!("{whose}{text}"))
    }

    /// Keeps a value out of everything that is told from now on.
    ///
    /// # Errors
    /// When the value cannot be kept for those who look at a kept app later.
    pub fn hide(&self, secret: &str) -> Result<(), Failure> {
        self.emitter.hide(secret);
        if self.keep == Keep::No {
            return Ok(());
        }
        let path = &self.kept_secrets;
        let known = std::fs::read_to_string(path).unwrap_or_default();
        let line = format!("{}\n", serde_json::Value::from(secret));
        if known.contains(&line) {
            return Ok(());
        }
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(|error| disk("write", path, &error))
    }

    /// Tells something that changes no outcome.
    pub fn note(&self, text: impl Into<String>) {
        self.emitter.emit(Event::Noted { stage: self.stage, text: text.into() });
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

    /// Records a call of abra, and turns one that failed into its failure.
    ///
    /// # Errors
    /// What abra said, as a failure with a kind.
    pub fn took(&self, call: Result<Call, Failure>, doing: &str) -> Result<Call, Failure> {
        let call = call?;
        self.emitter.emit(Event::AbraCalled {
            stage: self.stage,
            call: AbraCall {
                args: call.args.clone(),
                exit: call.exit,
                output: call.shown().to_owned(),
                took_ms: u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX),
            },
        });
        match explain(&call, doing) {
            Some(failure) => Err(failure),
            None => Ok(call),
        }
    }

    /// The public address of the app, with no slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let port = if self.https_port == 443 { String::new() } else { format!(":{}", self.https_port) };
        format!("https://{}{port}", self.spec.domain)
    }
}

fn say(emitter: &Emitter, busy: &Mutex<String>, stage: Stage, text: String) {
    if let Ok(mut last) = busy.lock() {
        last.clone_from(&text);
    }
    emitter.emit(Event::Progress { stage, text });
}

/// Runs blocking work, such as git, without holding up the rest.
///
/// # Errors
/// The work's own; a panic inside it is a bug and named as that.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let joined: Result<_, tokio::task::JoinError> = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|error| {
        Err(Failure::new(Kind::Bug, format!("a part of cc-ci panicked: {error}"), "please report it with the journal"))
    })
}
