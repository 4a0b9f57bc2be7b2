//! `cc-ci up` and `cc-ci down`.

use base::failure::Failure;
use host::say;

use host::settings::Settings;
use host::world::{self, WorldStep};
use journal::exit::Exit;

pub(super) const UP: &str = concat!(
    "Examples:\n",
    "  cc-ci up          for apps below ci.localhost, on this machine alone\n",
    "  cc-ci up --base-domain ci.test --address 192.0.2.7\n",
);

pub(super) const DOWN: &str =
    "Examples:\n  cc-ci down  the networks, traefik and the backup bot go; what was there before stays\n";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn up(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    world::up(settings, &mut |step| told(step, args.json)).await?;
    Ok(Exit::Passed)
}

pub(super) async fn down(_: &Settings, args: &Args) -> Result<Exit, Failure> {
    world::down(&mut |step| told(step, args.json)).await?;
    Ok(Exit::Passed)
}

fn told(step: &WorldStep, json: bool) {
    if json {
        say!("{}", serde_json::json!(step));
    } else {
        say!("{:<34} {} ({:.1} s)", step.name, step.done.words(), step.took_ms as f64 / 1000.0);
    }
}
