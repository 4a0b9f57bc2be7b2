//! The `version:` of a compose file in docker's loader for stacks (seen with `docker stack config` 28.2): a text from
//! 3.0 to 3.13; `3`, an empty one and none mean the newest. All files of a stack must mean the same one.

use std::fmt;

use serde_json::{Value, json};

/// The default version.
const NEWEST: u8 = 13;

/// The `version:` of a compose file; `None` if absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaVersion(Option<String>);

impl SchemaVersion {
    /// The version of a document.
    ///
    /// # Errors
    /// Why docker would refuse it.
    pub(super) fn of(document: &Value) -> Result<Self, String> {
        let version = match document.get("version") {
            None => return Ok(Self(None)),
            Some(Value::String(text)) => Self(Some(text.clone())),
            Some(Value::Number(number)) => {
                return Err(format!(
                    "version: {number} is a number, which docker refuses: write it in quotes, \"{number}\""
                ));
            }
            Some(other) => return Err(format!("version: {other} is no version of a compose file")),
        };
        match version.minor() {
            Some(_) => Ok(version),
            None => Err(format!("it {version}, and docker deploys stacks of the versions 3.0 to 3.{NEWEST} alone")),
        }
    }

    /// Version `3.<minor>`.
    pub(super) fn three(minor: u8) -> Self {
        Self(Some(format!("3.{minor}")))
    }

    /// The number after `3.`, which has to be the same in all files of a stack.
    pub fn minor(&self) -> Option<u8> {
        match self.0.as_deref() {
            None | Some("" | "3") => Some(NEWEST),
            Some(text) => {
                let minor = text.strip_prefix("3.")?;
                // Canonical numbers only: 3.08 is invalid.
                minor.parse().ok().filter(|number: &u8| *number <= NEWEST && number.to_string() == minor)
            }
        }
    }

    /// Whether docker accepts files of these two versions together.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.minor() == other.minor()
    }

    /// Writes it into a compose file that is deployed with those that it was read from.
    pub fn write_to(&self, document: &mut Value) {
        if let Some(version) = &self.0 {
            document["version"] = json!(version);
        }
    }
}

impl fmt::Display for SchemaVersion {
    /// As text after the name of a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(version) => write!(f, "has version {version:?}"),
            None => f.write_str("has no version"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_that_docker_takes_is_taken_and_no_other() {
        for text in ["3", ""].map(str::to_owned).into_iter().chain((0..=13).map(|minor| format!("3.{minor}"))) {
            SchemaVersion::of(&json!({ "version": text })).unwrap_or_else(|why| panic!("{text}: {why}"));
        }
        SchemaVersion::of(&json!({})).unwrap();
        for wrong in
            [json!(3), json!(3.8), json!(null), json!("2.4"), json!("3.14"), json!("3.08"), json!("v3"), json!([])]
        {
            assert!(SchemaVersion::of(&json!({ "version": wrong })).is_err(), "{wrong}");
        }
    }

    #[test]
    fn none_an_empty_one_and_three_are_the_newest() {
        let of = |document: Value| SchemaVersion::of(&document).unwrap();
        let none = of(json!({}));
        for same in ["", "3", "3.13"] {
            assert!(none.is_same_as(&of(json!({ "version": same }))), "{same}");
        }
        assert!(!none.is_same_as(&of(json!({ "version": "3.8" }))));
    }
}
