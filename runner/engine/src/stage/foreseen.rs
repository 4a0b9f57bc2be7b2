//! What can be known of the head before it is deployed, besides what docker's loader says: its variables, its
//! routes, and what its images have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base::failure::{Failure, Kind};
use coopcloud::compose::{Compose, Service};
use coopcloud::envfile::EnvFile;
use coopcloud::route::{NoWay, Routing};
use coopcloud::router_rule::RoutedRequest;
use serde_json::Value;
use swarm::ContainerLook;
use tokio::task::JoinHandle;

use crate::context::{StageRun, Step};
use journal::text::count;
use plan::foreseen::{Given, foreseen};

/// The network that traefik shares with the apps.
pub(super) const PROXY: &str = "proxy";

/// Words of commands that bring programs into a container once it runs.
const INSTALLS: [&str; 8] =
    ["apk add", "apt-get", "apt install", "dnf ", "yum ", "pip install", "npm install", "install "];

/// Variables, settings and hints.
pub(super) async fn variables(cx: &mut StageRun, head: &str, env: &EnvFile, compose: &Compose) -> Step {
    cx.check("prepare.variables", async |cx: &mut StageRun| {
        let vars = plan::revision::variables_of(&cx.app.checkout, head, env, cx.app.spec.stack.as_str());
        let sample = cx.app.checkout.file(head, ".env.sample").unwrap_or_default();
        let known = foreseen(&Given { compose, env, vars: &vars, sample: &sample }, |file| {
            cx.app.checkout.file(head, file.trim_start_matches("./"))
        });
        for note in known.notes {
            cx.note(note);
        }
        // Steps of the recipe's folder may set more.
        match known.failure.filter(|_| !cx.has_install_steps()) {
            Some(failure) => Err(failure),
            None => Ok((format!("{} in the compose files", count(compose.variables.len(), "variable")), ())),
        }
    })
    .await
}

/// The routing labels lead a request of cc-ci to the app.
pub(super) async fn route(cx: &mut StageRun, compose: &Compose) -> Step {
    let labels = compose.services.iter().map(|service| (service.name.clone(), service.labels.clone())).collect();
    let routing = Routing::of(&labels);
    let strays = strays(compose);
    // Without a router there is nothing to judge: traefik may know the app by a file, or it speaks no HTTP.
    let none = routing.routers.is_empty() && routing.not_enabled.is_empty() && strays.is_none();
    let is_asked = cx.app.toml.health.http && cx.app.opted_out("install.answers").is_none();
    if none || !is_asked || cx.has_install_steps() {
        return Ok(());
    }
    cx.check("prepare.route", async |cx: &mut StageRun| {
        let wanted = RoutedRequest { host: cx.app.spec.domain.as_str(), path: cx.app.toml.health.path.as_str() };
        let way = routing.no_way(wanted, &networks(compose, &cx.app.spec.stack.object("")), PROXY);
        if let (None, Some(strays)) = (&way, &strays)
            && !routing.routers.is_empty()
        {
            cx.note(strays.what.clone());
        }
        match way.or(strays.filter(|_| routing.routers.is_empty())) {
            None => Ok((format!("a router takes {}{}", wanted.host, wanted.path), ())),
            // The recipe may be right, and cc-ci asks at the wrong place.
            Some(no) if no.is_path => Err(Failure::new(Kind::CheckBroken, no.what, no.look_at)),
            Some(no) => Err(Failure::new(Kind::NoRoute, no.what, no.look_at)),
        }
    })
    .await
}

/// Routing labels that traefik does not see, of the first service with such.
pub(super) fn strays(compose: &Compose) -> Option<NoWay> {
    let name = &compose.services.iter().find(|service| has_stray_labels(service))?.name;
    Some(NoWay {
        what: format!(
            "service {name} has routing labels in `labels`, which sit on its containers; in swarm mode traefik reads \
             `deploy.labels` alone"
        ),
        look_at: format!("the labels of service {name}: move them below deploy"),
        is_path: false,
    })
}

