//! abra's lint rules R001 to R015 over a recipe's files, for machines that have no abra.
//!
//! A rule is an error, which stops a deploy, only where that is known: R008 and R014 were seen to stop one, and without a
//! service `app` (R009) nothing can be deployed. What the others ask, and how hard, is remembered (medium certainty), so
//! that they warn; the real abra may call them errors, and its own word counts where it is installed. R016 exists, and
//! what it asks is not known.

use serde_json::Value;

use super::compose::Compose;
use super::envfile::EnvFile;
use super::interpolate::uses_in;
use super::version::Version;

/// A recipe's files, as lint sees them.
pub struct Recipe<'a> {
    /// The compose files, merged.
    pub compose: &'a Compose,
    /// The text of `compose.yml`.
    pub compose_text: &'a str,
    /// `.env.sample`.
    pub sample: &'a EnvFile,
    /// `abra.sh`, empty where there is none.
    pub abra_sh: &'a str,
    /// `README.md`, empty where there is none.
    pub readme: &'a str,
    /// Every tag, and whether it is annotated.
    pub tags: &'a [(String, bool)],
}

/// One rule's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The rule's number.
    pub reference: &'static str,
    /// What it asks.
    pub rule: &'static str,
    /// `error` or `warn`.
    pub severity: &'static str,
    /// Whether the recipe meets it; none where it was skipped.
    pub satisfied: Option<bool>,
    /// How to mend it.
    pub resolve: &'static str,
}

impl Row {
    /// Whether it stops a deploy.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.severity == "error" && self.satisfied == Some(false)
    }
}

/// Every rule's result, in their order.
#[must_use]
pub fn lint(recipe: &Recipe) -> Vec<Row> {
    let services = &recipe.compose.services;
    let images = || services.iter().filter_map(|service| service.image.as_deref());
    let tags = || images().map(tag_of);
    let label = |key: &str, value: &str| services.iter().any(|s| s.labels.get(key).is_some_and(|v| v == value));
    let releases = || recipe.tags.iter().filter(|(name, _)| Version::parse(name).is_some());
    let row = |reference, rule, severity, satisfied, resolve| Row { reference, rule, severity, satisfied, resolve };
    let versions_vendored = || {
        let exports = super::abra_sh::exports(recipe.abra_sh);
        let names = super::yaml::Node::parse(recipe.compose_text).map(|tree| config_versions(&tree.value()));
        let known = |name: &String| exports.contains_key(name) || recipe.sample.get(name).is_some();
        // A file that cannot be read has no config either; other checks say what is wrong with it.
        names.unwrap_or_default().iter().all(known)
    };
    let says_version =
        || super::yaml::Node::parse(recipe.compose_text).is_ok_and(|t| t.value().get("version").is_some());
    vec![
        row(
            "R001",
            "compose has the expected version",
            "warn",
            Some(says_version()),
            "set version: \"3.8\" in compose.yml",
        ),
        row(
            "R002",
            "every service has a healthcheck",
            "warn",
            Some(services.iter().all(|s| s.healthcheck)),
            "give each service a healthcheck",
        ),
        row("R003", "every image has a tag", "warn", Some(tags().all(|tag| tag.is_some())), "pin each image to a tag"),
        row(
            "R004",
            "no unstable tag",
            "warn",
            Some(tags().all(|tag| tag != Some("latest"))),
            "replace latest by a version",
        ),
        row(
            "R005",
            "image tags look like versions",
            "warn",
            Some(tags().flatten().all(|tag| tag.contains(|c: char| c.is_ascii_digit()))),
            "use tags with a version",
        ),
        row(
            "R006",
            "a version is published",
            "warn",
            Some(releases().next().is_some()),
            "release the recipe: abra recipe release",
        ),
        row(
            "R007",
            "README has its metadata",
            "warn",
            Some(recipe.readme.contains("<!-- metadata -->")),
            "fill in the metadata block of README.md",
        ),
        row("R008", ".env.sample is there", "error", Some(true), "add .env.sample"),
        row(
            "R009",
            "one service is called app",
            "error",
            Some(services.iter().any(|s| s.name == "app")),
            "call the main service app",
        ),
        row(
            "R010",
            "traefik is enabled",
            "warn",
            Some(label("traefik.enable", "true")),
            "set the label traefik.enable=true",
        ),
        row(
            "R011",
            "every service has an image",
            "warn",
            Some(services.iter().all(|s| s.image.is_some())),
            "give each service an image",
        ),
        row(
            "R012",
            "config versions stand in abra.sh",
            "warn",
            Some(versions_vendored()),
            "export each config's *_VERSION in abra.sh",
        ),
        row("R013", "the repository is on the maintainers' Gitea", "warn", None, "publish the repository"),
        row(
            "R014",
            "versions have annotated tags only",
            "error",
            Some(releases().all(|(_, annotated)| *annotated)),
            "tag again with git tag -a",
        ),
        row(
            "R015",
            "secret names are short",
            "warn",
            Some(recipe.sample.secrets().iter().all(|s| s.name.len() <= 12)),
            "shorten secret names to 12 characters",
        ),
    ]
}

