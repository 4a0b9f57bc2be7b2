//! `cc-ci caps`: how much may live on this swarm at once, shown and changed. A run sets the caps of a swarm only where
//! there are none yet.

use host::say;
use std::num::{NonZeroU32, NonZeroU64};

use base::failure::Failure;
use slots::{Board as _, CapSettings, Caps};
use swarm::Swarm;

use host::queue::{caps, slots_of};
use host::settings::Settings;
use journal::exit::Exit;
use journal::number::{from_one, large_from_one};
use journal::text::count;

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci caps                                   what may live on the swarm at once\n",
    "  cc-ci caps --runs 4 --apps 8 --memory 16000  change it for all runners\n",
))]
pub(super) struct Args {
    /// Runs that may live on the swarm at once
    #[arg(long, value_name = "N", value_parser = from_one)]
    runs: Option<NonZeroU32>,
    /// Apps that all runs together may hold, dependencies and kept ones included
    #[arg(long, value_name = "N", value_parser = from_one)]
    apps: Option<NonZeroU32>,
    /// MiB that the apps of all runs together may take
    #[arg(long, value_name = "MIB", value_parser = large_from_one)]
    memory: Option<NonZeroU64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let swarm = Swarm::connect().await?;
    let slots = slots_of(&swarm, settings);
    let usual = caps(&swarm, settings).await?.over(None);
    let (tests, apps) = (args.runs.map(NonZeroU32::get), args.apps.map(NonZeroU32::get));
    let wish = CapSettings { tests, apps, mib: args.memory.map(NonZeroU64::get), usual };
    let (now, note) = if (wish.tests, wish.apps, wish.mib) == (None, None, None) {
        match slots.board().ledger().await? {
            Some(ledger) => (ledger.caps, ""),
            None => (usual, ", from the first run on: nothing is set on this swarm yet"),
        }
    } else {
        (slots.set_caps(wish).await?, "")
    };
    if args.json {
        say!("{:#}", serde_json::json!(now));
    } else {
        say!("{}{note}", words(&now));
    }
    Ok(Exit::Passed)
}

fn words(caps: &Caps) -> String {
    let count = |number: u32, what| count(usize::try_from(number).unwrap_or(usize::MAX), what);
    format!("at most {}, {} and {} MiB at once", count(caps.tests, "run"), count(caps.apps, "app"), caps.mib)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caps_are_told_in_a_line() {
        let caps = Caps { tests: 1, apps: 2, mib: 300 };
        assert_eq!(words(&caps), "at most 1 run, 2 apps and 300 MiB at once");
    }
}