/// Whether routing labels sit where traefik does not read them, and none where it does.
fn has_stray_labels(service: &Service) -> bool {
    let is_route = |key: &str| key.starts_with("traefik.http.routers.");
    let stray = service.field("labels").map(Value::to_string).unwrap_or_default();
    stray.contains("traefik.http.routers.") && !service.labels.keys().any(|key| is_route(key))
}

/// The networks of each service, by the names that they have on the swarm.
pub(super) fn networks(compose: &Compose, prefix: &str) -> BTreeMap<String, BTreeSet<String>> {
    let full = |key: &String| match compose.networks.iter().find(|network| network.key == *key) {
        Some(network) if network.external || network.name != network.key => network.name.clone(),
        _ => format!("{prefix}{key}"),
    };
    let of = |service: &Service| -> BTreeSet<String> {
        match service.field("networks") {
            Some(Value::Array(keys)) => {
                keys.iter().filter_map(Value::as_str).map(|key| full(&key.to_owned())).collect()
            }
            Some(Value::Object(keys)) => keys.keys().map(full).collect(),
            _ => BTreeSet::from([full(&"default".to_owned())]),
        }
    };
    compose.services.iter().map(|service| (service.name.clone(), of(service))).collect()
}

/// Looks into images that goes on while prepare does something else, in the order of the services.
pub(super) struct EarlyLooks(Vec<JoinHandle<Result<Vec<String>, Failure>>>);

impl EarlyLooks {
    /// Begins with the images that are here already; the others are looked into once they are.
    pub(super) fn begin(cx: &StageRun, compose: &Compose) -> Self {
        let begin = |look: ContainerLook| {
            let (swarm, stack, run) = (cx.run.swarm.clone(), cx.app.spec.stack.clone(), cx.run.started.run.to_string());
            // It removes what it makes, so it is never ended in the middle.
            tokio::spawn(async move { swarm.lacks(&run, &stack, &look).await })
        };
        Self(compose.services.iter().filter_map(look).map(begin).collect())
    }

    /// Waits for those that nothing has asked for.
    pub(super) async fn end(&mut self) {
        futures_util::future::join_all(self.0.drain(..)).await;
    }
}

/// The images are built for this machine, and have what the healthchecks call.
pub(super) async fn images(cx: &mut StageRun, compose: &Compose, early: &mut EarlyLooks) -> Step {
    cx.check("prepare.platform", async |cx: &mut StageRun| {
        let images = compose.images();
        for (image, built) in cx.run.swarm.of_other_platforms(&images).await? {
            if emulates(&built) {
                cx.note(format!("the image {image} is built for {built}; this machine emulates that, slowly"));
                continue;
            }
            return Err(Failure::new(
                Kind::PlatformMissing,
                format!("the image {image} is built for {built}, and this machine is another"),
                "an image that is built for it; `docker manifest inspect` lists the platforms of one",
            ));
        }
        Ok((format!("{} for this machine", count(images.len(), "image")), ()))
    })
    .await?;
    let looks: Vec<(&Service, ContainerLook)> =
        compose.services.iter().filter_map(|one| Some((one, look(one)?))).collect();
    if looks.is_empty() {
        return Ok(());
    }
    cx.check("prepare.healthcheck", async |cx: &mut StageRun| {
        let run = cx.run.started.run.to_string();
        let early = futures_util::future::join_all(early.0.drain(..)).await;
        let early = early.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let found = looks.iter().zip(early).map(async |((_, look), early)| match early {
            Some(Ok(Ok(lacking))) => Ok(lacking),
            // Its image was not here then.
            _ => cx.run.swarm.lacks(&run, &cx.app.spec.stack, look).await,
        });
        let found = futures_util::future::join_all(found).await;
        for ((service, look), lacking) in looks.iter().zip(found) {
            let Some(program) = lacking?.into_iter().next() else { continue };
            let (name, image) = (&service.name, &look.image);
            let what =
                format!("the healthcheck of service {name} calls {program}, which the image {image} does not have");
            if may_come_later(service, &program) {
                cx.note(format!("{what}; something of the recipe may bring it"));
                continue;
            }
            let look_at = "a program in healthcheck.test that the image has, or an image with this one";
            return Err(Failure::new(Kind::HealthcheckMissing, what, look_at));
        }
        Ok(("the images have what the healthchecks call".to_owned(), ()))
    })
    .await
}