fn tag_of(image: &str) -> Option<&str> {
    if let Some((_, digest)) = image.split_once('@') {
        return Some(digest);
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').map(|(_, tag)| tag)
}

/// The variables in the names of configs: their versions, where the convention is kept to. Variables of images, secrets
/// and settings may end in `_VERSION` as well.
fn config_versions(document: &Value) -> Vec<String> {
    let configs = document.get("configs").and_then(Value::as_object);
    let names =
        configs.into_iter().flat_map(|configs| configs.values()).filter_map(|config| config.get("name")?.as_str());
    names.flat_map(uses_in).map(|one| one.name).filter(|name| name.ends_with("_VERSION")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const GOOD: &str = "version: '3.8'\nservices:\n  app:\n    image: nginx:1.2\n    healthcheck: {test: [CMD, x]}\n    deploy: {labels: [traefik.enable=true]}\nconfigs:\n  c: {name: 'x_${C_VERSION}'}\n";

    fn red(compose_text: &str, sample: &str, abra_sh: &str, tags: &[(String, bool)]) -> Vec<&'static str> {
        let compose = Compose::load(&[("c.yml".into(), compose_text.into())], &BTreeMap::new()).unwrap();
        let sample = EnvFile::parse(sample);
        let recipe =
            Recipe { compose: &compose, compose_text, sample: &sample, abra_sh, readme: "<!-- metadata -->", tags };
        lint(&recipe).into_iter().filter(|row| row.satisfied == Some(false)).map(|row| row.reference).collect()
    }

    #[test]
    fn what_is_not_known_to_stop_a_deploy_only_warns() {
        let compose = Compose::load(&[("c.yml".into(), GOOD.into())], &BTreeMap::new()).unwrap();
        let sample = EnvFile::parse("");
        let recipe =
            Recipe { compose: &compose, compose_text: GOOD, sample: &sample, abra_sh: "", readme: "", tags: &[] };
        let errors = lint(&recipe).into_iter().filter(|row| row.severity == "error").map(|row| row.reference);
        assert_eq!(errors.collect::<Vec<_>>(), ["R008", "R009", "R014"]);
    }

    #[test]
    fn a_good_recipe_is_green_and_each_fault_has_its_rule() {
        let tags = [("1.0.0+1.2".to_owned(), true)];
        let sh = "export C_VERSION=v1";
        assert!(red(GOOD, "", sh, &tags).is_empty());
        assert_eq!(red(GOOD, "", "", &tags), ["R012"]);
        let image = GOOD.replace("nginx:1.2", "nginx:${NGINX_VERSION:-1.2}");
        assert!(red(&image, "", sh, &tags).is_empty(), "that is no config's version");
        assert!(red(&GOOD.replace("${C_VERSION}", "$C_VERSION"), "", "", &tags).contains(&"R012"));
        assert_eq!(red(GOOD, "SECRET_MUCH_TOO_LONG_VERSION=v1", sh, &tags), ["R015"]);
        assert_eq!(red(GOOD, "", sh, &[("1.0.0+1.2".to_owned(), false)]), ["R014"]);
        assert_eq!(red(GOOD, "", sh, &[]), ["R006"]);
        assert_eq!(red(&GOOD.replace("nginx:1.2", "r.org:5000/nginx"), "", sh, &tags), ["R003"]);
        assert_eq!(red(&GOOD.replace("nginx:1.2", "nginx:latest"), "", sh, &tags), ["R004", "R005"]);
        assert_eq!(red(&GOOD.replace("  app:", "  web:"), "", sh, &tags), ["R009"]);
        assert_eq!(red(&GOOD.replace("enable=true", "enable=false"), "", sh, &tags), ["R010"]);
    }
}
