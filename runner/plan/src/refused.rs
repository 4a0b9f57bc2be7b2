//! What a run refuses before it deploys anything, as far as it can be known without an engine and without abra. A run asks
//! these one by one in its stage prepare; `cc-ci plan` asks them all at once.

use std::path::Path;

use base::failure::{Cause, Failure, Kind};
use base::names::RecipeName;
use coopcloud::compose::Compose;
use coopcloud::envfile::EnvFile;
use coopcloud::version::Version;
use serde::Serialize;

use crate::policy::{check_compose, check_repository, normalize_env};
use crate::prepared::Prepared;
use crate::revision::{INSTALL_STEPS, sample_of};
use crate::spec::{RunSpec, check_object_names};
use host::settings::Settings;
use recipe_folder::folder::folder_of;
use recipe_folder::lint::Finding;
use source::{Checkout, Tag};

/// One refusal.
#[derive(Debug, Serialize)]
pub struct RefusedCommit {
    /// The check that would be red.
    pub check: &'static str,
    /// Who would have to act.
    pub cause: Cause,
    /// Why.
    pub what: String,
    /// What to do.
    pub look_at: String,
}

/// Everything that a run would refuse, in the order in which it would. `tests` is [`tests_can_run`], which may be under way.
pub async fn refused(
    settings: &Settings,
    prepared: &Prepared,
    tests: impl Future<Output = Result<Vec<Finding>, Failure>>,
) -> Vec<RefusedCommit> {
    let mut found = Vec::new();
    let mut add = |check: &'static str, result: Result<(), Failure>| {
        if let Err(failure) = result
            && prepared.toml.opted_out(check).is_none()
        {
            let cause = failure.kind.usual_cause();
            found.push(RefusedCommit { check, cause, what: failure.what, look_at: failure.look_at });
        }
    };
    let (spec, checkout, head) = (&prepared.spec, &prepared.checkout, prepared.spec.head.as_str());
    let folder = folder_of(&settings.recipes, &spec.recipe);
    match compose_at(checkout, head, spec) {
        Err(failure) => add("prepare.compose", Err(failure)),
        Ok((env, compose)) => {
            add("prepare.compose", check_object_names(&compose));
            add("prepare.allowed", check_compose(checkout, head, &env, spec, &compose));
            // Steps of the folder may declare more, or switch on files that do.
            if !folder.join(INSTALL_STEPS).is_file() {
                add("prepare.secrets", every_secret_is_declared(spec, &env, &compose));
            }
        }
    }
    add("prepare.tags", tags_are_annotated(&spec.tags).map(drop));
    if folder.is_dir() {
        add("prepare.tests", tests.await.map(drop));
    }
    found
}

/// The settings and compose files of a revision as an app made from it alone would have them.
///
/// # Errors
/// When they cannot be used, by whomever.
pub fn compose_at(checkout: &Checkout, revision: &str, spec: &RunSpec) -> Result<(EnvFile, Compose), Failure> {
    let mut env = sample_of(checkout, revision)?;
    normalize_env(&mut env, spec)?;
    let compose = check_repository(checkout, revision, &env, spec)?;
    Ok((env, compose))
}

/// Every secret that a service uses is declared, or nothing could ever make it.
///
/// # Errors
/// [`Kind::SecretMissing`] with the first that is not.
pub fn every_secret_is_declared(spec: &RunSpec, env: &EnvFile, compose: &Compose) -> Result<(), Failure> {
    let declared: Vec<String> =
        env.secrets().iter().map(|one| spec.stack.object(&format!("{}_{}", one.name, one.version))).collect();
    let is_used = |key: &String| compose.services.iter().any(|service| service.secrets.contains(key));
    let mut used = compose.secrets.iter().filter(|secret| secret.external && is_used(&secret.key));
    match used.find(|secret| !declared.contains(&secret.name)) {
        None => Ok(()),
        Some(secret) => Err(Failure::new(
            Kind::SecretMissing,
            format!("the compose file uses the secret {}, and nothing generates it", secret.key),
            format!("a line SECRET_{}_VERSION=v1 in .env.sample", secret.key.to_uppercase()),
        )),
    }
}

