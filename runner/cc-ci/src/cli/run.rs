//! `cc-ci run`: one recipe through every stage, or a part of them, to one verdict.

use host::{note, say};
use std::num::NonZeroU32;
use std::time::Duration;

use base::failure::{Failure, Kind};
use base::names::{RecipeName, RunId};
use coopcloud::abra::{Abra, Probed, find_program, version_of};
use slots::Scan;
use swarm::Swarm;

use super::signals::{stop_on_signals, stop_with_input};
use super::target::{What, selection};
use engine::context::Keep;
use engine::context::{Parts, StageRun};
use engine::execute::execute;
use engine::kept_secrets;
use host::janitor::Janitor;
use host::queue::Runner;
use journal::emit::Sink;
use journal::event::{HostFacts, JOURNAL_FORMAT, Record, RunStarted};
use journal::exit::Exit;
use journal::number::from_one;
use plan::kept;
use plan::override_file::SwarmTraits;
use plan::prepared::Prepared;

use engine::warm::{self, Arranging};
use host::settings::{Settings, how_long};
use host::world;
use journal::run_dir::RunDir;
use journal::run_id::new_run_id;
use relay::{ReportArgs, Reporter};

/// How long a run spends on what earlier ones left.
const REAPING: Duration = Duration::from_secs(60);

pub(super) const EXAMPLES: &str = concat!(
    "Examples:\n",
    "  cc-ci run custom-html                           the default branch of the maintainers' recipe\n",
    "  cc-ci run custom-html --pr 12                   a pull request\n",
    "  cc-ci run n8n --source ../n8n --dirty           a folder as it is, with what is not committed\n",
    "  cc-ci run n8n --only functional --keep 1h       only the tests, and let the app stay for a look\n",
    "  cc-ci run n8n --kept --only functional/20       one test against the kept app\n",
);

/// The headings of its help.
const WHAT: &str = "What is tested";
const HOW: &str = "How it runs";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten, next_help_heading = WHAT)]
    what: What,
    /// Run only what was red in the recipe's last run
    #[arg(long, help_heading = HOW, conflicts_with = "only")]
    rerun_failed: bool,
    /// Show also that the tests bite, as `cc-ci prove` does
    #[arg(long, help_heading = HOW)]
    prove: bool,
    /// Let the app stay for a look, then it goes by itself: 30m, 2h
    #[arg(long, help_heading = HOW, value_name = "TIME", num_args = 0..=1, default_missing_value = "30m", value_parser = how_long)]
    keep: Option<Duration>,
    /// Use a provider of logins that earlier runs have kept warm, and let it stay this long after the last
    /// use; only where recipe.toml says share = true
    #[arg(long, help_heading = HOW, value_name = "TIME", num_args = 0..=1, default_missing_value = "2h", value_parser = how_long)]
    warm: Option<Duration>,
    /// Run the tests against the app that an earlier run keeps: an answer in a second or two
    #[arg(long, help_heading = HOW, conflicts_with_all = ["keep", "warm", "source", "dirty", "pr", "reference", "from"])]
    kept: bool,
    /// Run each test of what the app is for this often, and name those that come and go
    #[arg(long, help_heading = HOW, value_name = "N", default_value = "1", value_parser = from_one)]
    repeat: NonZeroU32,
    /// Let all other runs go first, and leave a slot for them, as runs of the nightly sweep do
    #[arg(long, help_heading = HOW)]
    yields: bool,
    /// Print events as JSON lines instead of words
    #[arg(long, help_heading = HOW)]
    json: bool,
    #[command(flatten, next_help_heading = "Where it reports to")]
    report: ReportArgs,
    /// The run's id, where whoever starts it has to know it before [default: the time and four letters]
    #[arg(long, help_heading = HOW, value_name = "ID", conflicts_with = "kept")]
    run_id: Option<RunId>,
    /// The run of the first attempt, where a build was restarted
    #[arg(long, value_name = "ID", requires = "run_id", hide = true)]
    restart_of: Option<RunId>,
    /// Stop, as at a signal, when standard input ends: whoever holds its other end wants no more, or is dead
    #[arg(long, hide = true)]
    leash: bool,
}

impl Args {
    /// Whether there is a token to report with, and no address to report to.
    pub(super) fn has_idle_token(&self) -> bool {
        self.report.report_token_file.is_some() && self.report.report_to.is_none()
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci prove n8n                              every test against impostors, on an app that is deployed for it\n",
    "  cc-ci prove n8n --kept                       the same on the app that an earlier run keeps\n",
    "  cc-ci prove n8n --kept --only functional/20  one test\n",
))]
pub(super) struct ProveArgs {
    #[command(flatten)]
    what: What,
    /// Use the app that an earlier run keeps; it is wiped
    #[arg(long, conflicts_with_all = ["source", "dirty", "pr", "reference", "from"])]
    kept: bool,
    /// Print events as JSON lines instead of words
    #[arg(long)]
    json: bool,
}

