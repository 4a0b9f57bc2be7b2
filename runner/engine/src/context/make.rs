//! How a context comes to be: the tested app's, and that of each app beside it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base::failure::Failure;
use base::names::Domain;
use base::redact::Redactor;
use coopcloud::abra::Abra;
use http_client::Http;
use swarm::Swarm;
use tokio_util::sync::CancellationToken;

use super::Context;
use crate::context::neighbours::Neighbours;
use crate::context::usage::Usage;
use crate::context::{Keep, logins};
use crate::override_file::Place;
use fence::own_tests::OwnTests;
use host::engine_watch::EngineWatch;
use host::queue::Runner;
use host::repository::Opening;
use journal::emit::{Emitter, Sink};
use journal::event::{RunStarted, Stage};
use journal::run_dir::RunDir;
use plan::commands::Commands;
use plan::dependencies::Dependency;
use plan::prepared::Prepared;
use recipe_folder::folder::folder_of;
use recipe_folder::overlays::Overlays;

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

impl Context {
    /// A context at the beginning of a run.
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
        let resolve = |domain: &Domain| address.map(|ip| format!("{domain}:{port}:{ip}")).into_iter().collect();
        let resolve_own: Vec<String> = resolve(&prepared.spec.domain);
        let folder = folder_of(&settings.recipes, &started.recipe);
        let started_beside = started.dependencies.clone();
        let mut cx = Self {
            is_dependency: false,
            beside: Vec::new(),
            after: Vec::new(),
            warm: None,
            came_up: false,
            remark,
            repository,
            logins: None,
            neighbours: Neighbours::default(),
            resolve_beside: started_beside.iter().flat_map(|fact| resolve(&fact.domain)).collect(),
            spec: prepared.spec,
            place,
            started,
            change: None,
            variant: None,
            toml: prepared.toml,
            folder,
            overlays: prepared.overlays,
            own: prepared.own,
            commands: prepared.commands,
            unrun: None,
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
            settled: None,
            all_new: false,
            base_is_broken: false,
            no_answer: None,
            seeded: false,
            skipped: None,
            not_shown: None,
            keep,
            forgetting: None,
            rounds,
            busy: Arc::new(Mutex::new(String::new())),
            runner: runner.clone(),
        };
        for dependency in prepared.dependencies {
            let folder = folder_of(&settings.recipes, &dependency.needed.recipe);
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
        let commands = Commands::decide(&self.runner.settings, &dependency.needed.recipe);
        let commands = commands.unwrap_or_else(|failure| Commands::NotRun(failure.what));
        Self {
            warm: dependency.warm,
            is_dependency: true,
            beside: Vec::new(),
            after: dependency.needed.after,
            came_up: false,
            remark: None,
            repository: None,
            logins: None,
            neighbours: Neighbours::default(),
            spec: dependency.spec,
            started: self.started.clone(),
            change: None,
            variant: None,
            toml: dependency.toml,
            folder,
            overlays: Overlays::default(),
            own: OwnTests::default(),
            commands,
            unrun: None,
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
            settled: None,
            all_new: false,
            base_is_broken: false,
            no_answer: None,
            seeded: false,
            skipped: None,
            not_shown: None,
            keep: self.keep.clone(),
            forgetting: None,
            rounds: 1,
            busy: Arc::clone(&self.busy),
        }
    }
}
