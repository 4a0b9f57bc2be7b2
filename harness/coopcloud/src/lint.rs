//! abra's rules R001 to R015 over a recipe's files, for machines without abra.
//!
//! A rule is an error, which stops a run, only if that is known. The requirements and severities of the others are
//! remembered (medium certainty), so they are warnings; the real abra may consider them errors, and its own result
//! counts if it is installed. The source of each is next to it, and in docs/reference.md.

use serde_json::Value;

use super::compose::{Compose, Service};
use super::envfile::EnvFile;
use super::interpolate::uses_in;
use super::version::Version;

/// A recipe's files, as input of lint.
pub struct Recipe<'a> {
    /// The merged compose files.
    pub compose: &'a Compose,
    /// The text of `compose.yml`.
    pub compose_text: &'a str,
    /// `.env.sample`.
    pub sample: &'a EnvFile,
    /// `abra.sh`, or empty.
    pub abra_sh: &'a str,
    /// `README.md`, or empty.
    pub readme: &'a str,
    /// Every tag, and whether it is annotated.
    pub tags: &'a [(String, bool)],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its number.
    pub reference: &'static str,
    /// Its requirement.
    pub asks: &'static str,
    /// `error` or `warn`.
    pub severity: &'static str,
    /// How to fix it.
    pub resolve: &'static str,
    /// The source of this row.
    pub known: &'static str,
}

const fn error(reference: &'static str, asks: &'static str, resolve: &'static str, known: &'static str) -> Rule {
    Rule { reference, asks, severity: "error", resolve, known }
}

const fn warn(reference: &'static str, asks: &'static str, resolve: &'static str, known: &'static str) -> Rule {
    Rule { reference, asks, severity: "warn", resolve, known }
}

/// For a rule that the authors have not seen in abra's output.
const AS_WARNING: &str = "remembered as a warning; not seen";
const AS_ERROR: &str = "remembered as an error; not seen, so it only warns";

/// In order.
pub const RULES: [Rule; 15] = [
    warn("R001", "compose has the expected version", "set version: \"3.8\" in compose.yml", AS_WARNING),
    warn("R002", "every service has a healthcheck", "add a healthcheck to each service", AS_WARNING),
    warn("R003", "every image has a tag", "pin each image to a tag", AS_ERROR),
    warn("R004", "no unstable tag", "replace latest by a version", AS_ERROR),
    warn("R005", "image tags look like versions", "use tags with a version", AS_ERROR),
    warn(
        "R006",
        "a version is published",
        "release the recipe: abra recipe release",
        "remembered as a warning; not seen. abra asks the catalogue, cc-ci the repository's tags",
    ),
    warn("R007", "README has its metadata", "fill in the metadata block of README.md", AS_WARNING),
    error(
        "R008",
        ".env.sample exists",
        "add .env.sample",
        "seen: abra cannot validate the recipe and ends with exit code 1",
    ),
    error(
        "R009",
        "one service is called app",
        "call the main service app",
        "follows from the rest of abra: what it runs and asks without a service's name is in app",
    ),
    warn("R010", "traefik is enabled", "set the label traefik.enable=true", AS_ERROR),
    warn("R011", "every service has an image", "add an image to each service", AS_ERROR),
    warn("R012", "config versions are in abra.sh", "export each config's *_VERSION in abra.sh", AS_ERROR),
    warn(
        "R013",
        "the repository is on the maintainers' Gitea",
        "publish the repository",
        "remembered as a warning; not seen. abra asks that server, cc-ci does not",
    ),
    error(
        "R014",
        "versions have annotated tags only",
        "tag again with git tag -a",
        "seen: a deploy stops at a lightweight tag; the check prepare.tags says which",
    ),
    warn("R015", "secret names are short", "shorten secret names to 12 characters", AS_WARNING),
];

/// A rule in abra's table about which nothing else is known here.
pub const NOT_KNOWN: &str = "R016";

/// The result of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Met {
    Yes,
    /// It depends on another machine.
    Unknown,
    /// Violated by these services, images, variables, tags or files.
    No(Vec<String>),
}

/// One rule's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleResult {
    pub rule: Rule,
    pub met: Met,
}

impl RuleResult {
    /// Whether it stops a deployment.
    pub fn stops(&self) -> bool {
        self.rule.severity == "error" && matches!(self.met, Met::No(_))
    }
}

/// Every rule's result, in order.
pub fn lint(recipe: &Recipe) -> Vec<RuleResult> {
    RULES.into_iter().map(|rule| RuleResult { rule, met: met(rule.reference, recipe) }).collect()
}

/// The violations of a rule: names of services, images, variables, tags or files. Empty if there are none, or for an
/// unknown number.
pub fn breakers(reference: &str, recipe: &Recipe) -> Vec<String> {
    match met(reference, recipe) {
        Met::No(names) => names,
        Met::Yes | Met::Unknown => Vec::new(),
    }
}

