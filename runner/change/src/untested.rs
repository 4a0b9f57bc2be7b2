//! Parts of a recipe that no run deploys or checks, so that green says nothing about them.

use std::collections::{BTreeMap, BTreeSet};

use coopcloud::compose::{Compose, Service};
use coopcloud::envfile::EnvFile;

/// Commands that abra runs after a deployment, an upgrade or an undeployment; cc-ci's deployments run none of them.
pub fn commands(env: &EnvFile) -> Vec<(String, String)> {
    let steps = ["DEPLOY", "UPGRADE", "UNDEPLOY"];
    let is_command = |key: &str| {
        let step = key.strip_suffix("_CMDS").and_then(|key| key.strip_prefix("POST_").or(key.strip_prefix("PRE_")));
        step.is_some_and(|step| steps.contains(&step))
    };
    env.vars().into_iter().filter(|(key, value)| is_command(key) && !value.trim().is_empty()).collect()
}

/// Routers whose entrypoint is not known to exist in traefik: service, router, entrypoint.
pub fn entrypoints(compose: &Compose, known: &BTreeSet<String>) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for service in &compose.services {
        for (key, value) in &service.labels {
            let Some(rest) = key.strip_prefix("traefik.") else { continue };
            let [kind @ ("http" | "tcp" | "udp"), "routers", router, "entrypoints"] =
                rest.splitn(4, '.').collect::<Vec<_>>()[..]
            else {
                continue;
            };
            for entrypoint in value.split(',').map(str::trim).filter(|one| !one.is_empty() && !known.contains(*one)) {
                found.push((service.name.clone(), format!("{kind} {router}"), entrypoint.to_owned()));
            }
        }
    }
    found
}

/// Services without running tasks: those on a timer of swarm-cronjob, with its schedule, and those with no replica.
pub fn timers(compose: &Compose) -> Vec<String> {
    let label = |service: &Service, name: &str| service.labels.get(&format!("swarm.cronjob.{name}")).cloned();
    let told = |service: &Service| {
        let on = label(service, "enable").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let schedule = label(service, "schedule").unwrap_or_else(|| "no schedule".to_owned());
        match (on, service.replicas) {
            (true, Some(0)) => Some(format!("{} (swarm-cronjob, {schedule})", service.name)),
            (true, _) => {
                Some(format!("{} (swarm-cronjob, {schedule}; it has replicas, so only its first run)", service.name))
            }
            (false, Some(0)) => Some(format!("{} (0 replicas)", service.name)),
            (false, _) => None,
        }
    };
    compose.services.iter().filter_map(told).collect()
}

/// Files of a change that the run does not deploy, among those that could be deployed.
pub fn parts_that_nothing_deploys(changed: &[String], deployed: &BTreeSet<String>) -> Vec<String> {
    // Reported separately, with docker's message.
    let is_compose = |path: &str| path.starts_with("compose.") && (path.ends_with(".yml") || path.ends_with(".yaml"));
    let is_read =
        |path: &str| [".env.sample", "abra.sh"].contains(&path) || is_compose(path) || deployed.contains(path);
    let is_prose = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let begins = ["README", "LICENSE", "LICENCE", "COPYING", "CHANGELOG", "MAINTENANCE", "CONTRIBUTING", "AUTHORS"];
        let ends = [".md", ".png", ".svg", ".jpg", ".jpeg", ".gif", ".webp"];
        let hidden = path.starts_with('.');
        hidden
            || path.starts_with("release/")
            || path.starts_with("tests/")
            || begins.iter().any(|begin| name.starts_with(begin))
            || ends.iter().any(|end| name.ends_with(end))
            || ["renovate.json", "catalogue.json"].contains(&name)
    };
    changed.iter().filter(|path| !is_read(path) && !is_prose(path)).cloned().collect()
}

/// Functions of `abra.sh` that a change adds or alters.
pub fn changed_functions(base: &str, head: &str) -> Vec<String> {
    let before = functions(base);
    functions(head).into_iter().filter(|(name, body)| before.get(name) != Some(body)).map(|(name, _)| name).collect()
}

/// The functions of a script, each from its first line to the closing brace at the start of a line.
fn functions(script: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut lines = script.lines();
    while let Some(line) = lines.next() {
        let Some(name) = function_name(line) else { continue };
        let mut body = vec![line];
        if !line.trim_end().ends_with('}') {
            body.extend(lines.by_ref().take_while(|line| !line.starts_with('}')));
        }
        found.insert(name, body.join("\n"));
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let fine =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let by_word = line.strip_prefix("function ").map(|rest| rest.split(['(', ' ', '{']).next().unwrap_or_default());
    let name = by_word.or_else(|| line.split_once("()").map(|(name, _)| name.trim_end()))?;
    fine(name).then(|| name.to_owned())
}
