//! What a recipe's files show of the app, as far as its tests care.

use std::collections::{BTreeMap, BTreeSet};

use coopcloud::compose::{Compose, Service};
use coopcloud::database::Engine;
use coopcloud::envfile::EnvFile;
use coopcloud::labels::{Coverage, coverage};
use serde_json::Value;

use super::door::{Door, door};

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScaffoldInput {
    /// Where the app can be asked from outside.
    pub door: Door,
    /// Secrets that nobody generates.
    pub given_secrets: Vec<String>,
    /// Ports that the recipe publishes on the host.
    pub host_ports: Vec<u16>,
    /// Those of them that take connections.
    pub tcp_ports: Vec<u16>,
    /// The database, where there is one that a test can talk to.
    pub database: Option<Database>,
    /// A folder in a container that is backed up whole: service and path.
    pub folder: Option<(String, String)>,
    /// Volumes that nothing backs up.
    pub uncovered: Vec<String>,
    /// Whether the settings speak of single sign-on.
    pub speaks_of_sso: bool,
}

/// A database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its service.
    pub service: String,
}

/// Looks at a recipe.
pub fn seen(compose: &Compose, sample: &EnvFile) -> ScaffoldInput {
    let document: Value = serde_json::from_str(&compose.to_yaml()).unwrap_or_default();
    let labels: BTreeMap<String, BTreeMap<String, String>> =
        compose.services.iter().map(|service| (service.name.clone(), service.labels.clone())).collect();
    let domain = sample.vars().remove("DOMAIN").unwrap_or_default();
    let mut found = ScaffoldInput {
        door: door(&labels, &domain, document.pointer("/services/app/healthcheck/test").and_then(path_asked_for)),
        given_secrets: sample
            .secrets()
            .into_iter()
            .filter(|secret| !secret.generate)
            .map(|secret| secret.name)
            .collect(),
        host_ports: host_ports(compose, |_| true),
        tcp_ports: host_ports(compose, |protocol| protocol == "tcp"),
        database: compose.services.iter().find_map(database),
        speaks_of_sso: sample
            .vars()
            .keys()
            .any(|key| ["OIDC", "OAUTH", "SSO", "KEYCLOAK"].iter().any(|word| key.contains(word))),
        ..ScaffoldInput::default()
    };
    let mut volumes: BTreeMap<&str, bool> = BTreeMap::new();
    for service in &compose.services {
        for mount in service.mounts.iter().filter(|mount| mount.kind == "volume" && !mount.source.is_empty()) {
            let covered = coverage(&labels, &service.name, &mount.source, &mount.target);
            *volumes.entry(&mount.source).or_default() |= covered != Coverage::No;
            let is_database = found.database.as_ref().is_some_and(|database| database.service == service.name);
            if covered == Coverage::All && !mount.read_only && !is_database && found.folder.is_none() {
                found.folder = Some((service.name.clone(), mount.target.clone()));
            }
        }
    }
    found.uncovered = volumes.into_iter().filter(|(_, covered)| !covered).map(|(name, _)| name.to_owned()).collect();
    found
}

/// `/healthz` in `curl -f http://localhost:5678/healthz`.
fn path_asked_for(test: &Value) -> Option<String> {
    let words: Vec<&str> = match test {
        Value::String(text) => text.split_whitespace().collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).flat_map(str::split_whitespace).collect(),
        _ => return None,
    };
    let url = words.iter().find_map(|word| word.trim_matches(['"', '\'', ';']).strip_prefix("http://"))?;
    let path = url.split_once('/').map_or(String::new(), |(_, path)| format!("/{path}"));
    let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    (!path.is_empty() && plain).then_some(path)
}

fn host_ports(compose: &Compose, is_wanted: impl Fn(&str) -> bool) -> Vec<u16> {
    let ports = compose.services.iter().flat_map(|service| &service.ports);
    let wanted = ports.filter(|port| port.mode == "host" && port.published > 0 && is_wanted(&port.protocol));
    let ports: BTreeSet<u16> = wanted.filter_map(|port| u16::try_from(port.published).ok()).collect();
    ports.into_iter().collect()
}

fn database(service: &Service) -> Option<Database> {
    Engine::of_image(service.image.as_deref()?)?;
    Some(Database { service: service.name.clone() })
}
