//! `recipe.toml`: what cc-ci's own folder for a recipe says. The types are the contract: each refuses
//! what it cannot mean, unknown keys are errors, and the JSON schema is made from them.

mod elements;
mod faults;
mod health;
mod injected_fault;
mod needs_file;
mod opt_out;
pub mod shown;
mod variant;

use std::collections::BTreeMap;
use std::path::Path;

use base::names::RecipeName;
use schemars::JsonSchema;
use serde::Deserialize;

pub use elements::{
    Health, MadeSecret, Provider, Reason, Rollback, Seconds, Sso, Status, Timeouts, Upgrade, UrlPath, Weight,
};
pub use faults::{Backup, Faults, Outage, Reconfigure, Recovery};
pub use health::{HealthHost, InARow, InService, OwnHost, TlsPort};
pub use injected_fault::InjectedFault;
pub use needs_file::{NeedsFile, blocked};
pub use opt_out::{OPTIONAL, OptionalCheck};
pub use variant::{Variant, VariantName};

/// The file's content. Everything has a default: a recipe without a folder gets the generic stages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "recipe.toml")]
pub struct RecipeToml {
    /// Where the recipe's repository is (folder or URL), when it is not the maintainers' Gitea.
    pub source: Option<String>,
    /// Recipes that the app needs to work: deployed before it, removed after it.
    #[schemars(with = "Vec<String>")]
    pub requires: Vec<RecipeName>,
    /// Recipes that only its tests need.
    #[schemars(with = "Vec<String>")]
    pub test_requires: Vec<RecipeName>,
    /// The provider of logins that the app is wired to.
    pub sso: Option<Sso>,
    /// What the app answers when it is well.
    #[serde(deserialize_with = "health::health")]
    pub health: Health,
    /// Seconds that each stage may take.
    pub timeouts: Timeouts,
    /// What the app holds while it lives.
    pub weight: Weight,
    /// Host ports that the recipe publishes itself: two runs that want the same one never run at once.
    pub host_ports: Vec<std::num::NonZeroU16>,
    /// The upgrade's start.
    pub upgrade: Upgrade,
    /// Says that the recipe supports the way back to the release before, over the same volumes: then it is tried.
    pub rollback: Option<Rollback>,
    /// What is tried of backups beside the backup of every run.
    pub backup: Backup,
    /// Other settings for a redeploy of the tested commit, which the tests in `reconfigure/` show.
    pub reconfigure: Option<Reconfigure>,
    /// Faults that the run makes on purpose. None is made that no table switches on.
    pub faults: Faults,
    /// Other compose files and settings that operators choose, by name: each gets an install and an upgrade of its own.
    pub variant: BTreeMap<VariantName, Variant>,
    /// Values to make for the secrets that the recipe marks `generate=false`.
    pub secrets: BTreeMap<String, MadeSecret>,
    /// Generic checks, or whole generic stages, that do not run, each with its reason.
    pub opt_out: BTreeMap<OptionalCheck, Reason>,
    /// Whether reports show what its browsers see at a green end, too. A picture cannot be cleaned of secrets:
    /// say yes when none of its tests ends on a page with one, or those that do say `test.no_picture()`.
    pub pictures: bool,
    /// Tests that need a file of the recipe's repository which not each form of the recipe has, by the file. Without it
    /// they are blocked, and not red.
    pub needs_file: BTreeMap<String, NeedsFile>,
    /// Tests that PARITY.md names and that cannot be had, each with the technical blocker.
    pub missing: BTreeMap<String, Reason>,
}

/// Why a recipe's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeTomlError {
    /// The file is there and cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path} is not valid: {message}")]
    Invalid {
        /// The file.
        path: String,
        /// Where and why; shows the line.
        message: String,
    },
}

/// Reads `recipe.toml` in a recipe's folder; the defaults where there is none.
///
/// # Errors
/// When the file is there and cannot be read or is not valid.
pub fn read(folder: &Path) -> Result<RecipeToml, RecipeTomlError> {
    let path = folder.join("recipe.toml");
    let invalid = |message: String| RecipeTomlError::Invalid { path: path.display().to_string(), message };
    match text_of(&path) {
        Ok(Some(text)) => parse(&text).map_err(invalid),
        Ok(None) => Err(invalid(format!("it is no text file of at most {LONGEST} bytes"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(RecipeToml::default()),
        Err(error) => Err(RecipeTomlError::Unreadable { path: path.display().to_string(), error }),
    }
}

/// No file is as long as this, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// The text of a file; none where it is something else, such as a pipe or a device that never ends.
fn text_of(path: &Path) -> std::io::Result<Option<String>> {
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() || meta.len() > LONGEST {
        return Ok(None);
    }
    Ok(String::from_utf8(std::fs::read(path)?).ok())
}

/// Reads the text of a `recipe.toml`.
///
/// # Errors
/// What is wrong with it, with the line and, for a mistyped key, the one that was probably meant.
pub fn parse(text: &str) -> Result<RecipeToml, String> {
    toml::from_str(text).map_err(|error| shown::shown(&error, text))
}

impl RecipeToml {
    /// The reason to leave a generic check out: its own, or that of its whole stage.
    pub fn opted_out(&self, check: &str) -> Option<&Reason> {
        let stage = check.split('.').next().unwrap_or_default();
        let of = |name: &str| self.opt_out.iter().find(|(key, _)| key.as_str() == name).map(|(_, reason)| reason);
        of(check).or_else(|| of(stage))
    }
}

/// The JSON schema of the file, for editors and for `docs/recipe.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(RecipeToml);
    format!("{:#}\n", schema.as_value())
}

#[cfg(test)]
mod tests;
