//! `./dev bench`: prints the table of figures.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base::failure::{Failure, Kind};
use base::names::RecipeName;
use swarm::Swarm;

use bench::{Figure, Round, Trees, Turn};
use host::settings::Settings;
use journal::event::Stage;
use journal::exit::Exit;

/// Measure cc-ci against a floor and a plain shell script
#[derive(Debug, clap::Parser)]
#[command(name = "bench", after_help = concat!(
    "Examples:\n",
    "  bench --source ../custom-html         a run beside its floor and a plain script\n",
    "  bench --source ../gitea --rounds 1    what the stages of another recipe take\n",
    "  bench --history /tmp/history --pages  the history and its pages with 100,000 runs\n",
))]
struct Args {
    #[command(flatten, next_help_heading = "Settings of this machine", next_display_order = 1000)]
    settings: Settings,
    /// Repository that is measured: that of custom-html with floor and script; of another recipe, such as gitea with its
    /// Keycloak, what its stages take
    #[arg(long, value_name = "FOLDER", required_unless_present = "history")]
    source: Option<PathBuf>,
    /// Measure a history in place of the rest, in this state folder; runs that are made up fill it. Beside nothing
    /// that matters: it is no server's folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "source")]
    history: Option<PathBuf>,
    /// Measure the pages of `cc-ci serve` over that history too
    #[arg(long, requires = "history")]
    pages: bool,
    /// Runs in that history
    #[arg(long, value_name = "N", default_value = "100000", value_parser = journal::number::from_one)]
    runs: std::num::NonZeroU32,
    /// Measure a fleet of mixed runs in place of the rest, from the repositories beside that one
    #[arg(long, value_name = "RECIPE", value_delimiter = ',', num_args = 1..)]
    fleet: Vec<RecipeName>,
    /// Runs and apps that the fleet may hold at once
    #[arg(long, value_names = ["RUNS", "APPS"], num_args = 2, default_values_t = [3, 5], value_parser = journal::number::small)]
    fleet_caps: Vec<u16>,
    /// The plain shell script to compare with
    #[arg(long, value_name = "FILE", default_value = "testbed/bench/plain.sh")]
    plain: PathBuf,
    /// Measure the ratios alone, and end with an error where one falls short of what CI asks for
    #[arg(long, conflicts_with_all = ["history", "fleet"])]
    gate: bool,
    /// The program that is measured [default: the cc-ci beside this program]
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// A small image with busybox, for the reaction and the teardown
    #[arg(long, value_name = "IMAGE", default_value = "testbed.invalid/busybox:1")]
    image: String,
    /// How often cc-ci, floor and script are measured, in turns; with --gate, until the rounds that are left cannot change
    /// what it says
    #[arg(long, value_name = "N", default_value = "3", value_parser = journal::number::from_one)]
    rounds: std::num::NonZeroU32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let args = <Args as clap::Parser>::parse();
    run(&args.settings, &args).await.unwrap_or_else(|failure| cc_ci::cli::told("bench", &failure)).into()
}

async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let program = match &args.program {
        Some(program) => program.clone(),
        None => neighbour("cc-ci")?,
    };
    if let Some(state) = &args.history {
        std::fs::create_dir_all(state).map_err(|error| base::failure::Failure::disk("make", state, &error))?;
        let mut figures = bench::history(state, args.runs.get())?;
        if args.pages {
            figures.extend(bench::pages(&program, state, args.runs.get()).await?);
        }
        print_table(args, &figures);
        return Ok(Exit::Passed);
    }
    let source = args.source.as_deref().unwrap_or(Path::new("."));
    let scratch = tempfile::tempdir()
        .map_err(|error| base::failure::Failure::disk("make a folder in", &std::env::temp_dir(), &error))?;
    if !args.fleet.is_empty() {
        return fleet(&program, args, source, scratch.path()).await;
    }
    let swarm = Swarm::connect().await?;
    let recipe = recipe_of(source)?;
    let source = source.to_string_lossy().into_owned();
    // No floor makes the faults that a recipe's folder switches on, and each waits on purpose.
    let what = [recipe.as_str(), "--source", &source, "--pr", "1", "--faults", "none"].map(str::to_owned).to_vec();
    eprintln!("{}, {} programs", program.display(), if cfg!(debug_assertions) { "not optimised" } else { "optimised" });
    if recipe.as_str() != "custom-html" {
        let figures = stages(&program, args, &what, &recipe).await?;
        print_table(args, &figures);
        return Ok(Exit::Passed);
    }

    // The first run warms caches and gives the compose files. All three are measured in each round, in turns, so that
    // neither a busy moment of the machine nor a drift favours one of them.
    let warm = bench::cc_ci_run(&program, &what).await?;
    let trees = Trees::lay_out(&source, &warm, scratch.path())?;
    let http = host::world::http(settings)?;
    let port = if settings.https_port == 443 { String::new() } else { format!(":{}", settings.https_port) };
    let url = format!("https://{}{port}/", trees.domain);
    let resolve =
        settings.fixed_address().map(|ip| format!("{}:{}:{ip}", trees.domain, settings.https_port)).unwrap_or_default();
    let ca = host::world::served_ca(&swarm, settings).await?;
    let ca = ca.map(|path| path.display().to_string()).unwrap_or_else(|| plan::peers::SYSTEM_CAS.to_owned());
    let (mut rounds, mut peak) = (Vec::new(), 0);
    for round in 1..=args.rounds.get() {
        eprintln!("round {round} of {}", args.rounds);
        let (mut took, mut overlays) = (Round::default(), Duration::ZERO);
        for turn in bench::turns(round - 1) {
            match turn {
                Turn::Run => {
                    let run = bench::cc_ci_run(&program, &what).await?;
                    peak = peak.max(run.peak_bytes);
                    (took.run, overlays) = (run.total, run.overlays);
                }
                Turn::Floor => took.floor = bench::floor(&swarm, &http, &trees, &url).await?,
                Turn::Script => took.script = bench::plain(&args.plain, &trees, &url, &resolve, &ca).await?,
            }
        }
        // The recipe's own tests are part of a run, and no floor can be quicker at them.
        rounds.push(Round { floor: took.floor + overlays, script: took.script + overlays, ..took });
        if args.gate && bench::are_decided(&rounds, args.rounds.get() as usize, bench::GATE) {
            break;
        }
    }
    if args.gate {
        let figures = bench::ratios(&rounds, bench::GATE);
        print_table(args, &figures);
        return Ok(if figures.iter().all(|figure| figure.met) { Exit::Passed } else { Exit::Test });
    }
    let reaction = bench::reaction_ms(&swarm, &args.image, 11, scratch.path()).await?;
    let teardown = bench::teardown_ms(&swarm, &args.image, 5, scratch.path()).await?;
    let plan = bench::plan_ms(&program, &what).await?;
    let mut figures = bench::ratios(&rounds, bench::WANTED);
    figures.extend([
        Figure::new("healthy event to next step, median", format!("{reaction:.1} ms"), "under 50 ms", reaction < 50.0),
        Figure::new(
            "teardown, SIGTERM ignored, median",
            format!("{teardown:.0} ms"),
            "under 1500 ms",
            teardown < 1500.0,
        ),
        memory(peak),
        planning(plan),
    ]);
    print_table(args, &figures);
    Ok(Exit::Passed)
}

