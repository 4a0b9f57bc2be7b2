//! `cc-ci run`: one recipe through every stage, to one verdict.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::abra::{Abra, find_program, version_of};
use harness::failure::{Failure, Kind};
use harness::http::{Http, HttpConfig};
use harness::names::RecipeName;
use harness::redact::Redactor;
use harness::swarm::{Claim, ClaimOutcome, Swarm};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::deploy::disk;
use crate::emit::{Emitter, Sink};
use crate::engine::execute;
use crate::engine_watch::EngineWatch;
use crate::event::{HostFacts, JOURNAL_FORMAT, RunStarted, Stage};
use crate::exit::Exit;
use crate::prepared::{Prepared, new_run_id, read_toml};
use crate::report;
use crate::run_dir::RunDir;
use crate::settings::Settings;
use crate::source::{Revision, is_safe_ref};
use crate::spec::Request;
use crate::world::local_ca;

/// What is to be tested.
#[derive(Debug, clap::Args)]
pub(super) struct What {
    /// Name of the recipe
    recipe: RecipeName,
    /// Folder or URL of its repository [default: recipe.toml's, else the maintainers' Gitea]
    #[arg(long, value_name = "FOLDER|URL")]
    source: Option<String>,
    /// Pull request whose head is tested
    #[arg(long, value_name = "N", conflicts_with = "reference")]
    pr: Option<u64>,
    /// Branch, tag or commit that is tested [default: the default branch]
    #[arg(long = "ref", value_name = "REF", value_parser = safe_ref)]
    reference: Option<String>,
    /// Release that the upgrade starts from [default: the newest before the head's version]
    #[arg(long, value_name = "VERSION", value_parser = safe_ref)]
    from: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    what: What,
    /// Print events as JSON lines instead of words
    #[arg(long)]
    json: bool,
}

impl What {
    pub(super) fn request(&self, settings: &Settings) -> Result<Request, Failure> {
        let source = match &self.source {
            Some(source) => source.clone(),
            None => read_toml(settings, &self.recipe)?
                .source
                .unwrap_or_else(|| format!("https://git.coopcloud.tech/coop-cloud/{}.git", self.recipe)),
        };
        let revision = match (self.pr, &self.reference) {
            (Some(number), _) => Revision::PullRequest(number),
            (None, Some(name)) => Revision::Named(name.clone()),
            (None, None) => Revision::Default,
        };
        Ok(Request {
            recipe: self.recipe.clone(),
            source,
            revision,
            from: self.from.clone(),
            base_domain: settings.base_domain.clone(),
        })
    }
}

fn safe_ref(text: &str) -> Result<String, String> {
    if is_safe_ref(text) { Ok(text.to_owned()) } else { Err("letters, digits and . _ / - + only".to_owned()) }
}

pub(super) async fn run(settings: &Settings, args: Args) -> Result<Exit, Failure> {
    let cancel = CancellationToken::new();
    stop_on_signals(cancel.clone())?;
    let state = settings.state_dir()?;
    let request = args.what.request(settings)?;
    let swarm = Swarm::connect().await?;
    let run = new_run_id()?;
    let dir = RunDir::of(&state, &run);
    let _alive = dir.create().map_err(|error| disk("make", dir.path(), &error))?;
    let abra = Abra::new(find_program(settings.abra.as_deref())?, dir.abra());
    let recipe_dir = abra.recipe_dir(&request.recipe);
    let prepared = Prepared::new(settings, &request, &recipe_dir, run);
    let prepared = prepared.inspect_err(|_| discard(&dir))?;
    let host = host_name();
    crate::reap::reap(&swarm, &state, &host, Duration::from_secs(60)).await?;
    let labels = claim(&swarm, &prepared, &host).await.inspect_err(|_| discard(&dir))?;

    let facts = swarm.facts().await?;
    let started = started(
        &prepared,
        HostFacts { name: host, engine: facts.version, ipvs: facts.ipvs, abra: version_of(abra.program()).await? },
    );
    let expected = report::expect::from_runs(&state, &started.recipe);
    let ca = local_ca(&state, settings);
    let http = Http::new(&HttpConfig {
        ca_pem: ca.as_ref().and_then(|path| std::fs::read(path).ok()),
        resolve: settings.fixed_address().map(|address| (settings.base_domain.to_string(), address)),
    })?;
    let resolve = settings.fixed_address().map(|ip| format!("{}:{}:{ip}", prepared.spec.domain, settings.https_port));
    let emitter = Arc::new(Emitter::new(sinks(&dir, args.json)?, Redactor::default()));
    let mut cx = Context {
        spec: prepared.spec,
        started,
        toml: prepared.toml,
        overlays: prepared.overlays,
        own: prepared.own,
        engine: EngineWatch::start(&swarm),
        swarm,
        abra,
        http,
        checkout: prepared.checkout,
        dir: dir.clone(),
        https_port: settings.https_port,
        resolve: resolve.into_iter().collect(),
        ca,
        ipvs: facts.ipvs,
        labels,
        emitter: Arc::clone(&emitter),
        stage: Stage::Prepare,
        deadline: Instant::now(),
        faults: Vec::new(),
        deployed: None,
        base_is_broken: false,
        seeded: false,
        skipped: None,
        busy: Arc::new(Mutex::new(String::new())),
    };
    let verdict = execute(&mut cx, &expected, &cancel).await;
    let reports = report::write_all(&dir, &emitter.records());
    report::say_where(&dir, &reports, args.json);
    let bug = verdict.decided_by.as_ref().is_some_and(|decision| decision.fault.failure.kind == Kind::Bug);
    Ok(if bug { Exit::Bug } else { Exit::from(&verdict) })
}