pub(super) async fn prove(settings: &Settings, args: ProveArgs) -> Result<Exit, Failure> {
    let ProveArgs { mut what, kept, json } = args;
    what.only_tests();
    let args = Args {
        what,
        prove: true,
        rerun_failed: false,
        keep: None,
        warm: None,
        kept,
        repeat: NonZeroU32::MIN,
        yields: false,
        json,
        report: ReportArgs::default(),
        run_id: None,
        restart_of: None,
        leash: false,
    };
    run(settings, args).await
}

/// How a run ended.
pub(super) struct RunEnd {
    pub(super) exit: Exit,
    /// All that it told; nothing where there was nothing to run.
    pub(super) records: Vec<Record>,
}

pub(super) async fn run(settings: &Settings, args: Args) -> Result<Exit, Failure> {
    ended(settings, args).await.map(|ended| ended.exit)
}

/// Runs, and keeps what was told for whoever makes more of it.
pub(super) async fn ended(settings: &Settings, args: Args) -> Result<RunEnd, Failure> {
    let cancel = stop_on_signals()?;
    if args.leash {
        stop_with_input(&cancel);
    }
    // Before anything is started: the token may come by standard input.
    let report_to = args.report.destination(settings)?;
    let runner = Runner { yields: args.yields, ..runner_of(settings)? };
    let state = runner.state.clone();
    let only = if args.rerun_failed {
        let red = report::redo::red_checks(&state, &args.what.recipe)?;
        if !red.any {
            say!("nothing was red in run {}", red.run);
            return Ok(RunEnd { exit: Exit::Passed, records: Vec::new() });
        }
        let what = if red.only.is_empty() { "everything".to_owned() } else { red.only.join(", ") };
        note!("again what was red in run {}: {what}", red.run);
        selection(&red.only)?
    } else {
        args.what.selection()?
    };
    let only = if args.prove { only.proven() } else { only };
    let swarm = Swarm::connect().await?;
    // Whether a backup is planned is known later; a whole run has one, but for the few recipes without.
    let repository = (!args.kept && only.is_whole()).then(|| host::repository::begin_to_open(&swarm));
    let run = args.run_id.map_or_else(new_run_id, Ok)?;
    let dir = RunDir::of(&state, &run);
    let _alive = dir.create().map_err(|error| not_made(&run, &dir, &error))?;
    let program = find_program(settings.abra.as_deref()).inspect_err(|_| dir.discard())?;
    // Whatever can fail does so before anything is taken on the swarm.
    let (facts, abra) = tokio::join!(swarm.facts(), version_of(&program));
    let facts = facts.inspect_err(|_| dir.discard())?;
    let place = SwarmTraits::from(&facts);
    let ca = world::served_ca(&swarm, settings).await.inspect_err(|_| dir.discard())?;
    let abra = abra.inspect_err(|_| dir.discard())?;
    let http = world::http_trusting(settings, ca.as_deref()).inspect_err(|_| dir.discard())?;
    let probed = Probed::read(&state, &abra);
    let host = HostFacts { name: runner.host.clone(), engine: facts.version, ipvs: facts.ipvs, abra };
    let sinks = sinks(&dir, args.json)?;
    let reporter = report_to.map(|to| Reporter::start(to, &run, dir.clone()));
    let mut remark = None;
    let (prepared, abra, shared, keep) = if args.kept {
        let app = kept::find(&swarm, &state, &args.what.recipe).await.inspect_err(|_| dir.discard())?;
        let prepared = Prepared::of_kept(settings, &app, &only, run).inspect_err(|_| dir.discard())?;
        let abra = Abra::new(program, app.dir.abra()).knowing(probed);
        (prepared, abra, app.dir.clone(), Keep::ByRun(app.started.run))
    } else {
        let request = args.what.request(settings).inspect_err(|_| dir.discard())?;
        let left_out = What::left_out(&request);
        if let Some(left_out) = &left_out {
            note!("{left_out}");
        }
        host::registry::give_to_abra(settings, &args.what.recipe, &dir.abra()).inspect_err(|_| dir.discard())?;
        let abra = Abra::new(program, dir.abra()).knowing(probed);
        let dir_of = |recipe: &RecipeName| abra.recipe_dir(recipe);
        let mut prepared = Prepared::new(settings, &request, &only, dir_of, run).inspect_err(|_| dir.discard())?;
        Janitor::new(&swarm, &http, &runner, REAPING).reap(Scan::Once).await.inspect_err(|_| dir.discard())?;
        if let Some(time) = args.warm {
            let (state, host, program) = (state.clone(), runner.host.clone(), abra.program().to_owned());
            let how = Arranging { swarm: &swarm, http: &http, settings, state, host, program, time };
            remark = warm::arrange(&how, &mut prepared).await.inspect_err(|_| dir.discard())?;
        }
        // In the report too, where one looks who wonders why a change did nothing.
        remark = remark.into_iter().chain(left_out).reduce(|all, one| format!("{all}; {one}"));
        (prepared, abra, dir.clone(), args.keep.map_or(Keep::No, Keep::For))
    };

    let started = started(&prepared, host, &keep, args.restart_of);
    let expected = journal::expect::from_runs(&state, &started.recipe);
    let rounds = args.repeat.get();
    let parts = Parts {
        prepared,
        started,
        swarm,
        abra,
        dir: dir.clone(),
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
    };
    let mut cx = StageRun::new(parts)?;
    kept_secrets::hide_secrets(&cx, &state);
    let verdict = execute(&mut cx, &expected).await;
    let records = cx.records();
    let reports = report::write_all(&dir, &records);
    report::say_where(&dir, &reports, args.json);
    if let Some(reporter) = reporter {
        reporter.finish().await;
    }
    let exit = match verdict.decided_by.as_ref().map(|decision| decision.fault.failure.kind) {
        Some(Kind::Bug) => Exit::Bug,
        // A slot that was lost is the machine's doing; one that was never had says so.
        Some(Kind::NoSlot) if !cx.lost_its_slot() => Exit::NoSlot,
        _ => Exit::from(&verdict),
    };
    Ok(RunEnd { exit, records })
}

