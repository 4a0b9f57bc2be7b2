//! What of the world is there, whoever made it.

use std::collections::{BTreeSet, HashMap};

use bollard::models::ServiceSpec;
use harness::failure::{Failure, Kind};
use harness::swarm::{STACK_LABEL, Swarm};

/// The label with the fingerprint of what `up` deployed.
pub(super) const PRINT_LABEL: &str = "cc-ci.world.print";

/// The label of the service that a route of cc-ci's own leads to.
pub(super) const ROUTE_LABEL: &str = "cc-ci.world.route";

/// The parts of the world.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Present {
    /// Swarm mode is on, and this node is a manager.
    pub manager: bool,
    /// The overlay network `proxy`.
    pub proxy: bool,
    /// A traefik.
    pub traefik: bool,
    /// A backup bot, found by its label.
    pub bot: bool,
    /// The base domains for which there is a route of cc-ci's own through traefik, which can be asked.
    pub routes: BTreeSet<String>,
    /// Whether a traefik is there that `up` did not make.
    pub foreign_traefik: bool,
    /// Whether a bot is there that `up` did not make.
    pub foreign_bot: bool,
    /// The fingerprint of what `up` deployed, empty where it left none.
    pub print: String,
}

/// Looks at the swarm.
///
/// # Errors
/// When the engine does not answer.
pub async fn present(swarm: &Swarm) -> Result<Present, Failure> {
    let facts = swarm.facts().await?;
    let mut found = Present { manager: facts.swarm_active && facts.is_manager, ..Present::default() };
    if !found.manager {
        return Ok(found);
    }
    let networks = swarm.docker().list_networks(None).await.map_err(|error| unreachable(&error))?;
    found.proxy = networks
        .iter()
        .any(|network| network.name.as_deref() == Some("proxy") && network.driver.as_deref() == Some("overlay"));
    for service in swarm.docker().list_services(None).await.map_err(|error| unreachable(&error))? {
        let Some(spec) = service.spec else { continue };
        let labels = spec.labels.unwrap_or_default();
        let image =
            spec.task_template.and_then(|task| task.container_spec).and_then(|spec| spec.image).unwrap_or_default();
        let name = image.split(['@', ':']).next().unwrap_or_default();
        let route = labels.get(ROUTE_LABEL);
        let traefik = route.is_none() && name.rsplit('/').next() == Some("traefik");
        let bot = is_bot(&labels);
        let ours = labels.get(STACK_LABEL).is_some_and(|stack| stack == super::WORLD_STACK);
        found.routes.extend(route.cloned());
        found.traefik |= traefik;
        found.bot |= bot;
        found.foreign_traefik |= traefik && !ours;
        found.foreign_bot |= bot && !ours;
        if let Some(print) = labels.get(PRINT_LABEL).filter(|_| ours) {
            found.print.clone_from(print);
        }
    }
    Ok(found)
}

/// Whether a service is the one behind the route, which has traefik's image.
#[must_use]
pub fn is_route(spec: &ServiceSpec) -> bool {
    spec.labels.as_ref().is_some_and(|labels| labels.contains_key(ROUTE_LABEL))
}

fn is_bot(labels: &HashMap<String, String>) -> bool {
    labels.get("coop-cloud.backupbot.enabled").is_some_and(|value| value == "true")
}

pub(super) fn unreachable(error: &bollard::errors::Error) -> Failure {
    Failure::new(Kind::EngineUnreachable, format!("the docker engine does not answer: {error}"), "run `cc-ci doctor`")
}

impl Present {
    /// What is missing, in words; empty when the world is whole.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let parts = [
            (self.manager, "this engine is no manager of a swarm"),
            (self.proxy, "there is no overlay network called proxy"),
            (self.traefik, "no traefik runs"),
            (self.bot, "no backup bot runs"),
        ];
        parts.into_iter().filter(|(is_there, _)| !is_there).map(|(_, words)| words).collect()
    }
}
