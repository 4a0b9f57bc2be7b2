//! `cc-ci coverage`: what the recipes' tests show, what they do not, and what only looks as if.

use host::{note, say};
use std::path::PathBuf;

use base::failure::{Failure, Kind};
use base::names::RecipeName;
use jiff::Timestamp;

use coverage::{all_and_maintained, baseline, gather, markdown, of_state, terminal, worse};
use host::settings::Settings;
use journal::exit::Exit;
use recipe_folder::folder::chosen_recipes;

/// The baseline's name in the recipes' folder.
const BASELINE: &str = "coverage.json";

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        cc-ci coverage                             the matrix of all recipes\n  \
        cc-ci coverage n8n --all                   one recipe, every cell with its reason\n  \
        cc-ci coverage --json > recipes/coverage.json\n  \
        cc-ci coverage --gate                      fails where a cell is worse than in that file\n")]
pub(super) struct Args {
    /// Recipes to look at [default: all]
    #[arg(value_name = "RECIPE")]
    names: Vec<RecipeName>,
    /// Tell the reason of every cell, also of the gating ones
    #[arg(long)]
    all: bool,
    /// Clone recipes' repositories that are not on this machine, to know their newest commit and release
    #[arg(long)]
    fetch: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown
    #[arg(long)]
    markdown: bool,
    /// Fail where a cell is worse than in a file that --json wrote [default file: coverage.json beside the recipes]
    #[arg(long, value_name = "BASELINE", num_args = 0..=1, require_equals = true)]
    gate: Option<Option<PathBuf>>,
}

pub(super) fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    // Read first: without it there is nothing to compare, however long the rest takes.
    let before = match &args.gate {
        None => None,
        Some(path) => {
            let path = path.clone().unwrap_or_else(|| settings.recipes.join(BASELINE));
            let read = baseline(&path).map_err(|error| {
                let look_at = "cc-ci coverage --json writes a baseline; --gate=FILE names another";
                Failure::new(Kind::Usage, error.to_string(), look_at)
            })?;
            Some(read)
        }
    };
    let (runs, remarks) = of_state(&settings.state_dir()?);
    let names = match args.names.is_empty() {
        true => all_and_maintained(settings)?,
        false => chosen_recipes(&settings.recipes, &args.names)?,
    };
    let now = gather(settings, &names, (&runs, remarks), args.fetch, Timestamp::now())?;
    if args.json {
        say!("{:#}", serde_json::json!(now));
    } else if args.markdown {
        host::screen::text(markdown(&now));
    } else {
        host::screen::text(terminal(&now, args.all));
    }
    let Some(before) = before else { return Ok(Exit::Passed) };
    let found = worse(&before, &now, &args.names);
    found.iter().for_each(|one| note!("worse: {one}"));
    if found.is_empty() { Ok(Exit::Passed) } else { Ok(Exit::Test) }
}