/// Why a run has no folder: its id was used before, or the disk refuses.
fn not_made(run: &RunId, dir: &RunDir, error: &std::io::Error) -> Failure {
    if error.kind() != std::io::ErrorKind::AlreadyExists {
        return Failure::disk("make", dir.path(), error);
    }
    let what = format!("run {run} is there already ({}): each run wants an id of its own", dir.path().display());
    Failure::new(Kind::Usage, what, "--run-id: give another id, or none")
}

fn started(prepared: &Prepared, host: HostFacts, keep: &Keep, restart_of: Option<RunId>) -> RunStarted {
    let spec = &prepared.spec;
    RunStarted {
        format: JOURNAL_FORMAT,
        run: spec.run.clone(),
        restart_of,
        recipe: spec.recipe.clone(),
        source: spec.source.clone(),
        head: spec.head.clone(),
        head_subject: spec.head_subject.clone(),
        head_version: spec.head_version.clone(),
        base: spec.base.clone(),
        pull_request: spec.pull_request,
        on_main: spec.on_main,
        domain: spec.domain.clone(),
        stack: spec.stack.clone(),
        dependencies: prepared.beside.clone(),
        only: match keep {
            Keep::ByRun(run) => vec![format!("tests on the app that run {run} keeps")],
            _ => prepared.only.words(),
        },
        stages: prepared.stages.clone(),
        tests: prepared.prints.clone(),
        cc_ci: env!("CARGO_PKG_VERSION").to_owned(),
        host,
    }
}

fn sinks(dir: &RunDir, json: bool) -> Result<Vec<Box<dyn Sink>>, Failure> {
    let journal =
        journal::Writer::create(&dir.journal()).map_err(|error| Failure::disk("write", &dir.journal(), &error))?;
    let screen: Box<dyn Sink> = if json {
        Box::new(report::terminal::JsonLines(std::io::stdout()))
    } else {
        Box::new(report::terminal::Terminal::stdout())
    };
    Ok(vec![Box::new(journal), screen])
}

/// Who runs here, by these settings.
pub(super) fn runner_of(settings: &Settings) -> Result<Runner, Failure> {
    Ok(Runner { settings: settings.clone(), state: settings.state_dir()?, host: host_name(), yields: false })
}

/// The name of this machine.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_was_used_before_is_a_wrong_argument_and_a_full_disk_is_none() {
        let state = tempfile::tempdir().unwrap();
        let run: RunId = "20261121-091403-kxqv".parse().unwrap();
        let dir = RunDir::of(state.path(), &run);
        drop(dir.create().unwrap());
        let failure = not_made(&run, &dir, &dir.create().unwrap_err());
        assert_eq!(failure.kind, Kind::Usage);
        assert!(failure.what.starts_with("run 20261121-091403-kxqv is there already ("), "{}", failure.what);
        assert!(failure.what.ends_with("each run wants an id of its own"), "{}", failure.what);
        assert!(!failure.look_at.contains("space"), "{}", failure.look_at);
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(not_made(&run, &dir, &full).kind, Kind::DiskFull);
    }
}