/// How many releases there are, when all their tags are annotated.
///
/// # Errors
/// [`Kind::LightweightTag`] with the first that is not.
pub fn tags_are_annotated(tags: &[Tag]) -> Result<usize, Failure> {
    let releases: Vec<&Tag> = tags.iter().filter(|tag| Version::parse(&tag.name).is_some()).collect();
    match releases.iter().find(|tag| !tag.annotated) {
        None => Ok(releases.len()),
        Some(tag) => Err(Failure::new(
            Kind::LightweightTag,
            format!("the release tag {} is lightweight; abra deploys no release of this recipe (R014)", tag.name),
            format!("tag it again with a message: git tag -f -a {0} -m {0} {0}^{{}}, then push it", tag.name),
        )),
    }
}

/// The findings in a recipe's folder that stop no run.
///
/// # Errors
/// [`Kind::CheckBroken`] with those that do.
pub async fn tests_can_run(folder: &Path, recipe: &RecipeName) -> Result<Vec<Finding>, Failure> {
    let found = recipe_folder::lint::lint(folder).await.map_err(|error| {
        Failure::new(Kind::Usage, error.to_string(), "the rights of cc-ci's folder for this recipe")
    })?;
    let (bad, other): (Vec<_>, Vec<_>) = found.into_iter().partition(|finding| finding.rule.stops_a_run());
    let Some(first) = bad.first() else { return Ok(other) };
    let more = if bad.len() > 1 { format!(" (and {} more)", bad.len() - 1) } else { String::new() };
    let detail = bad.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    Err(Failure::new(Kind::CheckBroken, format!("{first}{more}"), format!("cc-ci lint {recipe}")).with_detail(detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Request;
    use clap::Parser as _;
    use journal::selection::Selection;
    use source::Revision;
    use testbed::repos::Builder;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        settings: Settings,
    }

    const COMPOSE: &str = "services:\n  app:\n    image: a:1\n";

    /// The checks that a plan names for a recipe with this compose file and test.
    async fn named(compose: &str, test: &str) -> Vec<(&'static str, String)> {
        let dir = tempfile::tempdir().unwrap();
        let (source, recipes) = (dir.path().join("tiny"), dir.path().join("recipes"));
        let files = [("compose.yml", compose), (".env.sample", "TYPE=tiny\nDOMAIN=tiny.example.com\n")];
        Builder::new().files(files).commit("x").branch("main").build(&source).unwrap();
        std::fs::create_dir_all(recipes.join("tiny/functional")).unwrap();
        std::fs::write(recipes.join("tiny/functional/10-a.hurl"), test).unwrap();
        let settings = Cli::parse_from(["cc-ci", "--recipes", recipes.to_str().unwrap()]).settings;
        let request = Request {
            recipe: "tiny".parse().unwrap(),
            source: source.display().to_string(),
            revision: Revision::Default,
            from: None,
            base_domain: settings.base_domain.clone(),
        };
        let prepared = Prepared::to_look_at(&settings, &request, &Selection::default(), &dir.path().join("x")).unwrap();
        let recipe = &prepared.spec.recipe;
        let folder = folder_of(&settings.recipes, recipe);
        refused(&settings, &prepared, tests_can_run(&folder, recipe))
            .await
            .into_iter()
            .map(|one| (one.check, one.what))
            .collect()
    }

    #[tokio::test]
    async fn a_plan_names_everything_that_a_run_would_refuse() {
        let fine = "GET {{CCCI_URL}}/\nHTTP 200\n[Asserts]\nbody contains \"a\"\n";
        assert_eq!(named(COMPOSE, fine).await, []);
        let bad = format!(
            "{COMPOSE}    privileged: true\n    secrets: [key]\nsecrets: {{key: {{external: true, name: x}}}}\n"
        );
        let found = named(&bad, "GET {{CCCI_URL}}/\nHTTP\n").await;
        let checks: Vec<&str> = found.iter().map(|(check, _)| *check).collect();
        assert_eq!(checks, ["prepare.allowed", "prepare.secrets", "prepare.tests"], "{found:?}");
        assert!(found[0].1.contains("privileged") && found[1].1.contains("the secret key"), "{found:?}");
        let found = named("services: 3\n", fine).await;
        assert_eq!(found.iter().map(|(check, _)| *check).collect::<Vec<_>>(), ["prepare.compose"], "{found:?}");
    }
}