/// Takes the app's name on the swarm, and gives the labels that every service of the run carries.
async fn claim(swarm: &Swarm, prepared: &Prepared, host: &str) -> Result<BTreeMap<String, String>, Failure> {
    let spec = &prepared.spec;
    let seconds: u64 = prepared.stages.iter().map(|stage| stage.deadline_s).sum();
    let deadline = Timestamp::now().as_second().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
    let claim = Claim {
        run: spec.run.clone(),
        stack: spec.stack.clone(),
        domain: spec.domain.clone(),
        recipe: spec.recipe.clone(),
        owner: host.to_owned(),
        deadline,
    };
    match swarm.claim(&claim).await? {
        ClaimOutcome::Held => Ok(BTreeMap::from([
            ("cc-ci.run".to_owned(), spec.run.to_string()),
            ("cc-ci.owner".to_owned(), host.to_owned()),
            ("cc-ci.deadline".to_owned(), deadline.to_string()),
        ])),
        ClaimOutcome::Taken(other) => Err(Failure::new(
            Kind::NoSlot,
            format!("the app {} is held by run {} on {}", spec.domain, other.run, other.owner),
            "wait until that run has ended; one that was killed goes by `cc-ci reap`",
        )),
    }
}

fn started(prepared: &Prepared, host: HostFacts) -> RunStarted {
    let spec = &prepared.spec;
    RunStarted {
        format: JOURNAL_FORMAT,
        run: spec.run.clone(),
        recipe: spec.recipe.clone(),
        source: spec.source.clone(),
        head: spec.head.clone(),
        head_subject: spec.head_subject.clone(),
        head_version: spec.head_version.clone(),
        base: spec.base.clone(),
        pull_request: spec.pull_request,
        domain: spec.domain.clone(),
        stack: spec.stack.clone(),
        stages: prepared.stages.clone(),
        cc_ci: env!("CARGO_PKG_VERSION").to_owned(),
        host,
    }
}

fn sinks(dir: &RunDir, json: bool) -> Result<Vec<Box<dyn Sink>>, Failure> {
    let journal =
        report::journal::Writer::create(&dir.journal()).map_err(|error| disk("write", &dir.journal(), &error))?;
    let screen: Box<dyn Sink> = if json {
        Box::new(report::terminal::JsonLines(std::io::stdout()))
    } else {
        Box::new(report::terminal::Terminal::stdout())
    };
    Ok(vec![Box::new(journal), screen])
}

/// A run that never began leaves no folder.
fn discard(dir: &RunDir) {
    if let Err(error) = std::fs::remove_dir_all(dir.path()) {
        tracing::warn!("{} cannot be removed: {error}", dir.path().display());
    }
}

/// The first signal cancels the run, which then tears down. The second is obeyed at once.
fn stop_on_signals(cancel: CancellationToken) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| {
        signal(kind).map_err(|error| Failure::new(Kind::Bug, format!("no signal handler can be set: {error}"), ""))
    };
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::spawn(async move {
        for count in 0.. {
            tokio::select! {
                got = interrupt.recv() => if got.is_none() { return },
                got = terminate.recv() => if got.is_none() { return },
            }
            if count == 0 {
                eprintln!("cc-ci: stopping; everything is torn down first (once more to stop at once)");
                cancel.cancel();
            } else {
                eprintln!("cc-ci: stopped at once; `cc-ci reap` removes what is left");
                std::process::exit(i32::from(Exit::Cancelled.code()));
            }
        }
    });
    Ok(())
}

/// The name of this machine.
pub(super) fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}
