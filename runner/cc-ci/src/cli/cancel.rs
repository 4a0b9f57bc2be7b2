//! `cc-ci cancel`: asks a run on this swarm to stop, wherever its process is.

use base::failure::{Failure, Kind};
use base::names::RunId;
use host::say;
use slots::Board;
use swarm::Swarm;

use super::run::runner_of;
use host::queue::slots_of;
use host::settings::Settings;
use journal::exit::Exit;

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci cancel 20261121-091403-kxqv  it tears its apps down and ends\n",
))]
pub(super) struct Args {
    /// The run, as `cc-ci status` names it
    run: RunId,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let swarm = Swarm::connect().await?;
    let slots = slots_of(&swarm, settings);
    let host = runner_of(settings)?.host;
    if slots.cancel(&args.run, &format!("cc-ci cancel on {host}")).await? {
        say!("{} stops: it tears everything down and says that it was cancelled", args.run);
        return Ok(Exit::Passed);
    }
    let held = slots.board().ledger().await?.and_then(|ledger| ledger.of(&args.run).cloned());
    let look_at = match held {
        Some(held) if held.kept => {
            format!("it has ended, and its app is kept: `cc-ci reap --run {}` ends that", args.run)
        }
        Some(_) => "its process is dead: `cc-ci reap` removes what it left".to_owned(),
        None => "`cc-ci status` lists the runs that hold a slot or wait for one".to_owned(),
    };
    Err(Failure::new(Kind::NotKept, format!("no run {} can be asked to stop", args.run), look_at))
}
