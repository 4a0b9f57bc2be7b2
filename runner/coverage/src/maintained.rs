//! The maintained recipes, from a committed list: one without a folder is shown as missing instead of being absent.

use base::failure::{Failure, Kind};
use base::names::RecipeName;

use super::{Case, Cell, CellState, Feature, Promise, RecipeCoverage, standing};
use host::settings::Settings;
use recipe_folder::folder::all_recipes;

/// The list's name in the recipes' folder: one name a line, with `#` for comments.
const LIST: &str = "maintained.txt";

/// Every recipe with a folder, and those in the list, by name.
///
/// # Errors
/// The folder of the recipes or the list cannot be read.
pub fn all_and_maintained(settings: &Settings) -> Result<Vec<RecipeName>, Failure> {
    let path = settings.recipes.join(LIST);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|error| Failure::disk("read", &path, &error))?,
    };
    let mut names = all_recipes(&settings.recipes)?;
    for line in text.lines() {
        let name = line.split('#').next().unwrap_or_default().trim();
        if !name.is_empty() {
            names.push(name.parse().map_err(|error| {
                Failure::new(Kind::CheckBroken, format!("{}: {error}", path.display()), "a name of a recipe a line")
            })?);
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

impl RecipeCoverage {
    /// The row of a recipe without a folder.
    pub(super) fn unwritten(recipe: &RecipeName, now: jiff::Timestamp) -> Self {
        let why = format!("it has no folder; `cc-ci new {recipe}` writes one");
        let cells = Feature::ALL.map(|feature| Cell::new(feature, CellState::Missing, why.as_str())).into();
        let case = Case { promise: &Promise::default(), runs: &[], repository: None, now };
        Self { recipe: recipe.clone(), cells, standing: standing::standing(&case), runs: 0 }
    }

    /// The common reason why all of its cells are missing, if there is one.
    pub(super) fn nothing_at_all(&self) -> Option<&str> {
        let why = self.cells.first()?.why.as_str();
        self.cells.iter().all(|cell| cell.state == CellState::Missing && cell.why == why).then_some(why)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        settings: Settings,
    }

    #[test]
    fn a_maintained_recipe_without_a_folder_has_a_row() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Cli::parse_from(["cc-ci", "--recipes", dir.path().to_str().unwrap()]).settings;
        std::fs::create_dir(dir.path().join("ghost")).unwrap();
        std::fs::write(dir.path().join("ghost/recipe.toml"), "").unwrap();
        let names =
            || all_and_maintained(&settings).map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names().unwrap(), ["ghost"]);
        std::fs::write(dir.path().join(LIST), "# all\nimmich  # heavy\n\nghost\n").unwrap();
        assert_eq!(names().unwrap(), ["ghost", "immich"]);
        let row = RecipeCoverage::unwritten(&"immich".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
        assert!(row.cells.iter().all(|cell| cell.state == CellState::Missing && cell.why.contains("cc-ci new immich")));
        std::fs::write(dir.path().join(LIST), "--all\n").unwrap();
        assert!(names().unwrap_err().what.contains("maintained.txt"));
    }

    #[test]
    fn the_committed_list_has_the_twenty_one() {
        let list = include_str!("../../../recipes/maintained.txt");
        let names: Vec<&str> = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert_eq!(names.len(), 21);
        assert!(names.is_sorted(), "{names:?}");
    }
}
