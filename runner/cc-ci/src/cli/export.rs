//! `cc-ci export`: everything that `cc-ci serve` shows, as files.

use host::say;
use std::path::PathBuf;

use base::failure::{Failure, Kind};
use url::Url;

use super::run::runner_of;
use history::{History, HistoryError};
use host::settings::Settings;
use journal::exit::Exit;
use journal::number::between;
use journal::text::count;
use web::{PageSettings, Site, export};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        cc-ci export public                        pages, badges and the feed, for any web server\n  \
        cc-ci export public --runs 5               the five newest runs of each recipe\n")]
pub(super) struct Args {
    /// Folder that is written; what is there and not written anew stays
    folder: PathBuf,
    /// Runs of each recipe
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = |text: &str| between(text, 1, 1000))]
    runs: u16,
    /// Where readers will find the files, for the feed and for badges
    #[arg(long, env = "CCCI_PUBLIC_URL", value_name = "URL", value_parser = host::address::url)]
    public_url: Option<Url>,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let runner = runner_of(settings)?;
    let history = opened(&runner.state)?;
    let shown = PageSettings { home: args.public_url.clone(), ..PageSettings::default() };
    let site = Site::new(&history, &runner, &shown)?;
    let done = export(&site, &args.folder, args.runs).await.map_err(|error| {
        Failure::new(Kind::StateUnusable, error.to_string(), "the folder that was named, and the disk it is on")
    })?;
    let (runs, recipes) = (count(done.runs, "run"), count(done.recipes, "recipe"));
    say!("{runs} of {recipes} written to {}", args.folder.display());
    Ok(Exit::Passed)
}

/// The history that `cc-ci serve` keeps; where none does, it is brought up to date here.
fn opened(state: &std::path::Path) -> Result<History, Failure> {
    let unusable =
        |error: HistoryError| Failure::new(Kind::StateUnusable, error.to_string(), "the state folder (CCCI_STATE)");
    match History::open(state) {
        Ok(history) => {
            history::catch_up(&history).map_err(unusable)?;
            Ok(history)
        }
        Err(HistoryError::Held(_)) => History::open_to_read(state).map_err(unusable),
        Err(error) => Err(unusable(error)),
    }
}
