//! The entrypoints of the swarm's traefik.

use std::collections::BTreeSet;

use base::failure::Failure;
use swarm::Swarm;

use super::present::{is_traefik, unreachable};

/// Those of every traefik of Co-op Cloud (certain: every recipe routes by them).
const USUAL: [&str; 2] = ["web", "web-secure"];

/// The usual ones, and those in traefik's arguments. A traefik that has its entrypoints from a file may have more.
pub async fn entrypoints(swarm: &Swarm) -> Result<BTreeSet<String>, Failure> {
    let mut found: BTreeSet<String> = USUAL.iter().map(ToString::to_string).collect();
    for service in swarm.docker().list_services(None).await.map_err(|error| unreachable(&error))? {
        let spec = service.spec.filter(is_traefik);
        let container = spec.and_then(|spec| spec.task_template).and_then(|task| task.container_spec);
        let Some(container) = container else { continue };
        let words = container.command.into_iter().chain(container.args).flatten();
        found.extend(words.filter_map(|word| named(&word)));
    }
    Ok(found)
}

/// The entrypoint in an argument.
fn named(argument: &str) -> Option<String> {
    let rest = argument.trim_start_matches('-');
    let (begin, rest) = rest.split_at_checked("entrypoints.".len())?;
    let (name, key) = rest.split_once('.')?;
    let opens = begin.eq_ignore_ascii_case("entrypoints.") && key.starts_with("address=");
    opens.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entrypoint_is_one_with_an_address() {
        assert_eq!(named("--entrypoints.gitea-ssh.address=:2222").as_deref(), Some("gitea-ssh"));
        assert_eq!(named("--entryPoints.web.address=:80").as_deref(), Some("web"));
        assert_eq!(named("--entrypoints.web.http.redirections.entrypoint.to=x"), None);
        assert_eq!(named("--providers.swarm=true"), None);
    }
}
