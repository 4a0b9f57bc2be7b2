//! `[variant.NAME]`: the choices that a recipe leaves to its operators.

use std::collections::BTreeMap;
use std::fmt;

use coopcloud::envfile::EnvFile;
use coopcloud::forbidden::committed_file;
use coopcloud::variables::OF_ABRA;
use schemars::JsonSchema;
use serde::Deserialize;

/// Compose files and settings that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Written")]
pub struct Variant {
    /// The files of COMPOSE_FILE; those of `.env.sample` where there is none.
    pub compose: Vec<String>,
    /// Settings of the env file.
    pub env: BTreeMap<String, String>,
}

/// Compose files and settings that belong together.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Written {
    /// The files of COMPOSE_FILE, in their order; those of `.env.sample` where none is named.
    compose: Vec<String>,
    /// Settings of the env file.
    env: BTreeMap<String, String>,
}

impl TryFrom<Written> for Variant {
    type Error = String;
    fn try_from(Written { compose, env }: Written) -> Result<Self, String> {
        if compose.is_empty() && env.is_empty() {
            return Err("a variant needs `compose` or `env`: without both it is what every run deploys".to_owned());
        }
        if let Some(file) = compose.iter().find(|file| file.contains(':') || committed_file(file).is_some()) {
            return Err(format!("{file:?} is no path of a file in the recipe's repository"));
        }
        match env.keys().find(|key| !is_setting(key)) {
            Some(key) => Err(format!("{key:?} is no setting that a variant can have")),
            None => Ok(Self { compose, env }),
        }
    }
}

/// Whether a key of the env file is one that operators choose.
pub(super) fn is_setting(key: &str) -> bool {
    let is_name = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name && !key.starts_with(|c: char| c.is_ascii_digit()) && !OF_ABRA.contains(&key)
}

impl Variant {
    /// Makes settings those of the variant.
    pub fn write_to(&self, env: &mut EnvFile) {
        if !self.compose.is_empty() {
            env.set("COMPOSE_FILE", &self.compose.join(":"));
        }
        for (key, value) in &self.env {
            env.set(key, value);
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values stay out: some are meant for nobody else.
        let keys = self.env.keys().map(String::as_str);
        let parts: Vec<&str> = self.compose.iter().map(String::as_str).chain(keys).collect();
        f.write_str(&parts.join(", "))
    }
}

/// A variant's name: small letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct VariantName(#[schemars(regex(pattern = "^[a-z0-9][a-z0-9-]{0,30}$"))] String);

impl TryFrom<String> for VariantName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        let fine = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fine && !name.is_empty() && name.len() <= 31 && !name.starts_with('-') {
            return Ok(Self(name));
        }
        Err(format!("{name:?} is no name of a variant: small letters, digits and hyphens, at most 31"))
    }
}

impl fmt::Display for VariantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
