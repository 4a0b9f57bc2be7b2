//! The existing parts of the world, whoever created them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base::failure::{Failure, Kind};
use bollard::models::ServiceSpec;
use swarm::{RUN_LABEL, STACK_LABEL, Swarm, with_tag};

/// The label with the fingerprint of the deployment by `up`.
pub(super) const PRINT_LABEL: &str = "cc-ci.world.print";

/// The label of a container deployed by `up`: the id of its image. The same name may refer to another image later.
pub(super) const IMAGE_LABEL: &str = "cc-ci.world.image";

/// The label of the service behind cc-ci's own route.
pub(super) const ROUTE_LABEL: &str = "cc-ci.world.route";

/// The parts of the world.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Present {
    /// Swarm mode is on, and this node is a manager.
    pub manager: bool,
    /// The overlay network `proxy`.
    pub proxy: bool,
    pub traefik: bool,
    /// A backup bot, found by its label.
    pub bot: bool,
    /// The base domains with cc-ci's own route through traefik, which can be requested.
    pub routes: BTreeSet<String>,
    /// The service of a traefik that `up` did not create.
    pub foreign_traefik: Option<String>,
    /// The service of a bot that `up` did not create.
    pub foreign_bot: Option<String>,
    /// Whether the traefik of `up` exists.
    pub own_traefik: bool,
    /// The fingerprint of the deployment by `up`, or empty.
    pub print: String,
    /// The ids of the images deployed by `up`, by name.
    pub images: BTreeMap<String, String>,
}

/// Queries the swarm.
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
        if let Some(spec) = service.spec {
            found.see(spec);
        }
    }
    Ok(found)
}

/// Whether a service is a traefik that serves this swarm: neither the one behind the route, which has traefik's image,
/// nor one of a run, which may test the recipe traefik.
pub fn is_traefik(spec: &ServiceSpec) -> bool {
    let has = |label| spec.labels.as_ref().is_some_and(|labels| labels.contains_key(label));
    let image = spec.task_template.as_ref().and_then(|task| task.container_spec.as_ref()?.image.as_deref());
    image.is_some_and(is_traefiks) && !has(ROUTE_LABEL) && !has(RUN_LABEL)
}

/// Whether an image is traefik's, by the last part of its name: a server may have it from its own registry.
fn is_traefiks(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split(['@', ':']).next() == Some("traefik")
}

fn is_bot(labels: &HashMap<String, String>) -> bool {
    labels.get("coop-cloud.backupbot.enabled").is_some_and(|value| value == "true")
}

pub(super) fn unreachable(error: &bollard::errors::Error) -> Failure {
    Failure::new(Kind::EngineUnreachable, format!("the docker engine does not answer: {error}"), "run `cc-ci doctor`")
}

impl Present {
    fn see(&mut self, spec: ServiceSpec) {
        let traefik = is_traefik(&spec);
        let name = spec.name.unwrap_or_default();
        let labels = spec.labels.unwrap_or_default();
        let container = spec.task_template.and_then(|task| task.container_spec).unwrap_or_default();
        let image = container.image.unwrap_or_default();
        let route = labels.get(ROUTE_LABEL);
        let bot = is_bot(&labels);
        self.routes.extend(route.cloned());
        self.traefik |= traefik;
        self.bot |= bot;
        if labels.get(STACK_LABEL).is_some_and(|stack| stack == super::WORLD_STACK) {
            self.own_traefik |= traefik;
            if let Some(print) = labels.get(PRINT_LABEL) {
                self.print.clone_from(print);
            }
            let image = with_tag(image.split('@').next().unwrap_or_default());
            self.images.extend(container.labels.and_then(|mut of| of.remove(IMAGE_LABEL)).map(|id| (image, id)));
        } else if traefik {
            self.foreign_traefik.get_or_insert(name);
        } else if bot {
            self.foreign_bot.get_or_insert(name);
        }
    }

    /// The missing parts for people; empty if the world is complete.
    pub fn missing(&self) -> Vec<&'static str> {
        let parts = [
            (self.manager, "this engine is no manager of a swarm"),
            (self.proxy, "the overlay network proxy does not exist"),
            (self.traefik, "no traefik runs"),
            (self.bot, "no backup bot runs"),
        ];
        parts.into_iter().filter(|(is_there, _)| !is_there).map(|(_, words)| words).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn seen(services: &[Value]) -> Present {
        let mut found = Present::default();
        services.iter().for_each(|spec| found.see(serde_json::from_value(spec.clone()).unwrap()));
        found
    }

    fn service(name: &str, image: &str, labels: Value) -> Value {
        json!({ "Name": name, "Labels": labels, "TaskTemplate": { "ContainerSpec": { "Image": image } } })
    }

    #[test]
    fn a_servers_own_traefik_is_known_by_its_image_wherever_that_is_from() {
        for image in [
            "traefik:v3.6@sha256:00",
            "docker.io/library/traefik",
            "localhost:5000/traefik:2",
            "r.example.org:5000/t/traefik@sha256:00",
        ] {
            let labels = json!({ STACK_LABEL: "traefik_example_org" });
            let found = seen(&[service("traefik_example_org_app", image, labels)]);
            assert_eq!(found.foreign_traefik.as_deref(), Some("traefik_example_org_app"), "{image}");
            assert!(found.traefik && !found.own_traefik);
        }
        for image in ["traefik.example.org/nginx:1", "traefik:5000/nginx", "org/traefik-mesh:1", "nginx:traefik"] {
            assert_eq!(seen(&[service("app", image, json!({}))]), Present::default(), "{image}");
        }
    }

    #[test]
    fn a_run_that_tests_the_recipe_traefik_brings_no_traefik_of_the_servers_own() {
        let labels = json!({ STACK_LABEL: "traefik-1a2b3c4_ci_localhost", RUN_LABEL: "20261128-091403-kxqv" });
        assert_eq!(seen(&[service("app", "traefik:v3.6", labels)]), Present::default());
    }

    #[test]
    fn what_up_deployed_is_its_own_with_its_images() {
        let ours = |name: &str, image: &str, more: Value, id: &str| {
            let mut labels = json!({ STACK_LABEL: super::super::WORLD_STACK, PRINT_LABEL: "p1" });
            labels.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let mut service = service(name, image, labels);
            service["TaskTemplate"]["ContainerSpec"]["Labels"] = json!({ IMAGE_LABEL: id });
            service
        };
        let bot = json!({ "coop-cloud.backupbot.enabled": "true" });
        let found = seen(&[
            ours("w_traefik", "traefik:v3.6@sha256:00", json!({}), "sha256:1"),
            ours("w_bot", "bot", bot.clone(), "sha256:2"),
            ours("w_route", "traefik:v3.6", json!({ ROUTE_LABEL: "ci.localhost" }), "sha256:1"),
        ]);
        assert!(found.traefik && found.own_traefik && found.bot);
        assert_eq!((&found.foreign_traefik, &found.foreign_bot, found.print.as_str()), (&None, &None, "p1"));
        let images = [("bot:latest", "sha256:2"), ("traefik:v3.6", "sha256:1")];
        assert_eq!(found.images, images.map(|(name, id)| (name.to_owned(), id.to_owned())).into());
        let others = seen(&[service("backups_app", "backup-bot-two:2", bot)]);
        assert_eq!(others.foreign_bot.as_deref(), Some("backups_app"));
    }
}
