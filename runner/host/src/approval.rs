//! The operator's list of recipes that may run their own code: a file with one name a line.

use std::collections::BTreeSet;
use std::path::Path;

use base::failure::{Failure, Kind};
use base::names::RecipeName;

use crate::settings::Settings;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approved(BTreeSet<RecipeName>);

/// An invalid line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text:?}: {why}")]
pub struct WrongLine {
    /// Counts from 1.
    pub line: usize,
    pub text: String,
    pub why: String,
}

impl Approved {
    /// Parses a list. `known` are the recipes with a folder: without this check, a typo would silently approve nothing.
    ///
    /// # Errors
    /// The first line that is not a known recipe's name.
    pub fn parse(text: &str, known: &BTreeSet<RecipeName>) -> Result<Self, WrongLine> {
        let mut approved = BTreeSet::new();
        for (n, line) in text.lines().enumerate() {
            let name = line.split('#').next().unwrap_or_default().trim();
            if name.is_empty() {
                continue;
            }
            let wrong = |why: String| WrongLine { line: n + 1, text: line.to_owned(), why };
            let name: RecipeName = name.parse().map_err(|error: base::names::NameError| wrong(error.why))?;
            if !known.contains(&name) {
                return Err(wrong(unknown(&name, known)));
            }
            approved.insert(name);
        }
        Ok(Self(approved))
    }

    /// Reads the file; without one nothing is approved. `recipes` is the folder with one folder per recipe.
    ///
    /// # Errors
    /// [`Kind::Usage`] with the line.
    pub fn read(file: Option<&Path>, recipes: &Path) -> Result<Self, Failure> {
        Self::read_as("approved recipes", "CCCI_APPROVED", file, recipes)
    }

    /// The same for the recipes whose images are pulled with the operator's login.
    ///
    /// # Errors
    /// As for [`Approved::read`].
    pub fn for_registry(file: Option<&Path>, recipes: &Path) -> Result<Self, Failure> {
        Self::read_as("recipes that have a login for registries", "CCCI_REGISTRY_RECIPES", file, recipes)
    }

    fn read_as(what: &str, variable: &str, file: Option<&Path>, recipes: &Path) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(Self::default()) };
        let wrong = |why: String| {
            Failure::new(
                Kind::Usage,
                format!("the list of {what} {} cannot be used: {why}", file.display()),
                format!("{variable} names a file with one recipe a line; # begins a comment"),
            )
        };
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text, &known_in(recipes)).map_err(|line| wrong(line.to_string()))
    }

    pub fn recipes(&self) -> impl Iterator<Item = &RecipeName> {
        self.0.iter()
    }

    /// Why code of a recipe's own repository does not run; `None` if the operator approved it.
    pub fn why_not(&self, settings: &Settings, recipe: &RecipeName) -> Option<String> {
        let list = match &settings.approved {
            _ if self.has(recipe) => return None,
            None => "no list of approved recipes is configured (CCCI_APPROVED)".to_owned(),
            Some(file) => format!("{recipe} is not in {} (CCCI_APPROVED)", file.display()),
        };
        Some(format!("no operator approved them: {list}"))
    }

    pub fn has(&self, recipe: &RecipeName) -> bool {
        self.0.contains(recipe)
    }
}

/// The recipes that have a folder.
fn known_in(recipes: &Path) -> BTreeSet<RecipeName> {
    let entries = std::fs::read_dir(recipes).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().to_string_lossy().parse().ok())
        .collect()
}

fn unknown(name: &RecipeName, known: &BTreeSet<RecipeName>) -> String {
    let near = known
        .iter()
        .map(|other| (strsim::damerau_levenshtein(name.as_str(), other.as_str()), other))
        .filter(|(distance, _)| *distance <= 3)
        .min();
    match near {
        Some((_, other)) => format!("cc-ci has no folder for this recipe; did you mean {other}?"),
        None => "cc-ci has no folder for this recipe".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known() -> BTreeSet<RecipeName> {
        ["custom-html", "n8n"].map(|name| name.parse().unwrap()).into()
    }

    #[test]
    fn a_list_has_names_and_comments() {
        let approved = Approved::parse("# reviewed in spring\n\n  custom-html  # by kim\nn8n\n", &known()).unwrap();
        assert!(approved.has(&"custom-html".parse().unwrap()) && approved.has(&"n8n".parse().unwrap()));
        assert!(!approved.has(&"ghost".parse().unwrap()));
        assert_eq!(Approved::parse("#custom-html\n", &known()), Ok(Approved::default()));
    }

    #[test]
    fn a_wrong_line_is_shown() {
        let said = |text: &str| Approved::parse(text, &known()).unwrap_err().to_string();
        assert!(said("n8n\nCustom_HTML\n").starts_with("line 2: \"Custom_HTML\": "), "{}", said("n8n\nCustom_HTML\n"));
        assert_eq!(
            said("custom-htm # x"),
            "line 1: \"custom-htm # x\": cc-ci has no folder for this recipe; did you mean custom-html?"
        );
        assert_eq!(said("*"), format!("line 1: \"*\": {}", "*".parse::<RecipeName>().unwrap_err().why));
        assert!(said("custom-html n8n").starts_with("line 1: "));
    }

    #[test]
    fn no_file_approves_nothing_and_a_lost_one_is_an_error() {
        assert_eq!(Approved::read(None, Path::new("recipes")).unwrap(), Approved::default());
        let failure = Approved::read(Some(Path::new("/nonexistent/approved")), Path::new("recipes")).unwrap_err();
        assert!(failure.what.contains("/nonexistent/approved"), "{failure}");
    }

    proptest! {
        /// Any file approves exactly the names in it.
        #[test]
        fn only_what_stands_there_is_approved(text in "([a-z0-9#\\- \n]|custom-html|n8n){0,12}") {
            if let Ok(approved) = Approved::parse(&text, &known()) {
                for name in known() {
                    let named = text.lines().any(|line| line.split('#').next().unwrap().trim() == name.as_str());
                    prop_assert_eq!(approved.has(&name), named);
                }
            }
        }
    }
}
