//! Variables that compose files and config templates use and that are not set: docker substitutes an empty text and
//! continues.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::compose::Compose;
use super::interpolate::unset_in;
use super::template::asked;
use super::variables::is_reserved;
use super::yaml::Node;

/// The unset variables without a default, each with the files that use it. `sample` is the text of `.env.sample`: a
/// variable in its comments is an operator's choice, and no mistake.
pub fn unset(compose: &Compose, vars: &BTreeMap<String, String>, sample: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in &compose.files {
        let Ok(tree) = Node::parse(text) else { continue };
        let mut names = Vec::new();
        texts(&tree.value(), &mut |text| names.extend(unset_in(text, vars)));
        for name in names.into_iter().filter(|name| !is_reserved(name) && !is_offered(sample, name)) {
            found.entry(name).or_default().insert(file.clone());
        }
    }
    found
}

/// Whether a comment of the sample has an assignment of this name.
fn is_offered(sample: &str, name: &str) -> bool {
    let comments = sample.lines().filter_map(|line| line.trim_start().strip_prefix('#'));
    let mut assigned = comments.filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('='));
    assigned.any(|(key, _)| key.trim().trim_start_matches("export ") == name)
}

fn texts(value: &Value, take: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => take(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, take)),
        Value::Object(map) => map.values().for_each(|item| texts(item, take)),
        _ => {}
    }
}

/// A requirement of a config's template that the service lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// An environment variable: the engine substitutes an empty text.
    Env {
        service: String,
        /// The config's key.
        config: String,
        name: String,
    },
    /// A secret: the engine refuses to start the task. Source: swarmkit, `template/context.go`.
    Secret {
        service: String,
        /// The config's key.
        config: String,
        /// The secret's name in the container.
        name: String,
    },
}

/// The gaps of every config with `template_driver: golang`. `file` returns a file's text.
pub fn template_gaps(compose: &Compose, file: impl Fn(&str) -> Option<String>) -> BTreeSet<Gap> {
    let mut gaps = BTreeSet::new();
    for config in compose.configs.iter().filter(|config| config.is_template) {
        let (key, Some(text)) = (&config.key, config.file.as_deref().and_then(&file)) else { continue };
        for service in compose.services.iter().filter(|service| service.configs.contains(key)) {
            let has_env = |name: &str| match service.field("environment") {
                Some(Value::Object(map)) => map.contains_key(name),
                _ => false,
            };
            // Variables of env files and images are not visible here, and abra passes the whole env file to `app`.
            let knows_env = service.field("env_file").is_none() && service.name != "app";
            for name in asked(&text, "env").into_iter().filter(|name| knows_env && !has_env(name)) {
                gaps.insert(Gap::Env { service: service.name.clone(), config: key.clone(), name });
            }
            let secrets = service.field("secrets").and_then(Value::as_array).cloned().unwrap_or_default();
            let target = |secret: &Value| {
                let of = |field: &str| secret.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
                of("target").or(of("source")).map(str::to_owned)
            };
            let targets: BTreeSet<String> = secrets.iter().filter_map(target).collect();
            for name in asked(&text, "secret").into_iter().filter(|name| !targets.contains(name)) {
                gaps.insert(Gap::Secret { service: service.name.clone(), config: key.clone(), name });
            }
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, vars: &BTreeMap<String, String>) -> Compose {
        Compose::load(&[("compose.yml".to_owned(), text.to_owned())], vars).unwrap()
    }

    #[test]
    fn what_nothing_sets_is_named_and_what_is_offered_is_not() {
        let vars = BTreeMap::from([("DOMAIN".to_owned(), "x".to_owned()), ("EMPTY".to_owned(), String::new())]);
        let text = "services:\n  app:\n    image: a\n    environment:\n      - A=${DOMAIN}\n      - B=$DOMIAN\n      \
                    - C=${D:-x}${E-y}\n      - F=${SMTP_HOST}\n      - G=$$H ${EMPTY}\n";
        let found = unset(&load(text, &vars), &vars, "DOMAIN=x\n# SMTP_HOST=mail\n");
        assert_eq!(found.keys().collect::<Vec<_>>(), ["DOMIAN"]);
        assert!(found["DOMIAN"].contains("compose.yml"));
    }

    #[test]
    fn templates_ask_for_what_their_services_lack() {
        let text = "services:\n  web:\n    image: a\n    environment: [HOST=x]\n    secrets: [{source: s, target: token}]\n    \
                    configs: [c]\nsecrets: {s: {external: true}}\n\
                    configs: {c: {file: c.tmpl, template_driver: golang}}\n";
        let template = "host {{ env \"HOST\" }} {{env `PORT`}} {{ if env \"OPT\" }}{{ secret \"optional\" }}{{ else }}{{ env \"ELSE\" }}{{- end -}}\n\
                        {{- secret \"token\" }} {{ secret \"s\" }} {{/* env \"NO\" */}} {{ printf \"%s\" (env \"DEEP\") }}";
        let gaps = template_gaps(&load(text, &BTreeMap::new()), |_| Some(template.to_owned()));
        let names: Vec<&str> = gaps
            .iter()
            .map(|gap| match gap {
                Gap::Env { name, .. } | Gap::Secret { name, .. } => name.as_str(),
            })
            .collect();
        assert_eq!(names, ["DEEP", "PORT", "s"]);
    }
}
