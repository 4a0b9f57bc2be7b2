//! Durations, numbers and booleans that compose files take from variables. docker interpolates before it validates the
//! schema; abra validates first, at least durations (seen; the source is in `stack_config`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::compose::Compose;
use super::interpolate::interpolate;
use super::yaml::Node;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// `10s`, `1m30s`.
    Duration,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Truth,
}

/// One field of a service with a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByVariable {
    pub file: String,
    /// Its path, such as `services.app.deploy.replicas`.
    pub field: String,
    pub typed: Typed,
    /// The text in the file.
    pub written: String,
    /// The interpolated value.
    pub value: String,
}

impl ByVariable {
    /// Whether docker accepts the value. Durations are left to docker, which has its own units.
    pub fn is_taken(&self) -> bool {
        match self.typed {
            Typed::Duration => !self.value.is_empty(),
            Typed::Number => self.value.parse::<u64>().is_ok(),
            Typed::Truth => {
                matches!(self.value.to_lowercase().as_str(), "true" | "false" | "y" | "n" | "yes" | "no" | "on" | "off")
            }
        }
    }
}

/// The fields of a service, `*` for every item of a list. Source: docker's schema of version 3 files.
const FIELDS: [(&str, Typed); 27] = [
    ("healthcheck.interval", Typed::Duration),
    ("healthcheck.timeout", Typed::Duration),
    ("healthcheck.start_period", Typed::Duration),
    ("stop_grace_period", Typed::Duration),
    ("deploy.update_config.delay", Typed::Duration),
    ("deploy.update_config.monitor", Typed::Duration),
    ("deploy.rollback_config.delay", Typed::Duration),
    ("deploy.rollback_config.monitor", Typed::Duration),
    ("deploy.restart_policy.delay", Typed::Duration),
    ("deploy.restart_policy.window", Typed::Duration),
    ("healthcheck.retries", Typed::Number),
    ("deploy.replicas", Typed::Number),
    ("deploy.update_config.parallelism", Typed::Number),
    ("deploy.rollback_config.parallelism", Typed::Number),
    ("deploy.restart_policy.max_attempts", Typed::Number),
    ("deploy.placement.max_replicas_per_node", Typed::Number),
    ("ports.*.target", Typed::Number),
    ("ports.*.published", Typed::Number),
    ("configs.*.mode", Typed::Number),
    ("secrets.*.mode", Typed::Number),
    ("healthcheck.disable", Typed::Truth),
    ("init", Typed::Truth),
    ("privileged", Typed::Truth),
    ("read_only", Typed::Truth),
    ("stdin_open", Typed::Truth),
    ("tty", Typed::Truth),
    ("volumes.*.read_only", Typed::Truth),
];

/// Every such field of every file, in the order of the files.
pub fn by_variable(compose: &Compose, vars: &BTreeMap<String, String>) -> Vec<ByVariable> {
    let mut found = Vec::new();
    for (file, text) in &compose.files {
        let Ok(tree) = Node::parse(text) else { continue };
        let document = tree.value();
        let services = document.get("services").and_then(Value::as_object);
        for (name, service) in services.into_iter().flatten() {
            for (field, typed) in FIELDS {
                let parts: Vec<&str> = field.split('.').collect();
                for (place, written) in at(service, &parts, format!("services.{name}")) {
                    let Ok(value) = interpolate(&written, vars) else { continue };
                    found.push(ByVariable { file: file.clone(), field: place, typed, written, value });
                }
            }
        }
    }
    found
}

/// The texts with a dollar at a path, each with its place.
fn at(value: &Value, path: &[&str], place: String) -> Vec<(String, String)> {
    match (path.split_first(), value) {
        (None, Value::String(text)) if text.contains('$') => vec![(place, text.clone())],
        (Some((&"*", rest)), Value::Array(items)) => {
            let each = items.iter().enumerate();
            each.flat_map(|(n, item)| at(item, rest, format!("{place}[{n}]"))).collect()
        }
        (Some((key, rest)), Value::Object(map)) => {
            map.get(*key).map(|value| at(value, rest, format!("{place}.{key}"))).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_a_variable_fills_are_found_with_what_they_become() {
        let text = "version: '3.8'\nservices:\n  app:\n    image: a:${TAG}\n    tty: ${TTY:-yes}\n    \
                    healthcheck: {test: [CMD, x], start_period: '${P:-2s}', retries: 3}\n    \
                    ports: ['80:80', {target: '${PORT}', published: 80}]\n    deploy: {replicas: '${N}'}\n";
        let vars = BTreeMap::from([("N".to_owned(), "2".to_owned())]);
        let compose = Compose::load(&[("compose.yml".to_owned(), text.to_owned())], &vars).unwrap();
        let found: Vec<_> = by_variable(&compose, &vars)
            .into_iter()
            .map(|one| (one.field.clone(), one.typed, one.is_taken()))
            .collect();
        assert_eq!(
            found,
            [
                ("services.app.healthcheck.start_period".to_owned(), Typed::Duration, true),
                ("services.app.deploy.replicas".to_owned(), Typed::Number, true),
                ("services.app.ports[1].target".to_owned(), Typed::Number, false),
                ("services.app.tty".to_owned(), Typed::Truth, true),
            ]
        );
    }
}
