//! `cc-ci bench`: prints the table of figures.

use std::path::{Path, PathBuf};

use harness::failure::{Failure, Kind};
use harness::http::{Http, HttpConfig};
use harness::names::RecipeName;
use harness::swarm::Swarm;

use crate::bench::{self, Figure, Trees};
use crate::exit::Exit;
use crate::settings::Settings;
use crate::world::local_ca;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Repository of custom-html that is measured
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
    #[arg(long, value_name = "N", default_value = "100000", value_parser = crate::number::from_one)]
    runs: std::num::NonZeroU32,
    /// Measure a fleet of mixed runs in place of the rest, from the repositories beside that one
    #[arg(long, value_name = "RECIPE", value_delimiter = ',', num_args = 1..)]
    fleet: Vec<RecipeName>,
    /// Runs and apps that the fleet may hold at once
    #[arg(long, value_names = ["RUNS", "APPS"], num_args = 2, default_values_t = [3, 5], value_parser = crate::number::small)]
    fleet_caps: Vec<u16>,
    /// The plain shell script to compare with
    #[arg(long, value_name = "FILE", default_value = "testbed/bench/plain.sh")]
    plain: PathBuf,
    /// A small image with busybox, for the reaction and the teardown
    #[arg(long, value_name = "IMAGE", default_value = "testbed.invalid/busybox:1")]
    image: String,
    /// How often cc-ci, floor and script are measured, in turns
    #[arg(long, value_name = "N", default_value = "3", value_parser = crate::number::from_one)]
    rounds: std::num::NonZeroU32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    if let Some(state) = &args.history {
        std::fs::create_dir_all(state).map_err(|error| crate::deploy::disk("make", state, &error))?;
        let mut figures = bench::history(state, args.runs.get())?;
        if args.pages {
            let program =
                std::env::current_exe().map_err(|error| Failure::new(Kind::Bug, error.to_string(), "this program"))?;
            figures.extend(bench::pages(&program, state, args.runs.get()).await?);
        }
        print_table(args, &figures);
        return Ok(Exit::Passed);
    }
    let source = args.source.as_deref().unwrap_or(Path::new("."));
    let program = std::env::current_exe().map_err(|error| Failure::new(Kind::Bug, error.to_string(), ""))?;
    let scratch =
        tempfile::tempdir().map_err(|error| crate::deploy::disk("make a folder in", &std::env::temp_dir(), &error))?;
    if !args.fleet.is_empty() {
        return fleet(&program, args, source, scratch.path()).await;
    }
    let swarm = Swarm::connect().await?;
    let source = source.to_string_lossy().into_owned();
    let what: Vec<String> = ["custom-html", "--source", &source, "--pr", "1"].map(str::to_owned).into();

    // The first run warms caches and gives the compose files. The rounds are interleaved, so that a busy
    // moment of the machine falls on all three.
    let warm = bench::cc_ci_run(&program, &what).await?;
    let trees = Trees::lay_out(&source, &warm, scratch.path())?;
    let ca = local_ca(&settings.state_dir()?, settings);
    let http = Http::new(&HttpConfig {
        ca_pem: ca.as_ref().and_then(|path| std::fs::read(path).ok()),
        resolve: settings
            .fixed_address()
            .map(|address| (settings.base_domain.to_string(), address))
            .into_iter()
            .collect(),
    })?;
    let port = if settings.https_port == 443 { String::new() } else { format!(":{}", settings.https_port) };
    let url = format!("https://{}{port}/", trees.domain);
    let resolve =
        settings.fixed_address().map(|ip| format!("{}:{}:{ip}", trees.domain, settings.https_port)).unwrap_or_default();
    let ca =
        ca.map(|path| path.display().to_string()).unwrap_or_else(|| "/etc/ssl/certs/ca-certificates.crt".to_owned());
    let (mut totals, mut floors, mut plains, mut peak) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 1..=args.rounds.get() {
        note!("round {round} of {}", args.rounds);
        let run = bench::cc_ci_run(&program, &what).await?;
        totals.push(run.total);
        peak = peak.max(run.peak_bytes);
        // The recipe's own tests are part of a run, and no floor can be quicker at them.
        floors.push(bench::floor(&swarm, &http, &trees, &url).await? + run.overlays);
        plains.push(bench::plain(&args.plain, &trees, &url, &resolve, &ca).await? + run.overlays);
    }
    let (total, floor, plain) = (bench::median(totals), bench::median(floors), bench::median(plains));

    let over = (total.as_secs_f64() / floor.as_secs_f64() - 1.0) * 100.0;
    let faster = plain.as_secs_f64() / total.as_secs_f64();
    let reaction = bench::reaction_ms(&swarm, &args.image, 11, scratch.path()).await?;
    let teardown = bench::teardown_ms(&swarm, &args.image, 5, scratch.path()).await?;
    let plan = bench::plan_ms(&program, &what).await?;
    let peak = peak as f64 / 1e6;
    let figure = |what: &str, measured: String, wanted: &str, met: bool| Figure {
        what: what.to_owned(),
        wanted: wanted.to_owned(),
        measured,
        met,
    };
    let seconds = |time: std::time::Duration| format!("{:.2} s", time.as_secs_f64());
    let figures = [
        figure(
            "custom-html, all stages, median",
            format!("{} (+{over:.1} %)", seconds(total)),
            "at most 10 % over the floor",
            over <= 10.0,
        ),
        figure("  the floor, with the recipe's own tests", seconds(floor), "(measured beside it)", true),
        figure(
            "  a plain shell script",
            format!("{} ({faster:.2}x)", seconds(plain)),
            "at least 2x slower than cc-ci",
            faster >= 2.0,
        ),
        figure("healthy event to next step, median", format!("{reaction:.1} ms"), "under 50 ms", reaction < 50.0),
        figure("teardown, SIGTERM ignored, median", format!("{teardown:.0} ms"), "under 1500 ms", teardown < 1500.0),
        figure("cc-ci's own memory, peak", format!("{peak:.1} MB"), "under 60 MB", peak > 0.0 && peak < 60.0),
        figure("cc-ci plan, median", format!("{plan:.1} ms"), "under 50 ms", plan < 50.0),
    ];
    print_table(args, &figures);
    Ok(Exit::Passed)
}

fn print_table(args: &Args, figures: &[Figure]) {
    if args.json {
        say!("{:#}", serde_json::json!(figures));
    } else {
        crate::screen::text(bench::render(figures));
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
        say!("{:#}", serde_json::json!(seen));
        return Ok(Exit::Passed);
    }
    let seconds = |ms: u64| ms as f64 / 1_000.0;
    for run in &seen.runs {
        let (waited, held) = (seconds(run.waited_ms), seconds(run.held_ms));
        say!("  {:<16} {} apps  waited {waited:>6.1} s  held its slot {held:>6.1} s", run.recipe, run.apps);
    }
    let (took, best) = (seconds(seen.took_ms), seconds(seen.best_ms));
    say!("{} runs in {took:.1} s; in the best order {best:.1} s: {:.2} of it", seen.runs.len(), took / best);
    Ok(Exit::Passed)
}
