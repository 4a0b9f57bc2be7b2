//! `cc-ci new`: writes a recipe's folder that already runs.

use base::failure::{Failure, Kind};
use host::{note, say};

use super::target::What;
use host::settings::Settings;
use journal::exit::Exit;
use journal::selection::Selection;
use plan::prepared::Prepared;
use plan::revision::{compose_of, sample_of};
use plan::spec::Request;
use recipe_folder::folder::folder_of;
use recipe_folder::scaffold::{NewFile, files, seen, write};

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci new n8n                                                  from the maintainers' repository\n",
    "  cc-ci new notes --source ../notes                              from a folder of this machine\n",
    "  cc-ci new notes --source https://git.example.org/me/notes.git  from any repository, which recipe.toml then names\n",
))]
pub(super) struct Args {
    #[command(flatten)]
    what: What,
}

pub(super) fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let recipe = &args.what.recipe;
    let folder = folder_of(&settings.recipes, recipe);
    if std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::new(
            Kind::Usage,
            format!("{} is there already", folder.display()),
            "it is not overwritten: change it by hand, or move it away first",
        ));
    }
    let request = args.what.request(settings)?;
    if let Some(left_out) = What::left_out(&request) {
        note!("{left_out}");
    }
    // A folder of this machine means nothing to others.
    let files = scaffold(settings, &request, args.what.source_url())?;
    for file in &files {
        write(&folder, file)?;
        say!("{}", folder.join(&file.path).display());
    }
    let source = request.source;
    say!("\nnext:");
    let next = [
        (format!("cc-ci run {recipe} --source {source} --keep"), "everything but the test to fill in is green"),
        (format!("cc-ci run {recipe} --kept"), "after each change, in a second"),
        (format!("cc-ci lint {recipe}"), "what is still missing"),
    ];
    let width = next.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    next.iter().for_each(|(command, what)| say!("  {command:<width$}   # {what}"));
    Ok(Exit::Passed)
}

/// The files of a recipe's folder, by what its repository shows. `source` is an address to write down.
pub(super) fn scaffold(settings: &Settings, request: &Request, source: Option<&str>) -> Result<Vec<NewFile>, Failure> {
    let scratch =
        tempfile::tempdir().map_err(|error| Failure::disk("make a folder in", &std::env::temp_dir(), &error))?;
    let prepared = Prepared::to_look_at(settings, request, &Selection::default(), &scratch.path().join("recipe"))?;
    let head = prepared.spec.head.to_string();
    let sample = sample_of(&prepared.checkout, &head)?;
    let compose = compose_of(&prepared.checkout, &head, &sample, prepared.spec.stack.as_str())?;
    Ok(files(&request.recipe, source, &seen(&compose, &sample)))
}
