//! Labels: a recipe may not set cc-ci's and the engine's, and those for traefik decide which of the world's requests
//! come to the app.

use std::collections::BTreeMap;

use serde_json::Value;

use super::routes::{Rule, read};
use super::{Found, Owner};
use crate::compose::plain;

/// Entrypoints that are shared by all pages.
const PAGES: [&str; 6] = ["web", "web-secure", "websecure", "http", "https", "traefik"];

/// Checks labels in either form.
pub(super) fn marks(place: &str, labels: Option<&Value>, owner: &Owner<'_>, found: &mut Found) {
    let labels = labels.map(pairs).unwrap_or_default();
    for (label, value) in &labels {
        if let Some(why) = mark(label, value, &labels, owner) {
            found.forbid(format!("{place} has the label {label}: {why}"));
        }
    }
}

/// By lower-case keys, since traefik ignores case.
fn pairs(labels: &Value) -> BTreeMap<String, String> {
    match labels {
        Value::Array(items) => items
            .iter()
            .map(plain)
            .map(|text| {
                text.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap_or((text, String::new()))
            })
            .map(|(key, value)| (key.to_lowercase(), value))
            .collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.to_lowercase(), plain(value))).collect(),
        _ => BTreeMap::new(),
    }
}

fn mark(label: &str, value: &str, all: &BTreeMap<String, String>, owner: &Owner<'_>) -> Option<String> {
    if ["cc-ci.", "com.docker."].iter().any(|beginning| label.starts_with(beginning)) || label == "cc-ci" {
        return Some("a recipe may not set it".to_owned());
    }
    if label.starts_with("coop-cloud.backupbot.enabled") {
        return Some("the server's backup bot has it".to_owned());
    }
    let parts: Vec<&str> = label.split('.').collect();
    match parts.as_slice() {
        ["traefik", "tls", ..] => Some("certificates are the server's".to_owned()),
        ["traefik", "http" | "tcp" | "udp", kind @ ("routers" | "services"), name, rest @ ..] => {
            if !is_own_name(name, owner) {
                return Some(format!("names in traefik are shared, and this one does not contain {}", owner.stack));
            }
            if *kind == "services" { backend(rest) } else { router(&parts, rest, value, all, owner) }
        }
        _ => None,
    }
}

/// Whether a name contains the stack's name as a whole word.
fn is_own_name(name: &str, owner: &Owner<'_>) -> bool {
    let stack = owner.stack.as_str().to_lowercase();
    name.match_indices(&stack).any(|(at, _)| {
        let before = name[..at].chars().next_back();
        let after = name[at + stack.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// traefik finds an app's containers by itself; any other backend is foreign.
fn backend(rest: &[&str]) -> Option<String> {
    let elsewhere = rest.iter().any(|part| matches!(*part, "url" | "address"));
    let balances = rest.first().is_none_or(|kind| *kind == "loadbalancer");
    (elsewhere || !balances).then(|| "it leads to a backend that is not the app's container".to_owned())
}

fn router(
    parts: &[&str],
    rest: &[&str],
    value: &str,
    all: &BTreeMap<String, String>,
    owner: &Owner<'_>,
) -> Option<String> {
    match rest {
        ["service"] => {
            let name = value.strip_suffix("@docker").or(value.strip_suffix("@swarm")).unwrap_or(value).to_lowercase();
            let own = name == "noop@internal" || is_own_name(&name, owner) && !name.contains('@');
            (!own).then(|| format!("{value} is not the app's own service"))
        }
        ["rule"] => match read(value, owner.domain) {
            Ok(Rule::OwnHosts) => None,
            // An entrypoint of its own, like a published host port.
            Ok(Rule::AnyName) if parts[1] == "tcp" => {
                let asked = all.get(&format!("{}.entrypoints", parts[..4].join("."))).map(String::as_str).unwrap_or("");
                let mut asked = asked.split(',').map(str::trim).peekable();
                let shared = asked.peek().is_none_or(|first| first.is_empty())
                    || asked.any(|one| PAGES.iter().any(|page| one.eq_ignore_ascii_case(page)));
                shared.then(|| "it accepts every name on a shared entrypoint".to_owned())
            }
            Ok(Rule::AnyName) => Some("it accepts every name".to_owned()),
            Err(why) => Some(why),
        },
        _ => None,
    }
}
