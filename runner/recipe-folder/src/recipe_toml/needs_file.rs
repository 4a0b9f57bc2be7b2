//! `[needs_file."compose.oidc.yml"]`: tests that need a file of the recipe's repository which not each of its forms has.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Reason;

/// The tests that are blocked where the repository has no such file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeedsFile {
    /// Files of `functional/` and `browser/`: `functional/50-oidc-login.rs`.
    pub tests: Vec<String>,
    /// What such a recipe cannot do. Every report shows it.
    pub why: Reason,
}

/// The tests that are blocked, each with the reason, where `is_there` says what the recipe's repository has.
pub fn blocked(needs: &BTreeMap<String, NeedsFile>, is_there: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    let missing = needs.iter().filter(|(file, _)| !is_there(file));
    missing
        .flat_map(|(file, need)| {
            let why = format!("{}: the recipe has no {file}", need.why.as_str());
            need.tests.iter().map(move |test| (test.clone(), why.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::blocked;
    use crate::recipe_toml::parse;

    #[test]
    fn what_needs_a_file_is_blocked_where_the_recipe_has_none() {
        let toml = parse(
            "[needs_file.\"compose.oidc.yml\"]\ntests = [\"functional/50-login.rs\"]\nwhy = \"no logins elsewhere\"\n",
        )
        .unwrap();
        assert!(blocked(&toml.needs_file, |file| file == "compose.oidc.yml").is_empty());
        let blocked = blocked(&toml.needs_file, |_| false);
        assert_eq!(
            blocked.get("functional/50-login.rs").map(String::as_str),
            Some("no logins elsewhere: the recipe has no compose.oidc.yml")
        );
        assert!(parse("[needs_file.\"x.yml\"]\ntests = []\n").is_err(), "a reason is wanted");
    }
}
