//! The texts of a scaffold.

use std::fmt::Write as _;

use base::names::RecipeName;

use super::data::data;
use super::door::Door;
use super::seen::ScaffoldInput;

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path below the recipe's folder.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Whether it has its run bit.
    pub executable: bool,
}

/// All files of a recipe's folder.
pub fn files(recipe: &RecipeName, source: Option<&str>, seen: &ScaffoldInput) -> Vec<NewFile> {
    let plain = |path: &str, text: String| NewFile { path: path.to_owned(), text, executable: false };
    let mut files = vec![
        plain("recipe.toml", recipe_toml(recipe, source, seen)),
        plain("PARITY.md", parity(recipe, data(seen).is_some())),
        NewFile { path: "functional/10-main-object.sh".to_owned(), text: main_object(recipe), executable: true },
    ];
    let scripts = data(seen).into_iter().flatten();
    files.extend(scripts.map(|(path, text)| NewFile { path: path.to_owned(), text, executable: true }));
    files
}

fn recipe_toml(recipe: &RecipeName, source: Option<&str>, seen: &ScaffoldInput) -> String {
    let mut text = String::from("#:schema ../../docs/recipe.schema.json\n");
    let _ = writeln!(text, "# What cc-ci has to know of {recipe}, beside what the recipe itself says.");
    if let Some(source) = source {
        let _ = writeln!(text, "source = {}", quoted(source));
    }
    if !seen.host_ports.is_empty() {
        let _ = writeln!(
            text,
            "\n# It publishes these itself, so two runs of it never live at once.\nhost_ports = {:?}",
            seen.host_ports
        );
    }
    if seen.speaks_of_sso {
        text.push_str("\n# Its settings speak of single sign-on. Where it needs a provider:\n# [sso]\n# provider = \"keycloak\"\n");
    }
    match &seen.door {
        Door::At { path, status, why } => {
            let _ = writeln!(text, "\n[health]\n# {why}\npath = {}\nstatus = {status:?}", quoted(path));
            text.push_str("# Better with something in the answer that only this app says:\n# body = \"…\"\n");
        }
        Door::Closed if !seen.tcp_ports.is_empty() => {
            let _ = writeln!(
                text,
                "\n[health]\n# No router of its compose files takes a request to the app's own host. Better `tls` for a port that \
                 speaks it.\nhttp = false\ntcp = {:?}",
                seen.tcp_ports
            );
        }
        Door::Closed => {
            text.push_str(
                "\n# No router of its compose files takes a request to the app's own host, so nothing asks it there.\n",
            );
            text.push_str("# Where a setting gives it one, set that in install_steps.sh and write [health] in place of this.\n[opt_out]\n");
            for check in ["install.answers", "upgrade.answers", "backup.answers", "fresh.answers"] {
                let _ = writeln!(text, "{} = \"no router takes requests to the app's own host\"", quoted(check));
            }
        }
    }
    if !seen.given_secrets.is_empty() {
        text.push_str("\n# Secrets that nobody generates; a test run needs a value of this length.\n[secrets]\n");
        for name in &seen.given_secrets {
            let _ = writeln!(text, "{name} = {{ length = 32 }}");
        }
    }
    if !seen.uncovered.is_empty() {
        let _ = writeln!(
            text,
            "\n# No backup label covers the volumes {}; every report says so.",
            seen.uncovered.join(", ")
        );
    }
    text
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn parity(recipe: &RecipeName, data: bool) -> String {
    let restore = if data { "| backup, wipe, restore | `data/` | the corpus's backup test |\n" } else { "" };
    format!(
        "# {recipe}: parity\n\nEvery test that the maintainers' corpus names for this recipe, and the test here that does the same.\n\n\
         | the corpus | here | source |\n|---|---|---|\n\
         | `health_check`: the app answers | `[health]` in `recipe.toml` | the corpus's common tests |\n\
         | what the app is for | `functional/10-main-object.sh` | the recipe's purpose |\n{restore}"
    )
}

fn main_object(recipe: &RecipeName) -> String {
    format!(
        r#"#!/usr/bin/env bash
# FILL IN: what {recipe} is for. Make its main object over its API and read the same back.
set -euo pipefail

. "$CCCI_SH"

fail "this test has to be filled in: make the app's main object (call POST …) and read it back (call GET …)"
"#
    )
}