/// What to look for in a service's image.
fn look(service: &Service) -> Option<ContainerLook> {
    let programs = service.health_programs();
    let image = service.image.clone().filter(|_| !programs.is_empty())?;
    let path = match service.field("environment") {
        Some(Value::Object(map)) => map.get("PATH").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    Some(ContainerLook { image, programs, path })
}

/// Whether a program that the image does not have may be there when the healthcheck runs: mounted, or installed.
fn may_come_later(service: &Service, program: &str) -> bool {
    let text = |field: &str| service.field(field).map(Value::to_string).unwrap_or_default();
    let commands = format!("{} {}", text("entrypoint"), text("command"));
    let targets = service.mounts.iter().map(|mount| mount.target.clone());
    let configs = service.field("configs").and_then(Value::as_array).cloned().unwrap_or_default();
    let configs: Vec<String> =
        configs.iter().filter_map(|config| config.get("target")?.as_str().map(str::to_owned)).collect();
    // A script in the place of the image's own entrypoint may do anything.
    let is_script = configs.iter().any(|target| {
        let is_hook = target.ends_with(".sh") || target.contains("entrypoint") || target.contains(".d/");
        is_hook || commands.contains(target.as_str())
    });
    let mounted = targets.chain(configs).any(|target| match program.contains('/') {
        true => program.starts_with(&target),
        false => target.ends_with(&format!("/{program}")) || target.ends_with("/bin"),
    });
    mounted || is_script || INSTALLS.iter().any(|words| commands.contains(words))
}

/// Whether the kernel here starts programs of another processor through an emulator.
fn emulates(built: &str) -> bool {
    let name = match built {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    };
    Path::new("/proc/sys/fs/binfmt_misc").join(format!("qemu-{name}")).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compose(text: &str) -> Compose {
        Compose::load(&[("compose.yml".to_owned(), text.to_owned())], &BTreeMap::new()).unwrap()
    }

    #[test]
    fn networks_have_the_names_of_the_swarm() {
        let text = "services:\n  app: {image: a, networks: [proxy, inner]}\n  db: {image: b, networks: {inner: {}}}\n  \
                    job: {image: c}\nnetworks: {proxy: {external: true}, inner: {}}\n";
        let found = networks(&compose(text), "x_");
        let of = |name: &str| found[name].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!((of("app"), of("db"), of("job")), (vec!["proxy", "x_inner"], vec!["x_inner"], vec!["x_default"]));
    }

    #[test]
    fn labels_in_the_wrong_place_are_seen() {
        let of =
            |text: &str| has_stray_labels(&compose(&format!("services: {{app: {{image: a, {text}}}}}\n")).services[0]);
        assert!(of("labels: ['traefik.http.routers.x.rule=Host(`a`)']"));
        assert!(!of("deploy: {labels: ['traefik.http.routers.x.rule=Host(`a`)']}"));
        assert!(!of("labels: [a=b]"));
    }

    #[test]
    fn what_a_recipe_brings_itself_is_no_lack() {
        let of = |more: &str| {
            let compose = compose(&format!("services:\n  app:\n    image: a\n{more}configs: {{c: {{file: x}}}}\n"));
            may_come_later(&compose.services[0], "curl")
        };
        assert!(!of(""));
        assert!(!of("    command: [serve, --port, '80']\n"));
        assert!(of("    command: [sh, -c, 'apk add curl; exec serve']\n"));
        assert!(of("    entrypoint: /start.sh\n    configs: [{source: c, target: /start.sh}]\n"));
        assert!(of("    configs: [{source: c, target: /usr/bin/curl}]\n"));
        assert!(of("    configs: [{source: c, target: /docker-entrypoint.d/10-tools}]\n"));
    }
}
