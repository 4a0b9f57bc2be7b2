//! `cc-ci serve`: what a server does all the time.

use harness::failure::Failure;

use super::run::runner_of;
use super::signals::stop_on_signals;
use crate::exit::Exit;
use crate::serve::{ServeSettings, serve};
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    serve: ServeSettings,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let stop = stop_on_signals()?;
    let runner = runner_of(settings)?;
    say!("cc-ci serve on {}: everything that dead runs left goes first", runner.host);
    serve(&runner, &args.serve, &stop).await?;
    Ok(Exit::Passed)
}
