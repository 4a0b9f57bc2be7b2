//! `app remove`: secrets, volumes, then the env file of an app that is undeployed.

use std::time::{Duration, Instant};

use swarm::Removal;

use crate::app::App;
use crate::docker::{connect, services};
use crate::fatal::{Done, fatal};
use crate::flags::Flags;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    domain: String,
    /// Ask nothing
    #[arg(short, long)]
    force: bool,
}

pub(crate) async fn run(args: Args, flags: Flags) -> Done {
    let app = App::open(&args.domain)?;
    let (swarm, docker) = connect().await?;
    if !services(&docker, &app.stack).await?.is_empty() {
        return fatal(format!("{} is still deployed; undeploy it first", app.domain));
    }
    if !args.force && !flags.no_input {
        return fatal("abra-lite asks nothing: give --no-input or --force to confirm");
    }
    let left = swarm.remove(&app.stack, Removal::Gentle, Instant::now() + Duration::from_secs(60)).await?;
    if let Some(object) = left.first() {
        return fatal(format!("{object} could not be removed"));
    }
    std::fs::remove_file(&app.file)?;
    eprintln!("INFO {} removed", app.domain);
    Ok(())
}
