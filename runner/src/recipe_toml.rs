//! `recipe.toml`: what cc-ci's own folder for a recipe says. Unknown keys are errors.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// The file's content. Everything has a default: a recipe without a folder gets the generic stages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecipeToml {
    /// Where the recipe's repository is, when it is not the maintainers' Gitea.
    pub source: Option<String>,
    /// What the app answers when it is well.
    pub health: Health,
    /// Seconds that each stage may take.
    pub timeouts: Timeouts,
    /// Values to make for the secrets that the recipe marks `generate=false`.
    pub secrets: BTreeMap<String, MadeSecret>,
    /// Generic checks that do not run, each with its reason.
    pub opt_out: BTreeMap<String, String>,
}

/// The request that only a healthy app answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// The path, from the root.
    pub path: String,
    /// The status codes that count.
    pub status: Vec<u16>,
    /// A text that the body must have.
    pub body: Option<String>,
}

impl Default for Health {
    fn default() -> Self {
        Self { path: "/".to_owned(), status: vec![200, 301, 302], body: None }
    }
}

/// Seconds that each stage may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Checkout, lint and images.
    pub prepare: u64,
    /// The base release until it answers.
    pub install: u64,
    /// The upgrade until it has settled.
    pub upgrade: u64,
    /// Seed, back up, wipe, restore.
    pub backup: u64,
    /// The tests of what the app is for.
    pub functional: u64,
    /// The head on empty volumes until it answers.
    pub fresh: u64,
    /// Until nothing is left.
    pub teardown: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { prepare: 900, install: 300, upgrade: 300, backup: 300, functional: 300, fresh: 300, teardown: 120 }
    }
}

/// How to make a secret's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeSecret {
    /// Letters and digits of it.
    pub length: usize,
}

/// The generic checks that a recipe may opt out of.
pub const OPTIONAL_CHECKS: &[&str] = &[
    "prepare.lint",
    "prepare.tags",
    "prepare.allowed",
    "install.answers",
    "upgrade.data",
    "upgrade.answers",
    "backup.markers",
    "fresh.answers",
];

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
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            parse(&text).map_err(|message| RecipeTomlError::Invalid { path: path.display().to_string(), message })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(RecipeToml::default()),
        Err(error) => Err(RecipeTomlError::Unreadable { path: path.display().to_string(), error }),
    }
}

fn parse(text: &str) -> Result<RecipeToml, String> {
    let parsed: RecipeToml = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    for (check, reason) in &parsed.opt_out {
        if !OPTIONAL_CHECKS.contains(&check.as_str()) {
            let near = OPTIONAL_CHECKS
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(check, a).total_cmp(&strsim::jaro_winkler(check, b)));
            return Err(format!(
                "[opt_out] knows no check {check:?}; did you mean {:?}?",
                near.copied().unwrap_or_default()
            ));
        }
        if reason.trim().is_empty() {
            return Err(format!("[opt_out] {check:?} has no reason: say why it cannot run"));
        }
    }
    if !parsed.health.path.starts_with('/') {
        return Err(format!("[health] path {:?} does not start with /", parsed.health.path));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_gives_the_defaults() {
        assert_eq!(parse("").unwrap(), RecipeToml::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(parse("[healt]\npath='/'").unwrap_err().contains("healt"));
        assert!(parse("[opt_out]\n'upgrade.dat'='x'").unwrap_err().contains("upgrade.data"));
        assert!(parse("[opt_out]\n'upgrade.data'=' '").unwrap_err().contains("reason"));
        assert!(parse("[health]\npath='x'").unwrap_err().contains("start with /"));
        assert!(parse("[timeouts]\ninstall='soon'").unwrap_err().contains("install"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            let _ = parse(&text);
        }
    }
}
