//! `cc-ci reap`: finishes the teardown of runs that were killed.

use host::say;
use std::time::Duration;

use base::failure::Failure;
use base::names::{RecipeName, RunId};
use jiff::Timestamp;
use swarm::Swarm;

use slots::Scan;

use super::run::runner_of;
use engine::keep::clock;
use host::guard;
use host::janitor::{Janitor, Reaping};
use host::settings::Settings;
use host::world;
use journal::exit::Exit;
use journal::number::number;
use plan::kept;

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci reap                             finish what killed runs have left\n",
    "  cc-ci reap --kept n8n                  let a kept app go\n",
    "  cc-ci reap --run 20261121-091403-kxqv  end the app of one run\n",
))]
pub(super) struct Args {
    /// End this run's app now, also one that is kept
    #[arg(long, value_name = "RUN")]
    run: Option<RunId>,
    /// End the app of this recipe that is kept on this machine
    #[arg(long, value_name = "RECIPE", conflicts_with = "run")]
    kept: Option<RecipeName>,
    /// With --run: wait until the app has been kept as long as was asked for
    #[arg(long, requires = "run", hide = true)]
    when_due: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Seconds that the teardown of one run may take
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = number)]
    limit: u64,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let swarm = Swarm::connect().await?;
    let runner = runner_of(settings)?;
    let http = world::http(settings)?;
    let janitor = Janitor::new(&swarm, &http, &runner, Duration::from_secs(args.limit));
    let run = match &args.kept {
        Some(recipe) => Some(kept::find(&swarm, &runner.state, recipe).await?.started.run),
        None => args.run.clone(),
    };
    let done = match &run {
        Some(run) => janitor.reap_run(run, args.when_due).await?,
        None => janitor.reap(Scan::Long).await?,
    };
    if args.json {
        say!("{:#}", serde_json::json!(done));
    } else if done.is_empty() {
        let whose =
            args.run.as_ref().map_or_else(|| "every run".to_owned(), |run| format!("run {run} is not there, or"));
        say!("nothing to reap: {whose} holds nothing on this swarm");
    } else {
        for one in &done {
            let what = match &one.what {
                Reaping::Alive => "lives: not touched".to_owned(),
                Reaping::Kept(until) => format!("kept until {}: not touched", clock(*until)),
                Reaping::InUse(run) => format!("kept, and run {run} uses it: not touched"),
                Reaping::Removed => "its owner is gone: everything of it was removed".to_owned(),
                Reaping::Left(objects) => format!("its owner is gone; still there: {}", objects.join(", ")),
                Reaping::Failed(why) => format!("its owner is gone; it could not be removed: {why}"),
            };
            say!("{} ({}): {what}", one.run, one.stack);
        }
    }
    // A look at one run is no time to tidy up.
    if run.is_none() {
        let gone = guard::prune(&swarm, &runner.state, guard::Until::Unused(settings.guards.images_unused)).await?;
        if !args.json {
            gone.iter().for_each(|one| say!("image {}: not used since {}, it went", one.image, day(one.used)));
        }
    }
    let clean = done
        .iter()
        .all(|one| matches!(one.what, Reaping::Alive | Reaping::Kept(_) | Reaping::InUse(_) | Reaping::Removed));
    Ok(if clean { Exit::Passed } else { Exit::Infrastructure })
}

/// A day in UTC.
fn day(second: i64) -> String {
    Timestamp::from_second(second).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}
