//! `cc-ci new`: writes a recipe's folder that already runs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use harness::failure::{Failure, Kind};

use super::what::What;
use crate::deploy::{compose_of, disk, sample_of};
use crate::exit::Exit;
use crate::prepared::{Prepared, folder_of};
use crate::scaffold::{NewFile, files, seen};
use crate::selection::Selection;
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    what: What,
}

pub(super) fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let recipe = &args.what.recipe;
    let folder = folder_of(settings, recipe);
    if std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::new(
            Kind::CheckBroken,
            format!("{} is there already", folder.display()),
            "it is not overwritten: change it by hand, or move it away first",
        ));
    }
    let scratch = tempfile::tempdir().map_err(|error| disk("make a folder in", &std::env::temp_dir(), &error))?;
    let request = args.what.request(settings)?;
    let prepared = Prepared::to_look_at(settings, &request, &Selection::default(), &scratch.path().join("recipe"))?;
    let head = prepared.spec.head.to_string();
    let sample = sample_of(&prepared.checkout, &head)?;
    let compose = compose_of(&prepared.checkout, &head, &sample, prepared.spec.stack.as_str())?;
    // A folder of this machine means nothing to others.
    let source = args.what.source_url();
    let files = files(recipe, source, &seen(&compose, &sample));
    for file in &files {
        write(&folder, file)?;
        println!("{}", folder.join(&file.path).display());
    }
    let source = request.source;
    println!("\nnext:");
    println!("  cc-ci run {recipe} --source {source} --keep   # everything but the test to fill in is green");
    println!("  cc-ci run {recipe} --kept                     # after each change, in a second");
    println!("  cc-ci lint {recipe}                           # what is still missing");
    Ok(Exit::Passed)
}

fn write(folder: &Path, file: &NewFile) -> Result<(), Failure> {
    let path = folder.join(&file.path);
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(|error| disk("make", parent, &error))?;
    std::fs::write(&path, &file.text).map_err(|error| disk("write", &path, &error))?;
    let mode = if file.executable { 0o755 } else { 0o644 };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
        .map_err(|error| disk("change the rights of", &path, &error))
}