fn met(reference: &str, recipe: &Recipe) -> Met {
    let services = || recipe.compose.services.iter();
    let which = |bad: &dyn Fn(&Service) -> bool| {
        services().filter(|one| bad(one)).map(|one| format!("service {}", one.name)).collect::<Vec<_>>()
    };
    let images = |bad: &dyn Fn(Option<&str>) -> bool| {
        let image = |one: &Service| Some((one.name.clone(), one.image.clone()?));
        let bad = services().filter_map(image).filter(|(_, image)| bad(tag_of(image)));
        bad.map(|(name, image)| format!("service {name}: {image}")).collect::<Vec<_>>()
    };
    let unless = |fine: bool, what: &str| if fine { Vec::new() } else { vec![what.to_owned()] };
    let releases = || recipe.tags.iter().filter(|(name, _)| Version::parse(name).is_some());
    // An unreadable file has no config and no version either; other checks report the error.
    let tree = || super::yaml::Node::parse(recipe.compose_text).map(|tree| tree.value());
    let names: Vec<String> = match reference {
        "R001" => unless(tree().is_ok_and(|tree| tree.get("version").is_some()), "compose.yml has no version:"),
        "R002" => which(&|one| !one.healthcheck),
        "R003" => images(&|tag| tag.is_none()),
        "R004" => images(&|tag| tag == Some("latest")),
        "R005" => images(&|tag| tag.is_some_and(|tag| !tag.contains(|c: char| c.is_ascii_digit()))),
        "R006" => unless(releases().next().is_some(), "no tag of the repository is a version"),
        "R007" => unless(recipe.readme.contains("<!-- metadata -->"), "README.md"),
        "R009" => {
            let all = services().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
            unless(services().any(|one| one.name == "app"), &format!("services {all}"))
        }
        "R010" => {
            let enabled = |one: &Service| one.labels.get("traefik.enable").is_some_and(|value| value == "true");
            unless(services().any(enabled), "service app")
        }
        "R011" => which(&|one| one.image.is_none()),
        "R012" => {
            let exports = super::abra_sh::exports(recipe.abra_sh);
            let known = |name: &String| exports.contains_key(name) || recipe.sample.get(name).is_some();
            let names = tree().map(|tree| config_versions(&tree)).unwrap_or_default();
            names.into_iter().filter(|name| !known(name)).collect()
        }
        "R014" => releases().filter(|(_, annotated)| !annotated).map(|(name, _)| format!("tag {name}")).collect(),
        "R015" => {
            let long = recipe.sample.secrets().into_iter().filter(|secret| secret.name.len() > 12);
            long.map(|secret| format!("SECRET_{}_VERSION", secret.name.to_uppercase())).collect()
        }
        "R008" => Vec::new(),
        _ => return Met::Unknown,
    };
    if names.is_empty() { Met::Yes } else { Met::No(names) }
}

fn tag_of(image: &str) -> Option<&str> {
    if let Some((_, digest)) = image.split_once('@') {
        return Some(digest);
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').map(|(_, tag)| tag)
}

/// The variables in the names of configs: their versions, by convention. Variables of images, secrets and settings may
/// end in `_VERSION` as well.
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
        let red = lint(&recipe).into_iter().filter(|row| matches!(row.met, Met::No(_)));
        red.map(|row| row.rule.reference).collect()
    }

    #[test]
    fn what_is_not_known_to_stop_a_deploy_only_warns() {
        let errors = RULES.into_iter().filter(|rule| rule.severity == "error").map(|rule| rule.reference);
        assert_eq!(errors.collect::<Vec<_>>(), ["R008", "R009", "R014"]);
    }

    #[test]
    fn every_rule_that_is_looked_at_is_in_the_table() {
        let compose = Compose::load(&[("c.yml".into(), GOOD.into())], &BTreeMap::new()).unwrap();
        let sample = EnvFile::parse("");
        let recipe =
            Recipe { compose: &compose, compose_text: GOOD, sample: &sample, abra_sh: "", readme: "", tags: &[] };
        let numbers = (1..=99).map(|number| format!("R{number:03}"));
        for number in numbers.filter(|number| met(number, &recipe) != Met::Unknown) {
            assert!(RULES.iter().any(|rule| rule.reference == number), "{number}");
        }
        assert!(RULES.iter().all(|rule| rule.reference != NOT_KNOWN && rule.known.len() > 20));
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let text = "services:\n  web: {image: 'nginx:latest'}\n  db: {image: 'r.org:5000/postgres'}\n  none: {}\n\
                    configs:\n  c: {name: 'x_${C_VERSION}'}\n";
        let compose = Compose::load(&[("c.yml".into(), text.into())], &BTreeMap::new()).unwrap();
        let sample = EnvFile::parse("SECRET_MUCH_TOO_LONG_VERSION=v1\n");
        let tags = [("1.0.0+1".to_owned(), false)];
        let recipe =
            Recipe { compose: &compose, compose_text: text, sample: &sample, abra_sh: "", readme: "", tags: &tags };
        let named = |reference| breakers(reference, &recipe).join(", ");
        assert_eq!(named("R002"), "service db, service none, service web");
        assert_eq!(named("R003"), "service db: r.org:5000/postgres");
        assert_eq!(named("R004"), "service web: nginx:latest");
        assert_eq!(named("R009"), "services db, none, web");
        assert_eq!((named("R011"), named("R012")), ("service none".to_owned(), "C_VERSION".to_owned()));
        assert_eq!(
            (named("R014"), named("R015")),
            ("tag 1.0.0+1".to_owned(), "SECRET_MUCH_TOO_LONG_VERSION".to_owned())
        );
        assert!(breakers("R016", &recipe).is_empty());
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
