//! What a change under test may not require of the host.
//!
//! An allowlist of what is known to be harmless, not a denylist: an unknown key is refused. [`RULES`] explains it;
//! `docs/security.md` has the same table.

mod fields;
mod marks;
mod mounts;
mod objects;
mod paths;
mod routes;

use std::fmt;

use base::names::{Domain, StackName};
use serde_json::Value;

pub use paths::{committed_file, env_file_names};

use super::compose::Compose;
use super::variables::is_reserved;

/// What an untrusted compose file may name, what it may do with it, and what it may not.
pub const RULES: &[[&str; 3]] = &[
    ["volumes", "named ones of the app's own stack; `tmpfs`", "any other driver or `driver_opts`, `external`"],
    ["host paths", "`/etc/localtime` and `/etc/timezone`, read-only", "every other bind mount, the docker socket"],
    [
        "networks",
        "overlay networks of its own; the external `proxy`",
        "every other external one, `host`, other drivers",
    ],
    ["secrets", "those of its own stack, also `external`", "another stack's, a `driver`"],
    ["configs", "those of its own stack, from committed files, with templates", "`external`"],
    ["`name:` of these", "what begins with the stack's name and `_`", "the name of a foreign object"],
    [
        "files (`file:`, `env_file:`, `COMPOSE_FILE`)",
        "committed files, by a path below the repository",
        "`/`, `~`, `..`, `.git`, anything at or below a symlink",
    ],
    ["symlinks in the repository", "to places inside of it", "out of it; in place of a file that cc-ci or abra uses"],
    [
        "variables",
        "the env file's and `abra.sh`'s",
        "the machine's (`PATH`, `HOME`, `DOCKER_*`, proxies, …); exports that can be read in two ways",
    ],
    [
        "`.env.sample`, `abra.sh`",
        "settings, secrets, config versions",
        "`STACK_NAME`, `DOMAIN` and `TYPE` are overruled; `abra.sh` may export none of them",
    ],
    [
        "routes in traefik",
        "the app's domain, what lies below it (or ends in `-` and it), and example domains",
        "other hosts, rules with no host, other backends, routers and services without the stack's name",
    ],
    ["labels", "any other", "`cc-ci.*`, `com.docker.*`, `coop-cloud.backupbot.enabled`, `traefik.tls.*`"],
    [
        "privileges",
        "capabilities that docker grants anyway, `no-new-privileges`",
        "`privileged`, other `cap_add`, `devices`, `sysctls`, the host's `pid`, `ipc`, `network_mode`, `userns_mode`, \
         `cgroup_parent`, `credential_spec`, `isolation`",
    ],
    ["`logging`", "`json-file`, `local`, `none`", "drivers that have the engine write or send elsewhere"],
    ["other files by `extends`, `include`", "", "always refused: use `COMPOSE_FILE`"],
    ["`build`", "ignored, as swarm does", ""],
];

/// The app that the compose files are to deploy.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    pub stack: &'a StackName,
    pub domain: &'a Domain,
}

/// A forbidden part of a compose file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForbiddenFinding {
    /// It requires more than an app may have.
    Forbidden(String),
    /// A key that no version of the format knows: docker refuses it, and its effect is unknown.
    Unknown(String),
}

impl fmt::Display for ForbiddenFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(text) | Self::Unknown(text) => f.write_str(text),
        }
    }
}

/// All forbidden parts of the compose files, for people.
///
/// Each file is checked separately: whatever a later file hides, and however two are merged, nothing is deployed that
/// is in no file.
pub fn forbidden(compose: &Compose, owner: &Owner<'_>) -> Vec<ForbiddenFinding> {
    let mut found = Found(Vec::new());
    for name in compose.variables.iter().filter(|name| is_reserved(name)) {
        found.forbid(format!("it reads the variable {name}, which is the machine's"));
    }
    for document in &compose.parts {
        let Some(document) = document.as_object() else { continue };
        for key in document.keys() {
            match key.as_str() {
                "version" | "services" | "volumes" | "networks" | "secrets" | "configs" => {}
                "include" => found.forbid("it includes other files (include); name them in COMPOSE_FILE".to_owned()),
                key => found.unknown("the compose file", key),
            }
        }
        for (name, service) in document.get("services").and_then(Value::as_object).into_iter().flatten() {
            found.named("service", name);
            fields::service(name, service, owner, &mut found);
            mounts::mounts(name, service, &mut found);
        }
    }
    objects::objects(&compose.parts, owner, &mut found);
    let mut seen = std::collections::BTreeSet::new();
    found.0.retain(|finding| seen.insert(finding.to_string()));
    found.0
}

/// The findings.
struct Found(Vec<ForbiddenFinding>);

impl Found {
    fn forbid(&mut self, text: String) {
        self.0.push(ForbiddenFinding::Forbidden(text));
    }

    /// Checks for docker's syntax of a name.
    fn named(&mut self, kind: &str, name: &str) {
        let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if name.is_empty() || !name.bytes().all(fine) {
            self.0.push(ForbiddenFinding::Unknown(format!("{name:?} is no name of a {kind}")));
        }
    }

    fn unknown(&mut self, place: &str, key: &str) {
        self.0.push(ForbiddenFinding::Unknown(format!(
            "{place} has the key {key}, which docker stack deploy does not know"
        )));
    }
}

/// Whether a value has no effect.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "false",
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
