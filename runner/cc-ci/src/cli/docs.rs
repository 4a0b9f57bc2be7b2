//! `cc-ci docs`: what of the docs is generated from the code, and the systemd unit.

use host::note;
use host::screen::text;
use journal::exit::Exit;

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci docs > docs/reference.md                       the tables of settings, stages, failures and rules\n",
    "  cc-ci docs unit > /etc/systemd/system/cc-ci.service  the systemd unit of `cc-ci serve`\n",
))]
pub(super) struct Args {
    /// What to print
    #[arg(value_enum, default_value_t = What::Reference)]
    what: What,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// docs/reference.md
    Reference,
    /// docs/verdicts.md
    Verdicts,
    /// docs/recipes.md, from the folders recipes/ and testbed/ below this one
    Recipes,
    /// docs/recipe.schema.json
    Schema,
    /// docs/deps.schema.json
    DepsSchema,
    /// The systemd unit of `cc-ci serve`
    Unit,
}

pub(super) fn run(args: &Args) -> Exit {
    match args.what {
        What::Reference => text(crate::reference::reference()),
        What::Verdicts => text(crate::verdicts::page()),
        What::Recipes => match crate::recipes_page::page("recipes".as_ref(), "testbed/wave.json".as_ref()) {
            Ok(page) => text(page),
            Err(error) => {
                note!("recipes/ or testbed/wave.json cannot be read: {error}; run this in cc-ci's own repository");
                return Exit::Usage;
            }
        },
        What::Schema => text(recipe_folder::recipe_toml::schema()),
        What::Unit => text(crate::serve::UNIT),
        What::DepsSchema => text(harness::deps::schema()),
    }
    Exit::Passed
}
