//! `cc-ci serve`: what a server does all the time.

use base::failure::Failure;
use host::say;

use super::run::runner_of;
use super::signals::stop_on_signals;
use crate::serve::{ServeSettings, serve};
use host::settings::Settings;
use journal::exit::Exit;

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci serve                                                                                             the pages, at http://127.0.0.1:8300\n",
    "  cc-ci serve --forge-url https://git.example.org --forge-owner coop --forge-token-file /etc/cc-ci/token  and answers to comments on pull requests\n",
))]
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
