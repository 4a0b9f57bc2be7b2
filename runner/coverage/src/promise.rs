//! The promises of a recipe's folder.

use std::collections::BTreeMap;
use std::path::Path;

use super::Feature;
use journal::event::Stage;
use recipe_folder::lint::{Folder, ReadError, quoted, row};
use recipe_folder::prints::{self, Prints};
use recipe_folder::recipe_toml::InjectedFault;
use recipe_folder::recipe_toml::{self, RecipeToml};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Promise {
    /// Its tests by their path, in running order, each with whether it logs in by a provider.
    pub tests: BTreeMap<String, bool>,
    /// Whether `data/` has seed, wipe and check.
    pub data: Option<String>,
    /// Whether the app is connected to a login provider.
    pub sso: bool,
    /// The enabled faults.
    pub faults: Vec<InjectedFault>,
    /// Opt-outs of checks and stages, with the reasons.
    pub opt_outs: BTreeMap<String, String>,
    /// What is unavailable, with the blockers.
    pub missing: BTreeMap<String, String>,
    /// The rows of PARITY.md, if the file exists.
    pub parity: Option<Vec<ParityRow>>,
    /// Fingerprints of its files.
    pub prints: Prints,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParityRow {
    /// The entry of the maintainers' corpus.
    pub corpus: String,
    /// The files of this folder that it names.
    pub files: Vec<String>,
}

/// An invalid folder.
#[derive(Debug, thiserror::Error)]
pub enum PromiseError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its recipe.toml is invalid.
    #[error(transparent)]
    Toml(#[from] recipe_toml::RecipeTomlError),
}

impl Promise {
    /// Reads a recipe's folder.
    ///
    /// # Errors
    /// It cannot be read, or its recipe.toml is invalid.
    pub fn read(path: &Path) -> Result<Self, PromiseError> {
        let folder = Folder::read(path)?;
        Ok(Self::of(&folder, &recipe_toml::read(path)?, prints::of_folder(path)))
    }

    /// The promises of a folder that was read.
    pub fn of(folder: &Folder, toml: &RecipeToml, prints: Prints) -> Self {
        let is_test = |name: &str| {
            let in_place =
                name.split_once('/').is_some_and(|(stage, file)| STAGES.contains(&stage) && !file.contains('/'));
            in_place && [".hurl", ".sh", ".rs"].iter().any(|ending| name.ends_with(ending))
        };
        let tests = folder.files.iter().filter(|(name, _)| is_test(name));
        let part = |part: &str| {
            let begin = format!("data/{part}.");
            folder.files.keys().find(|name| name.starts_with(&begin)).cloned()
        };
        let words = |(key, reason): (&str, &recipe_toml::Reason)| (key.to_owned(), reason.as_str().to_owned());
        Self {
            tests: tests.map(|(name, text)| (name.clone(), logs_in(name, text.as_deref()))).collect(),
            data: part("seed").and(part("wipe")).and(part("check")),
            sso: toml.sso.is_some(),
            faults: toml.injected(),
            opt_outs: toml.opt_out.iter().map(|(key, reason)| words((key.as_str(), reason))).collect(),
            missing: toml.missing.iter().map(|(key, reason)| words((key, reason))).collect(),
            parity: folder.files.get("PARITY.md").map(|text| rows(text.as_deref().unwrap_or_default())),
            prints,
        }
    }

    /// The tests that a feature promises, without those that only check its health.
    pub fn tests_of(&self, feature: Feature) -> Vec<&str> {
        let in_folder = |folders: &[&str]| -> Vec<&str> {
            let of = |name: &&String| name.split_once('/').is_some_and(|(folder, _)| folders.contains(&folder));
            self.tests.keys().filter(of).map(String::as_str).collect()
        };
        match feature {
            Feature::Install => in_folder(&["install"]),
            Feature::Upgrade => in_folder(&["upgrade"]).into_iter().chain(self.data.as_deref()).collect(),
            Feature::Backup => in_folder(&["backup"]).into_iter().chain(self.data.as_deref()).collect(),
            Feature::Fresh => Vec::new(),
            Feature::Faults => in_folder(&["reconfigure"]),
            Feature::Functional => in_folder(&["functional", "browser"]),
            Feature::Browser => in_folder(&["browser"]),
            Feature::Sso => self.tests.iter().filter(|(_, logs_in)| **logs_in).map(|(name, _)| name.as_str()).collect(),
            Feature::Parity | Feature::Proven => {
                in_folder(&["functional", "browser"]).into_iter().chain(self.data.as_deref()).collect()
            }
        }
    }

    /// The first check of a stage, or the stage, that the recipe opts out of, with the reason.
    pub fn opted_out(&self, stage: Stage) -> Option<(&str, &str)> {
        let of = |name: &str| name.split('.').next() == Some(stage.name());
        self.opt_outs.iter().find(|(name, _)| of(name)).map(|(name, reason)| (name.as_str(), reason.as_str()))
    }

    /// Whether a file exists; a folder exists if it contains something.
    pub fn has(&self, name: &str) -> bool {
        match name.ends_with('/') {
            true => self.prints.keys().any(|file| file.starts_with(name)),
            false => self.prints.contains_key(name),
        }
    }
}

/// The folders whose files are tests.
const STAGES: [&str; 6] = journal::test_folders::FOLDERS;

/// Whether a test uses the run's logins, by its name or its text.
fn logs_in(name: &str, text: Option<&str>) -> bool {
    let asks = ["CCCI_SSO_", "CCCI_DEPS_FILE", ".deps()"];
    let named = |word: &str| name.split(['/', '-', '_', '.']).any(|part| part == word);
    named("oidc") || named("sso") || text.is_some_and(|text| asks.iter().any(|word| text.contains(word)))
}

fn rows(text: &str) -> Vec<ParityRow> {
    let of = |(corpus, here): (&str, &str)| ParityRow {
        corpus: corpus.trim().to_owned(),
        files: quoted(here).into_iter().map(|(_, name)| name).filter(|name| is_path(name)).collect(),
    };
    text.lines().filter_map(row).map(of).collect()
}

/// Whether a text in backticks is a file of the folder.
fn is_path(name: &str) -> bool {
    name == "recipe.toml" || name.split_once('/').is_some_and(|(stage, _)| STAGES.contains(&stage) || stage == "data")
}
