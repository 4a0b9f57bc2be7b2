//! `cc-ci run`: one recipe through every stage, or a part of them, to one verdict.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use harness::abra::{Abra, find_program, version_of};
use harness::failure::{Failure, Kind};
use harness::swarm::{Claim, ClaimOutcome, Swarm};
use jiff::{SignedDuration, Timestamp};

use super::signals::stop_on_signals;
use super::what::{What, selection};
use crate::context::{Context, Parts};
use crate::deploy::disk;
use crate::emit::Sink;
use crate::engine::execute;
use crate::event::{HostFacts, JOURNAL_FORMAT, RunStarted};
use crate::exit::Exit;
use crate::keep::Keep;
use crate::kept;
use crate::prepared::{Prepared, new_run_id};
use crate::report;
use crate::run_dir::RunDir;
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    what: What,
    /// Run only what was red in the recipe's last run
    #[arg(long, conflicts_with = "only")]
    rerun_failed: bool,
    /// Show also that the tests bite, as `cc-ci prove` does
    #[arg(long)]
    prove: bool,
    /// Let the app stay for a look, then it goes by itself: 30m, 2h
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "30m", value_parser = how_long)]
    keep: Option<Duration>,
    /// Run the tests against the app that an earlier run keeps: an answer in a second or two
    #[arg(long, conflicts_with_all = ["keep", "source", "pr", "reference", "from"])]
    kept: bool,
    /// Run each test of what the app is for this often, and name those that come and go
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroU32,
    /// Print events as JSON lines instead of words
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ProveArgs {
    #[command(flatten)]
    what: What,
    /// Use the app that an earlier run keeps; it is wiped
    #[arg(long, conflicts_with_all = ["source", "pr", "reference", "from"])]
    kept: bool,
    /// Print events as JSON lines instead of words
    #[arg(long)]
    json: bool,
}

pub(super) async fn prove(settings: &Settings, args: ProveArgs) -> Result<Exit, Failure> {
    let ProveArgs { mut what, kept, json } = args;
    what.only_tests();
    let args = Args { what, prove: true, rerun_failed: false, keep: None, kept, repeat: NonZeroU32::MIN, json };
    run(settings, args).await
}

fn how_long(text: &str) -> Result<Duration, String> {
    let time: SignedDuration = text.parse().map_err(|_| "write 90s, 30m or 2h".to_owned())?;
    let time = Duration::try_from(time).map_err(|_| "a time cannot be negative".to_owned())?;
    let day = Duration::from_secs(24 * 3600);
    if time.is_zero() || time > day { Err("between 1 s and 24 h".to_owned()) } else { Ok(time) }
}

pub(super) async fn run(settings: &Settings, args: Args) -> Result<Exit, Failure> {
    let cancel = stop_on_signals()?;
    let state = settings.state_dir()?;
    let only = if args.rerun_failed {
        let red = report::redo::red_checks(&state, &args.what.recipe)?;
        if !red.any {
            println!("nothing was red in run {}", red.run);
            return Ok(Exit::Passed);
        }
        let what = if red.only.is_empty() { "everything".to_owned() } else { red.only.join(", ") };
        eprintln!("again what was red in run {}: {what}", red.run);
        selection(&red.only)?
    } else {
        args.what.selection()?
    };
    let only = if args.prove { only.proven() } else { only };
    let swarm = Swarm::connect().await?;
    let host = host_name();
    let run = new_run_id()?;
    let dir = RunDir::of(&state, &run);
    let _alive = dir.create().map_err(|error| disk("make", dir.path(), &error))?;
    let program = find_program(settings.abra.as_deref())?;
    let (prepared, abra, work, labels, keep) = if args.kept {
        let app = kept::find(&swarm, &state, &args.what.recipe).await.inspect_err(|_| discard(&dir))?;
        let prepared = Prepared::of_kept(settings, &app, &only, run).inspect_err(|_| discard(&dir))?;
        let abra = Abra::new(program, app.dir.abra());
        (prepared, abra, app.dir.work(), BTreeMap::new(), Keep::ByRun(app.started.run))
    } else {
        let request = args.what.request(settings).inspect_err(|_| discard(&dir))?;
        let abra = Abra::new(program, dir.abra());
        let recipe_dir = abra.recipe_dir(&request.recipe);
        let prepared = Prepared::new(settings, &request, &only, &recipe_dir, run).inspect_err(|_| discard(&dir))?;
        crate::reap::reap(&swarm, &state, &host, Duration::from_secs(60)).await?;
        let labels = claim(&swarm, &prepared, &host).await.inspect_err(|_| discard(&dir))?;
        (prepared, abra, dir.work(), labels, args.keep.map_or(Keep::No, Keep::For))
    };

    let facts = swarm.facts().await?;
    let host =
        HostFacts { name: host, engine: facts.version, ipvs: facts.ipvs, abra: version_of(abra.program()).await? };
    let started = started(&prepared, host, &keep);
    let expected = report::expect::from_runs(&state, &started.recipe);
    let sinks = sinks(&dir, args.json)?;
    let rounds = args.repeat.get();
    let mut cx =
        Context::new(settings, Parts { prepared, started, swarm, abra, dir, work, labels, keep, rounds, sinks })?;
    kept::hide_secrets(&cx, &state);
    let verdict = execute(&mut cx, &expected, &cancel).await;
    let reports = report::write_all(&cx.dir, &cx.emitter.records());
    report::say_where(&cx.dir, &reports, args.json);
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
        kept_until: None,
    };
    match swarm.claim(&claim).await? {
        ClaimOutcome::Held => Ok(BTreeMap::from([
            ("cc-ci.run".to_owned(), spec.run.to_string()),
            ("cc-ci.owner".to_owned(), host.to_owned()),
            ("cc-ci.deadline".to_owned(), deadline.to_string()),
        ])),
        ClaimOutcome::Taken(other) => {
            let kept = other.kept_until.map(|_| format!("; it is kept: `cc-ci reap --run {}` ends it", other.run));
            Err(Failure::new(
                Kind::NoSlot,
                format!("the app {} is held by run {} on {}", spec.domain, other.run, other.owner),
                format!(
                    "wait until that run has ended{}; one that was killed goes by `cc-ci reap`",
                    kept.unwrap_or_default()
                ),
            ))
        }
    }
}

fn started(prepared: &Prepared, host: HostFacts, keep: &Keep) -> RunStarted {
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
        only: match keep {
            Keep::ByRun(run) => vec![format!("tests on the app that run {run} keeps")],
            _ => prepared.only.words(),
        },
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

/// The name of this machine.
pub(super) fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}
