//! Stacks for tests.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use base::failure::Failure;
use base::names::StackName;
use bollard::models::{
    EndpointPortConfig, EndpointPortConfigProtocolEnum, EndpointPortConfigPublishModeEnum, EndpointSpec,
    EndpointSpecModeEnum, HealthConfig, ServiceSpec, ServiceSpecMode, ServiceSpecModeReplicated, TaskSpec,
    TaskSpecContainerSpec, TaskSpecRestartPolicy, TaskSpecRestartPolicyConditionEnum,
};
use bollard::query_parameters::UpdateServiceOptionsBuilder;
use futures_util::FutureExt;
use rand::Rng;
use swarm::{Before, Removal, STACK_LABEL, Settled, Swarm, Watch};

/// The world's own small image: a static busybox as the entrypoint, and no shell.
pub(crate) const IMAGE: &str = "testbed.invalid/busybox:1";

/// A stack of a test.
pub(crate) struct Stack {
    pub(crate) swarm: Swarm,
    pub(crate) name: StackName,
}

pub(crate) fn soon(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

pub(crate) async fn swarm() -> Swarm {
    let swarm = Swarm::connect().await.expect("a docker engine, made by ./dev");
    let facts = swarm.facts().await.unwrap();
    assert!(facts.is_manager, "swarm mode is not active here: ./dev makes a world, or run `docker swarm init`");
    assert!(swarm.present(IMAGE).await.unwrap(), "there is no image {IMAGE}: ./dev builds it");
    swarm
}

/// Gives a test its own stack name, and removes what it created, even on failure.
pub(crate) async fn with_stack(test: impl AsyncFnOnce(&Stack)) {
    let letters: String = rand::rng().sample_iter(rand::distr::Alphanumeric).take(8).map(char::from).collect();
    let stack = Stack {
        swarm: swarm().await,
        name: StackName::try_from(format!("harness-{}", letters.to_lowercase())).unwrap(),
    };
    let ended = AssertUnwindSafe(test(&stack)).catch_unwind().await;
    let left = stack.swarm.remove(&stack.name, Removal::Kill, soon(30)).await.unwrap();
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
    assert_eq!(left, [], "the test's objects are still there");
}

impl Stack {
    pub(crate) async fn make(&self, service: &str, spec: ServiceSpec) {
        let name = Some(self.name.object(service));
        self.swarm.docker().create_service(self.labelled(ServiceSpec { name, ..spec }), None).await.unwrap();
    }

    /// Updates a service's spec, like a second deployment.
    pub(crate) async fn change(&self, service: &str, spec: ServiceSpec) {
        let name = self.name.object(service);
        let now = self.swarm.docker().inspect_service(&name, None).await.unwrap();
        let version = i32::try_from(now.version.unwrap().index.unwrap()).unwrap();
        let options = UpdateServiceOptionsBuilder::new().version(version).build();
        let spec = self.labelled(ServiceSpec { name: Some(name.clone()), ..spec });
        self.swarm.docker().update_service(&name, spec, options, None).await.unwrap();
    }

    fn labelled(&self, mut spec: ServiceSpec) -> ServiceSpec {
        let label = (STACK_LABEL.to_owned(), self.name.to_string());
        spec.labels.get_or_insert_default().extend([label.clone()]);
        let container = spec.task_template.as_mut().unwrap().container_spec.as_mut().unwrap();
        container.labels = Some(HashMap::from([label]));
        spec
    }

    pub(crate) async fn watch(&self) -> Watch {
        self.swarm.watch(&self.name).await.unwrap()
    }

    /// Creates services and waits for them.
    pub(crate) async fn deploy(&self, services: Vec<(&str, ServiceSpec)>) -> Result<Settled, Failure> {
        let mut watch = self.watch().await;
        for (name, spec) in services {
            self.make(name, spec).await;
        }
        watch.settled(&Before::default(), soon(60), &mut |_| {}).await
    }
}

/// A service of one replica that runs busybox with these arguments, with a short restart delay.
pub(crate) fn runs(words: &[&str]) -> ServiceSpec {
    ServiceSpec {
        task_template: Some(TaskSpec {
            container_spec: Some(TaskSpecContainerSpec {
                image: Some(IMAGE.to_owned()),
                args: Some(words.iter().map(|word| (*word).to_owned()).collect()),
                ..Default::default()
            }),
            restart_policy: Some(TaskSpecRestartPolicy {
                condition: Some(TaskSpecRestartPolicyConditionEnum::ANY),
                delay: Some(200_000_000),
                ..Default::default()
            }),
            ..Default::default()
        }),
        mode: replicas(1),
        // Virtual addresses need IPVS, which a kernel may lack.
        endpoint_spec: Some(EndpointSpec { mode: Some(EndpointSpecModeEnum::DNSRR), ports: None }),
        ..Default::default()
    }
}

/// A service that stays up.
pub(crate) fn stays() -> ServiceSpec {
    runs(&["tail", "-f", "/dev/null"])
}

/// A service that exits at once.
pub(crate) fn exits(code: u8) -> ServiceSpec {
    runs(&["sh", "-c", &format!("echo about to fail; exit {code}")])
}

/// A service that ignores its stop signal.
pub(crate) fn ignores_sigterm() -> ServiceSpec {
    runs(&["sh", "-c", "trap '' TERM; while :; do /bin/busybox sleep 1000 & wait; done"])
}

pub(crate) fn replicas(count: i64) -> Option<ServiceSpecMode> {
    Some(ServiceSpecMode {
        replicated: Some(ServiceSpecModeReplicated { replicas: Some(count) }),
        ..Default::default()
    })
}

pub(crate) fn template(spec: &mut ServiceSpec) -> &mut TaskSpec {
    spec.task_template.as_mut().unwrap()
}

pub(crate) fn container(spec: &mut ServiceSpec) -> &mut TaskSpecContainerSpec {
    template(spec).container_spec.as_mut().unwrap()
}

/// The same with a healthcheck that busybox runs every 200 ms, twice at most.
pub(crate) fn checked(mut spec: ServiceSpec, words: &[&str]) -> ServiceSpec {
    let test = ["CMD", "/bin/busybox"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    container(&mut spec).health_check = Some(HealthConfig {
        test: Some(test),
        interval: Some(200_000_000),
        timeout: Some(5_000_000_000),
        retries: Some(2),
        ..Default::default()
    });
    spec
}

/// The same with a host port.
pub(crate) fn publishes(mut spec: ServiceSpec, port: u16) -> ServiceSpec {
    spec.endpoint_spec = Some(EndpointSpec {
        mode: Some(EndpointSpecModeEnum::DNSRR),
        ports: Some(vec![EndpointPortConfig {
            protocol: Some(EndpointPortConfigProtocolEnum::TCP),
            target_port: Some(80),
            published_port: Some(port.into()),
            publish_mode: Some(EndpointPortConfigPublishModeEnum::HOST),
            ..Default::default()
        }]),
    });
    spec
}
