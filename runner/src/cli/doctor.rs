//! `cc-ci doctor`.

use harness::failure::Failure;

use crate::doctor::{Level, doctor, render};
use crate::drone::DroneArgs;
use crate::exit::Exit;
use crate::forge::ForgeArgs;
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The settings of `cc-ci serve`: those of a Drone belong to a forge's.
    #[command(flatten)]
    _forge: ForgeArgs,
    #[command(flatten)]
    drone: DroneArgs,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let findings = doctor(settings, &args.drone).await;
    if args.json {
        say!("{:#}", serde_json::json!(findings));
    } else {
        crate::screen::text(render(&findings));
    }
    let bad = findings.iter().any(|finding| finding.level == Level::Bad);
    Ok(if bad { Exit::Infrastructure } else { Exit::Passed })
}
