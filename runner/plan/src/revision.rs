//! What the files of one revision of a recipe say: its settings, and its compose files merged for one app.

use std::collections::BTreeMap;

use base::failure::{Failure, Kind};
use coopcloud::abra_sh;
use coopcloud::compose::{Compose, ComposeError};
use coopcloud::envfile::EnvFile;

use crate::links::OVERRIDE_FILE;
use source::Checkout;

/// The script of a recipe's folder that runs before the first deploy.
pub const INSTALL_STEPS: &str = "install_steps.sh";

/// Everything that the compose files of a revision may use: its settings, and what `abra.sh` exports.
pub fn variables_of(checkout: &Checkout, revision: &str, env: &EnvFile, stack: &str) -> BTreeMap<String, String> {
    let mut vars = env.vars();
    if let Some(text) = checkout.file(revision, "abra.sh") {
        vars.extend(abra_sh::exports(&text));
    }
    vars.insert("STACK_NAME".to_owned(), stack.to_owned());
    vars
}

/// A revision's compose files, merged and interpolated for this app.
///
/// # Errors
/// [`Kind::InvalidCompose`] or [`Kind::InvalidRecipe`].
pub fn compose_of(checkout: &Checkout, revision: &str, env: &EnvFile, stack: &str) -> Result<Compose, Failure> {
    let vars = variables_of(checkout, revision, env, stack);
    let mut files = Vec::new();
    for name in compose_files(env) {
        let text = checkout.file(revision, &name).ok_or_else(|| {
            Failure::new(
                Kind::InvalidCompose,
                match env.get("COMPOSE_FILE") {
                    Some(_) => format!("COMPOSE_FILE names {name}, which {revision} does not have, or not as text"),
                    None => format!("the recipe has no {name} at {revision}, or not as text"),
                },
                "COMPOSE_FILE in .env.sample, and the files next to it; without COMPOSE_FILE, abra reads compose.yml",
            )
        })?;
        files.push((name, text));
    }
    Compose::load(&files, &vars).map_err(|error| invalid_compose(&error))
}

/// What a compose file that cannot be read means.
pub fn invalid_compose(error: &ComposeError) -> Failure {
    Failure::new(
        Kind::InvalidCompose,
        format!("the compose file is not valid: {error}"),
        "the compose files of the recipe",
    )
}

/// The `.env.sample` of a revision as an app's env file.
///
/// # Errors
/// [`Kind::InvalidRecipe`] where there is none.
pub fn sample_of(checkout: &Checkout, revision: &str) -> Result<EnvFile, Failure> {
    if let Some(text) = checkout.file(revision, ".env.sample") {
        let sample = EnvFile::parse(&text);
        return match sample.unclosed() {
            None => Ok(sample),
            Some((line, key)) => Err(Failure::new(
                Kind::InvalidRecipe,
                format!(
                    "line {line} of .env.sample: the value of {key} begins with a quote that does not end on that line; \
                     some readers of env files take the next lines too, others drop the setting"
                ),
                "write the value in one line, or put it into a config",
            )),
        };
    }
    let is_there = checkout.tree(revision)?.iter().any(|entry| entry.path == ".env.sample");
    let what = match is_there {
        true => format!("the .env.sample of {revision} is no text (UTF-8), so that no env file can be made from it"),
        false => format!("{revision} has no .env.sample, so it is no recipe that abra can deploy"),
    };
    Err(Failure::new(Kind::InvalidRecipe, what, "the files at the root of the repository"))
}

/// The files of `COMPOSE_FILE`, without cc-ci's own.
pub fn compose_files(env: &EnvFile) -> Vec<String> {
    let list = env.vars().remove("COMPOSE_FILE").filter(|list| !list.is_empty());
    let list = list.unwrap_or_else(|| "compose.yml".to_owned());
    list.split(':').filter(|name| !name.is_empty() && *name != OVERRIDE_FILE).map(str::to_owned).collect()
}
