//! `cc-ci up` and `cc-ci down`.

use harness::failure::Failure;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::world::{self, WorldStep};

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
