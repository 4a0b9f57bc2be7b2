//! `cc-ci lint`: the whole contract of a recipe's folder, without a deploy.

mod bash;
mod folder;
mod health;
mod parity;
mod repository;
mod rule;
mod runs;
mod weak;

use std::path::Path;

use futures_util::StreamExt;
use overlay::inspect;
use serde::Serialize;

use crate::recipe_toml;
pub use bash::{Script, syntax};
pub use folder::{Folder, ReadError};
pub use parity::{quoted, row};
pub use repository::{NO_YAML, Unparsed, shell};
pub use rule::Rule;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file, as a person would open it.
    pub file: String,
    /// The line, where it is known.
    pub line: Option<usize>,
    /// The rule that it breaks.
    pub rule: Rule,
    /// What is wrong, and what to do.
    pub text: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        write!(f, "{}{line}: {}: {}", self.file, self.rule.code(), self.text)
    }
}

/// Files that are looked at at once.
const MANY: usize = 4;

/// Everything that is wrong with a recipe's folder, in the order of its files.
///
/// # Errors
/// When the folder cannot be read.
pub async fn lint(path: &Path) -> Result<Vec<Finding>, ReadError> {
    let folder = Folder::read(path)?;
    let mut findings = Vec::new();
    let toml = match recipe_toml::read(path) {
        Ok(toml) => toml,
        Err(error) => {
            findings.push(folder.finding("recipe.toml", None, Rule::Schema, error.to_string()));
            recipe_toml::RecipeToml::default()
        }
    };
    findings.extend(runs::what_never_runs(&folder));
    findings.extend(runs::without_a_redeploy(&folder, &toml));
    findings.extend(parity::check(&folder, &toml));
    findings.extend(weak::check(&folder));
    findings.extend(health::check(&folder, &toml));
    // A shell is started for each script.
    let files: Vec<_> = folder.tests().into_iter().chain(folder.install_steps()).collect();
    let inspected = futures_util::stream::iter(&files).map(inspect).buffered(MANY).collect::<Vec<_>>().await;
    for (file, result) in files.iter().zip(inspected) {
        if let Some(result) = result {
            let (line, text) = folder::split_line(&result.text, &file.name);
            findings.push(folder.finding(&file.name, line, Rule::CannotRun, text));
        }
    }
    let helpers: Vec<Script> = folder.helper_scripts();
    for (script, said) in syntax(&helpers) {
        findings.push(folder.finding(&script, said.line, Rule::ShellSyntax, said.text));
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

#[cfg(test)]
mod tests;
