//! Folders of recipes: where they are, which there are, and what their `recipe.toml` says.

use std::path::{Path, PathBuf};

use base::failure::{Failure, Kind};
use base::names::RecipeName;

use crate::recipe_toml::shown::nearest;
use crate::recipe_toml::{self, RecipeToml};
use journal::test_folders::FOLDERS;

/// The folder of a recipe in cc-ci's own tree.
pub fn folder_of(recipes: &Path, recipe: &RecipeName) -> PathBuf {
    let path = recipes.join(recipe.as_str());
    std::path::absolute(&path).unwrap_or(path)
}

/// Every folder that looks like a recipe's, by name.
///
/// # Errors
/// The folder of recipes cannot be read.
pub fn all_recipes(recipes: &Path) -> Result<Vec<RecipeName>, Failure> {
    let failed = |error: std::io::Error| {
        let what = format!("{} cannot be read: {error}", recipes.display());
        Failure::new(Kind::Usage, what, "--recipes (CCCI_RECIPES)")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(recipes).map_err(failed)? {
        let Ok(name) = entry.map_err(failed)?.file_name().to_string_lossy().parse::<RecipeName>() else { continue };
        let folder = folder_of(recipes, &name);
        let has = |name: &str| folder.join(name).exists();
        if has("recipe.toml") || has("PARITY.md") || FOLDERS.iter().any(|name| has(name)) || has("data") {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// The recipes that are asked for, each with a folder; all that have one where none is named.
///
/// # Errors
/// One has no folder, or the folder of recipes cannot be read.
pub fn chosen_recipes(recipes: &Path, names: &[RecipeName]) -> Result<Vec<RecipeName>, Failure> {
    if names.is_empty() {
        return all_recipes(recipes);
    }
    if let Some(name) = names.iter().find(|name| !folder_of(recipes, name).is_dir()) {
        let known = all_recipes(recipes)?;
        let meant = nearest(name.as_str(), known.iter().map(RecipeName::as_str));
        let what = format!("{name} has no folder in {}{meant}", recipes.display());
        return Err(Failure::new(Kind::Usage, what, "the name, and --recipes (CCCI_RECIPES)"));
    }
    Ok(names.to_vec())
}

/// The recipe's `recipe.toml`.
///
/// # Errors
/// [`Kind::CheckBroken`] when it is not valid.
pub fn read_toml(recipes: &Path, recipe: &RecipeName) -> Result<RecipeToml, Failure> {
    recipe_toml::read(&folder_of(recipes, recipe)).map_err(|error| {
        Failure::new(Kind::CheckBroken, error.to_string(), "docs/enroll-recipe.md, which has every key")
    })
}
