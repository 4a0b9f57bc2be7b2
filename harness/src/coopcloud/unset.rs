//! Variables that compose files and config templates use and that nothing sets: docker fills in nothing and goes on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::compose::Compose;
use super::interpolate::unset_in;
use super::variables::is_reserved;
use super::yaml::Node;

/// The variables without a default that have no value, each with the files that use it. `sample` is the text of
/// `.env.sample`: what it names in a comment is an operator's choice, and no mistake.
#[must_use]
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

/// What a config's template asks for and the service does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// An environment variable: the engine fills in nothing.
    Env {
        /// The service.
        service: String,
        /// The config's key.
        config: String,
        /// The variable.
        name: String,
    },
    /// A secret: the engine refuses to start the task. Source: swarmkit, `template/context.go`.
    Secret {
        /// The service.
        service: String,
        /// The config's key.
        config: String,
        /// The secret's name in the container.
        name: String,
    },
}

/// The gaps of every config with `template_driver: golang`. `file` gives a file's text.
#[must_use]
pub fn template_gaps(compose: &Compose, file: impl Fn(&str) -> Option<String>) -> BTreeSet<Gap> {
    let mut gaps = BTreeSet::new();
    let templates = compose.parts.iter().filter_map(|part| part.get("configs")?.as_object()).flatten();
    let templates =
        templates.filter(|(_, config)| config.get("template_driver").and_then(Value::as_str) == Some("golang"));
    for (key, config) in templates {
        let Some(text) = config.get("file").and_then(Value::as_str).and_then(&file) else { continue };
        for service in compose.services.iter().filter(|service| service.configs.contains(key)) {
            let has_env = |name: &str| match service.field("environment") {
                Some(Value::Object(map)) => map.contains_key(name),
                _ => false,
            };
            // What env files and images set is not seen here, and abra gives `app` the whole env file.
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

/// The names that a template asks a function for whatever is set: `{{ env "NAME" }}`, also deep in a longer expression.
/// What stands in a block that may be left out is not counted.
fn asked(text: &str, function: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut depth = 0_usize;
    for action in text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
        // A comment asks for nothing, and what stands in a condition may be left out on purpose.
        let action = action.trim_matches('-').trim();
        match action.split_whitespace().next() {
            Some("if" | "with" | "range" | "block" | "define") => depth += 1,
            Some("end") => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 0 || action.starts_with("/*") {
            continue;
        }
        for (at, _) in action.match_indices(function) {
            let starts = action[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || c == '(' || c == '|');
            let rest = action[at + function.len()..].trim_start();
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '`'));
            if let (true, Some(quote)) = (starts, quote)
                && let Some((name, _)) = rest[1..].split_once(quote)
            {
                names.insert(name.to_owned());
            }
        }
    }
    names
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
