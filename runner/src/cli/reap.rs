//! `cc-ci reap`: finishes the teardown of runs that were killed.

use std::time::Duration;

use harness::failure::Failure;
use harness::swarm::Swarm;

use super::run::host_name;
use crate::exit::Exit;
use crate::reap::{Reaping, reap};
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Seconds that the teardown of one run may take
    #[arg(long, value_name = "S", default_value_t = 120)]
    limit: u64,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let swarm = Swarm::connect().await?;
    let done = reap(&swarm, &settings.state_dir()?, &host_name(), Duration::from_secs(args.limit)).await?;
    if args.json {
        println!("{:#}", serde_json::json!(done));
    } else if done.is_empty() {
        println!("nothing to reap: no run holds anything on this swarm");
    } else {
        for one in &done {
            let what = match &one.what {
                Reaping::Alive => "lives: not touched".to_owned(),
                Reaping::Removed => "its owner is gone: everything of it was removed".to_owned(),
                Reaping::Left(objects) => format!("its owner is gone; still there: {}", objects.join(", ")),
                Reaping::Failed(why) => format!("its owner is gone; it could not be removed: {why}"),
            };
            println!("{} ({}): {what}", one.run, one.stack);
        }
    }
    let clean = done.iter().all(|one| matches!(one.what, Reaping::Alive | Reaping::Removed));
    Ok(if clean { Exit::Passed } else { Exit::Infrastructure })
}
