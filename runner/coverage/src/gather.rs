//! Builds the matrix from folders, repositories and runs.

use std::path::Path;

use base::failure::{Failure, Kind};
use base::names::RecipeName;
use jiff::Timestamp;

use super::{Case, Coverage, Evidence, Promise, RecipeCoverage, Repository};
use host::settings::Settings;
use recipe_folder::folder::{folder_of, read_toml};

/// The matrix of these recipes. `runs` are newest first, with the errors of unreadable ones; with `fetch`, repositories
/// that are not on this machine are cloned.
///
/// # Errors
/// A recipe has no folder, or it cannot be read. An unreachable repository is a remark.
pub fn gather(
    settings: &Settings,
    names: &[RecipeName],
    (runs, mut remarks): (&[Evidence], Vec<String>),
    fetch: bool,
    now: Timestamp,
) -> Result<Coverage, Failure> {
    let scratch =
        tempfile::tempdir().map_err(|error| Failure::disk("make a folder in", &std::env::temp_dir(), &error))?;
    let mut recipes = Vec::new();
    for recipe in names {
        if !folder_of(&settings.recipes, recipe).is_dir() {
            recipes.push(RecipeCoverage::unwritten(recipe, now));
            continue;
        }
        let promise = Promise::read(&folder_of(&settings.recipes, recipe))
            .map_err(|error| Failure::new(Kind::Usage, error.to_string(), "the name, and --recipes"))?;
        let repository = match repository(settings, recipe, fetch, &scratch.path().join(recipe.as_str())) {
            Ok(repository) => repository,
            Err(failure) => {
                remarks.push(format!("{recipe}: {}", failure.what));
                None
            }
        };
        let runs: Vec<&Evidence> = runs.iter().filter(|run| run.recipe == *recipe).collect();
        let case = Case { promise: &promise, runs: &runs, repository: repository.as_ref(), now };
        recipes.push(RecipeCoverage::of(recipe, &case));
    }
    Ok(Coverage { at: now, recipes, remarks })
}

/// A recipe's repository; `None` if it is not on this machine and `fetch` is not set.
fn repository(
    settings: &Settings,
    recipe: &RecipeName,
    fetch: bool,
    scratch: &Path,
) -> Result<Option<Repository>, Failure> {
    let declared = read_toml(&settings.recipes, recipe)?.source;
    let source = declared.unwrap_or_else(|| settings.source_of(recipe));
    match fetch || Path::new(&source).is_dir() {
        true => Repository::read(&source, scratch, settings.git_access()?).map(Some),
        false => Ok(None),
    }
}
