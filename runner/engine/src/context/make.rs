//! How a run begins: the part of the tested app, and that of each dependency.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use base::failure::Failure;
use base::names::Domain;
use base::redact::Redactor;
use coopcloud::abra::Abra;
use http_client::Http;
use swarm::Swarm;
use tokio_util::sync::CancellationToken;

use super::app::App;
use super::holdings::Holdings;
use super::run::Run;
use super::stage_run::StageRun;
use crate::context::{Keep, logins};
use fence::own_tests::OwnTests;
use host::engine_watch::EngineWatch;
use host::queue::Runner;
use host::repository::Opening;
use journal::emit::{Emitter, Sink};
use journal::event::{RunStarted, Stage};
use journal::run_dir::RunDir;
use plan::commands::Commands;
use plan::dependencies::Dependency;
use plan::override_file::SwarmTraits;
use plan::peers::Peers;
use plan::prepared::Prepared;
use recipe_folder::folder::folder_of;
use recipe_folder::overlays::Overlays;

/// What a run begins with.
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
    pub place: SwarmTraits,
    /// The CA of the apps' certificates, where the system's are not to judge.
    pub ca: Option<PathBuf>,
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
    /// HTTP towards the apps.
    pub http: Http,
    /// The look at the backup bot's repository, where it has begun.
    pub repository: Option<Opening>,
    /// The readers of the run's events.
    pub sinks: Vec<Box<dyn Sink>>,
}

impl StageRun {
    /// The tested app at the beginning of a run.
    ///
    /// # Errors
    /// When the logins that a kept app was given cannot be read.
    pub fn new(parts: Parts) -> Result<Self, Failure> {
        let Parts {
            prepared,
            started,
            swarm,
            abra,
            dir,
            shared,
            place,
            ca,
            runner,
            cancel,
            keep,
            rounds,
            remark,
            repository,
            http,
            sinks,
        } = parts;
        let settings = &runner.settings;
        let address = settings.fixed_address();
        let port = settings.https_port;
        let resolve = |domain: &Domain| -> Vec<String> {
            address.map(|ip| format!("{domain}:{port}:{ip}")).into_iter().collect()
        };
        let folder = folder_of(&settings.recipes, &started.recipe);
        let dependencies = started.dependencies.clone();
        let run = Arc::new(Run {
            started,
            remark,
            emitter: Arc::new(Emitter::new(sinks, Redactor::default())),
            cancel,
            runner: runner.clone(),
            guards: settings.guards.clone(),
            engine: tokio::sync::Mutex::new(EngineWatch::start(&swarm)),
            swarm,
            keep,
            rounds,
            work: shared.work(),
            kept_secrets: shared.kept_secrets(),
            https_port: settings.https_port,
            fixed_address: address,
            ca,
            recipe_tests: settings.recipe_tests.clone(),
            place,
            busy: Arc::default(),
        });
        let app = App {
            is_dependency: false,
            after: Vec::new(),
            warm: None,
            peers: Peers::default(),
            resolve: resolve(&prepared.spec.domain),
            resolve_beside: dependencies.iter().flat_map(|fact| resolve(&fact.domain)).collect(),
            spec: prepared.spec,
            change: None,
            variant: None,
            toml: prepared.toml,
            folder,
            overlays: prepared.overlays,
            own: prepared.own,
            commands: prepared.commands,
            unrun: None,
            abra,
            checkout: prepared.checkout,
            dir,
            deps: (!dependencies.is_empty()).then(|| shared.deps()),
            labels: BTreeMap::new(),
            deployed: None,
            settled: None,
            all_new: false,
            base_is_broken: false,
            no_answer: None,
            seeded: false,
        };
        let mut cx = Self::before_prepare(run, app, http);
        cx.holdings.repository = repository;
        for dependency in prepared.dependencies {
            let folder = folder_of(&settings.recipes, &dependency.needed.recipe);
            let resolve = resolve(&dependency.spec.domain);
            let app = dependency_app(&cx, dependency, folder, resolve);
            let other = Self::before_prepare(Arc::clone(&cx.run), app, cx.http.clone());
            cx.holdings.dependencies.push(other);
        }
        if matches!(cx.run.keep, Keep::ByRun(_)) {
            logins::recall(&mut cx)?;
        }
        Ok(cx)
    }

    fn before_prepare(run: Arc<Run>, app: App, http: Http) -> Self {
        Self {
            run,
            holdings: Holdings::default(),
            app,
            stage: Stage::Prepare,
            deadline: Instant::now(),
            http,
            faults: Vec::new(),
            skipped: None,
            not_shown: None,
        }
    }
}

/// An app that the tested one needs. A warm one belongs to a run of its own.
fn dependency_app(tested: &StageRun, dependency: Dependency, folder: PathBuf, resolve: Vec<String>) -> App {
    let of_run = &tested.app;
    let (dir, abra, labels) = match &dependency.warm {
        None => (of_run.dir.clone(), of_run.abra.clone(), of_run.labels.clone()),
        Some(warm) => {
            let abra = Abra::new(of_run.abra.program().to_owned(), warm.dir.abra());
            (warm.dir.clone(), abra, warm.labels.clone())
        }
    };
    let commands = Commands::decide(&tested.run.runner.settings, &dependency.needed.recipe);
    App {
        is_dependency: true,
        after: dependency.needed.after,
        warm: dependency.warm,
        peers: Peers::default(),
        spec: dependency.spec,
        change: None,
        variant: None,
        toml: dependency.toml,
        folder,
        overlays: Overlays::default(),
        own: OwnTests::default(),
        commands: commands.unwrap_or_else(|failure| Commands::NotRun(failure.what)),
        unrun: None,
        abra,
        checkout: dependency.checkout,
        dir,
        deps: None,
        resolve,
        resolve_beside: Vec::new(),
        labels,
        deployed: None,
        settled: None,
        all_new: false,
        base_is_broken: false,
        no_answer: None,
        seeded: false,
    }
}
