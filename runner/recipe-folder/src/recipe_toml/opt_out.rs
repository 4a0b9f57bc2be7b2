//! What a recipe may opt out of. The checks that say whether a deploy settled, moved and was torn down
//! are not among it: without them a run would say nothing.

use schemars::JsonSchema;
use serde::Deserialize;

use super::shown::nearest;

/// Stages whose generic part may be left out, then single checks.
pub const OPTIONAL: &[&str] = &[
    "upgrade",
    "backup",
    "fresh",
    "prepare.rules",
    "prepare.tags",
    "prepare.shell",
    "prepare.allowed",
    "prepare.settings",
    "install.answers",
    "upgrade.data",
    "upgrade.answers",
    "backup.markers",
    "backup.answers",
    "fresh.answers",
    "fresh.again",
];

/// The name of a generic check, or of a stage, that a recipe may opt out of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct OptionalCheck(String);

impl OptionalCheck {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OptionalCheck {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        if OPTIONAL.contains(&name.as_str()) {
            return Ok(Self(name));
        }
        Err(format!(
            "there is no check {name:?} to opt out of{}; there are {}",
            nearest(&name, OPTIONAL.iter().copied()),
            OPTIONAL.join(", ")
        ))
    }
}
