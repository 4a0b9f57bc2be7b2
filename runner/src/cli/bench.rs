//! `cc-ci bench`: prints the table of figures.

use std::path::PathBuf;

use harness::failure::{Failure, Kind};
use harness::http::{Http, HttpConfig};
use harness::swarm::Swarm;

use crate::bench::{self, Figure, Trees};
use crate::exit::Exit;
use crate::settings::Settings;
use crate::world::local_ca;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Repository of custom-html that is measured
    #[arg(long, value_name = "FOLDER")]
    source: PathBuf,
    /// The plain shell script to compare with
    #[arg(long, value_name = "FILE", default_value = "testbed/bench/plain.sh")]
    plain: PathBuf,
    /// A small image with busybox, for the reaction and the teardown
    #[arg(long, value_name = "IMAGE", default_value = "testbed.invalid/busybox:1")]
    image: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::new(Kind::Bug, error.to_string(), ""))?;
    let scratch =
        tempfile::tempdir().map_err(|error| crate::deploy::disk("make a folder in", &std::env::temp_dir(), &error))?;
    let swarm = Swarm::connect().await?;
    let source = args.source.to_string_lossy().into_owned();
    let what: Vec<String> = ["custom-html", "--source", &source, "--pr", "1"].map(str::to_owned).into();

    // The first run warms caches and gives the compose files; the second is measured beside the floor.
    bench::cc_ci_run(&program, &what).await?;
    let run = bench::cc_ci_run(&program, &what).await?;
    let trees = Trees::lay_out(&source, &run, scratch.path())?;
    let ca = local_ca(&settings.state_dir()?, settings);
    let http = Http::new(&HttpConfig {
        ca_pem: ca.as_ref().and_then(|path| std::fs::read(path).ok()),
        resolve: settings.fixed_address().map(|address| (settings.base_domain.to_string(), address)),
    })?;
    let port = if settings.https_port == 443 { String::new() } else { format!(":{}", settings.https_port) };
    let url = format!("https://{}{port}/", trees.domain);
    let floor = bench::floor(&swarm, &http, &trees, &url).await? + run.overlays;
    let resolve =
        settings.fixed_address().map(|ip| format!("{}:{}:{ip}", trees.domain, settings.https_port)).unwrap_or_default();
    let ca =
        ca.map(|path| path.display().to_string()).unwrap_or_else(|| "/etc/ssl/certs/ca-certificates.crt".to_owned());
    let plain = bench::plain(&args.plain, &trees, &url, &resolve, &ca).await? + run.overlays;

    let over = (run.total.as_secs_f64() / floor.as_secs_f64() - 1.0) * 100.0;
    let faster = plain.as_secs_f64() / run.total.as_secs_f64();
    let reaction = bench::reaction_ms(&swarm, &args.image, 11, scratch.path()).await?;
    let teardown = bench::teardown_ms(&swarm, &args.image, 5, scratch.path()).await?;
    let plan = bench::plan_ms(&program, &what).await?;
    let peak = run.peak_bytes as f64 / 1e6;
    let figure = |what: &str, measured: String, wanted: &str, met: bool| Figure {
        what: what.to_owned(),
        wanted: wanted.to_owned(),
        measured,
        met,
    };
    let seconds = |time: std::time::Duration| format!("{:.2} s", time.as_secs_f64());
    let figures = [
        figure(
            "custom-html, all stages",
            format!("{} (+{over:.1} %)", seconds(run.total)),
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
    if args.json {
        println!("{:#}", serde_json::json!(figures));
    } else {
        print!("{}", bench::render(&figures));
    }
    Ok(Exit::Passed)
}
