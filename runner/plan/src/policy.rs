//! What a revision of a recipe may bring before anything of it is deployed: its committed files, its
//! settings, its compose files. `docs/security.md` has the rules in words.
//!
//! The same is asked once in prepare, to say it early, and again at each deploy, of exactly the files and
//! settings that are then deployed.

use std::collections::{BTreeMap, BTreeSet};

use base::failure::{Failure, Kind};
use coopcloud::abra_sh;
use coopcloud::compose::Compose;
use coopcloud::envfile::EnvFile;
use coopcloud::forbidden::{ForbiddenFinding, Owner, committed_file, env_file_names, forbidden};
use coopcloud::variables::{OF_ABRA, is_reserved};

use crate::links::Links;
use crate::revision::compose_files;
use crate::revision::{compose_of, variables_of};
use crate::spec::RunSpec;
use source::Checkout;

/// Makes settings those of the app that the run owns, whatever the recipe's sample says.
///
/// # Errors
/// [`Kind::InvalidRecipe`] for a value that env files cannot hold, or a secret's version that is none.
pub fn normalize_env(env: &mut EnvFile, spec: &RunSpec) -> Result<(), Failure> {
    env.remove("STACK_NAME");
    let own = |kind: &str| kind.split(':').next() == Some(spec.recipe.as_str());
    if !env.vars().get("TYPE").is_some_and(|kind| own(kind)) {
        env.set("TYPE", spec.recipe.as_str());
    }
    if env.get("RECIPE").is_some() {
        env.set("RECIPE", spec.recipe.as_str());
    }
    env.set("DOMAIN", spec.domain.as_str());
    // Without a resolver no certificate authority is asked: traefik serves the certificate that it has.
    if env.get("LETS_ENCRYPT_ENV").is_some() {
        env.set("LETS_ENCRYPT_ENV", spec.cert_resolver.as_deref().unwrap_or_default());
    }
    let sample = |what: String| Failure::new(Kind::InvalidRecipe, what, ".env.sample of the recipe");
    *env = env.settled().map_err(|key| {
        sample(format!("the value of {key} mixes quotes in a way that not every reader of env files takes alike"))
    })?;
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_');
    match env.secrets().iter().find(|secret| secret.version.is_empty() || !secret.version.bytes().all(fine)) {
        None => Ok(()),
        Some(secret) => Err(sample(format!("{:?} is no version of the secret {}", secret.version, secret.name))),
    }
}

/// The compose files of a revision, when its committed files are such as cc-ci, abra and docker may read.
/// No recipe can opt out of this.
///
/// # Errors
/// [`Kind::ForbiddenCompose`], or why the compose files cannot be read.
pub fn check_repository(
    checkout: &Checkout,
    revision: &str,
    env: &EnvFile,
    spec: &RunSpec,
) -> Result<Compose, Failure> {
    let links = Links::of(checkout, revision)?;
    let files = compose_files(env);
    if let Some(why) = links.forbidden(files.iter().map(String::as_str)) {
        return Err(refused(&why, "commit the file itself, or take it out of the repository"));
    }
    if let Some(file) = files.iter().find(|file| committed_file(file).is_some()) {
        return Err(refused(
            &format!("COMPOSE_FILE names {file:?}, which is no path below it"),
            "COMPOSE_FILE in .env.sample",
        ));
    }
    if let Some(text) = checkout.file(revision, "abra.sh") {
        let exported: BTreeSet<String> = abra_sh::exports(&text).into_keys().chain(abra_sh::doubtful(&text)).collect();
        if let Some(name) = OF_ABRA.iter().find(|name| exported.contains(**name)) {
            return Err(refused(&format!("abra.sh exports {name}, which is abra's to set"), "abra.sh of the recipe"));
        }
    }
    let compose = compose_of(checkout, revision, env, spec.stack.as_str())?;
    for (object, file) in compose.files_of_objects() {
        if let Some(link) = links.on_the_way(&file) {
            return Err(refused(&format!("{object} reads {file}, and {link} is a symlink"), "commit the file itself"));
        }
    }
    Ok(compose)
}

/// Whether what a revision's compose files ask for may be given to a stranger.
///
/// # Errors
/// [`Kind::ForbiddenCompose`] with the first finding, [`Kind::InvalidCompose`] for keys that nobody knows.
pub fn check_compose(
    checkout: &Checkout,
    revision: &str,
    env: &EnvFile,
    spec: &RunSpec,
    compose: &Compose,
) -> Result<(), Failure> {
    let owner = Owner { stack: &spec.stack, domain: &spec.domain };
    let mut found = forbidden(compose, &owner);
    let script = checkout.file(revision, "abra.sh").unwrap_or_default();
    if let Some(name) = abra_sh::doubtful(&script).intersection(&compose.variables).next() {
        found.push(ForbiddenFinding::Forbidden(format!(
            "it uses {name}, which abra.sh exports in a way that can be read in two ways; \
             a line of its own, `export {name}=value`, is plain"
        )));
    }
    for (service, file) in compose.env_files() {
        let text = checkout.file(revision, &plain(&file)).unwrap_or_default();
        let names = env_file_names(&text);
        if let Some(name) = names.iter().find(|name| is_reserved(name)) {
            found
                .push(ForbiddenFinding::Forbidden(format!("{service} takes {name} by {file}, which is the machine's")));
        }
    }
    // A reader may leave quoted exports out; the files must be harmless in that reading too.
    let quoted = abra_sh::quoted(&script);
    if !quoted.is_disjoint(&compose.variables) {
        let vars: BTreeMap<_, _> = variables_of(checkout, revision, env, spec.stack.as_str())
            .into_iter()
            .filter(|(name, _)| !quoted.contains(name))
            .collect();
        if let Ok(compose) = Compose::load(&compose.files, &vars) {
            found.extend(forbidden(&compose, &owner));
        }
    }
    // What is forbidden is said before what is only unknown.
    found.sort_by_key(|finding| matches!(finding, ForbiddenFinding::Unknown(_)));
    let detail = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    match found.first() {
        None => Ok(()),
        Some(ForbiddenFinding::Forbidden(finding)) => Err(Failure::new(
            Kind::ForbiddenCompose,
            format!("the compose file asks for more than a test may give: {finding}"),
            "remove it, or let an operator allow it by [opt_out] \"prepare.allowed\" in recipe.toml",
        )
        .with_detail(detail)),
        Some(ForbiddenFinding::Unknown(finding)) => Err(Failure::new(
            Kind::InvalidCompose,
            format!("the compose file is not valid: {finding}"),
            "the compose files of the recipe",
        )
        .with_detail(detail)),
    }
}

/// A path without its `./`, as git has it.
fn plain(path: &str) -> String {
    path.split('/').filter(|part| *part != ".").collect::<Vec<_>>().join("/")
}

fn refused(why: &str, look_at: &str) -> Failure {
    Failure::new(Kind::ForbiddenCompose, format!("the recipe's repository cannot be used as it is: {why}"), look_at)
}

#[cfg(test)]
mod tests;