/// The program of that name beside this one.
fn neighbour(name: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(|error| Failure::new(Kind::Bug, error.to_string(), "this program"))?;
    Ok(own.with_file_name(name))
}

fn memory(bytes: u64) -> Figure {
    let mb = bytes as f64 / 1e6;
    Figure::new("cc-ci's own memory, peak", format!("{mb:.1} MB"), "under 45 MB", mb > 0.0 && mb < 45.0)
}

fn planning(ms: f64) -> Figure {
    Figure::new("cc-ci plan, median", format!("{ms:.1} ms"), "under 30 ms", ms < 30.0)
}

/// The recipe whose repository it is, by the folder's name.
fn recipe_of(source: &Path) -> Result<RecipeName, Failure> {
    let path = std::path::absolute(source).unwrap_or_else(|_| source.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.parse().map_err(|error| {
        Failure::new(Kind::Usage, format!("{}: {error}", path.display()), "--source: a folder with a recipe's name")
    })
}

/// What the stages of a recipe take that needs more than a floor knows of, such as a provider of logins.
async fn stages(program: &Path, args: &Args, what: &[String], recipe: &RecipeName) -> Result<Vec<Figure>, Failure> {
    let mut runs = Vec::new();
    for round in 1..=args.rounds.get() {
        eprintln!("round {round} of {}", args.rounds);
        runs.push(bench::cc_ci_run(program, what).await?);
    }
    let median =
        |of: &dyn Fn(&bench::CcCiRun) -> Duration| bench::seconds(bench::median(runs.iter().map(of).collect()));
    let line = |what: &str, measured: String| Figure::new(what, measured, "(measured)", true);
    let mut figures = vec![line(&format!("{recipe}, all stages, median"), median(&|run| run.total))];
    for stage in Stage::ALL {
        let took = |run: &bench::CcCiRun| {
            run.stages.iter().find(|(of, _)| *of == stage).map_or(Duration::ZERO, |(_, took)| *took)
        };
        if runs.iter().any(|run| took(run) > Duration::ZERO) {
            figures.push(line(&format!("  {stage}"), median(&took)));
        }
    }
    figures.push(line("  of these, the recipe's own tests", median(&|run| run.overlays)));
    figures.push(memory(runs.iter().map(|run| run.peak_bytes).max().unwrap_or(0)));
    figures.push(planning(bench::plan_ms(program, what).await?));
    Ok(figures)
}

fn print_table(args: &Args, figures: &[Figure]) {
    if args.json {
        println!("{:#}", serde_json::json!(figures));
    } else {
        print!("{}", bench::render(figures));
    }
}

async fn fleet(program: &Path, args: &Args, source: &Path, scratch: &Path) -> Result<Exit, Failure> {
    let beside = source.parent().unwrap_or(source);
    let recipes: Vec<_> = args.fleet.iter().map(|recipe| (recipe.clone(), beside.join(recipe.as_str()))).collect();
    let caps = match args.fleet_caps[..] {
        [tests, apps] => (usize::from(tests), usize::from(apps)),
        _ => (3, 5),
    };
    let seen = bench::fleet(program, &recipes, caps, scratch).await?;
    if args.json {
        println!("{:#}", serde_json::json!(seen));
        return Ok(Exit::Passed);
    }
    let seconds = |ms: u64| ms as f64 / 1_000.0;
    for run in &seen.runs {
        let (waited, held) = (seconds(run.waited_ms), seconds(run.held_ms));
        println!("  {:<16} {} apps  waited {waited:>6.1} s  held its slot {held:>6.1} s", run.recipe, run.apps);
    }
    let (took, best) = (seconds(seen.took_ms), seconds(seen.best_ms));
    println!("{} runs in {took:.1} s; in the best order {best:.1} s: {:.2} of it", seen.runs.len(), took / best);
    Ok(Exit::Passed)
}
