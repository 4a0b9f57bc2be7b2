//! Stops and restarts services, like a power cut, an update of the host or `abra app restart`: scales them to zero, and
//! back to the previous number. abra's command scales like this too (medium certainty: recollection of its source).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::names::StackName;
use base64::Engine as _;
use bollard::models::{SecretSpec, ServiceSpec};
use bollard::query_parameters::ListServicesOptionsBuilder;
use serde_json::Value;

use super::STACK_LABEL;
use super::engine::{Swarm, ask, failed};
use super::labels::{of_stack, short};

/// The end of a task has no event, so it is polled at this interval.
const PAUSE: Duration = Duration::from_millis(150);
/// Number of attempts: swarm's own status changes during an update raise the version of a service.
const TRIES: usize = 5;

/// A deployed service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFacts {
    /// Its short name.
    pub name: String,
    /// Its image, without the digest.
    pub image: String,
    /// Number of tasks; `None` for a global service or a job.
    pub replicas: Option<u64>,
    /// The full names of its secrets.
    pub secrets: BTreeSet<String>,
}

/// A stopped service, with the data to restart it.
#[derive(Debug, Clone)]
pub struct DownService {
    /// Its short name.
    pub name: String,
    full: String,
    spec: Value,
}

impl DownService {
    /// A copy with other secrets under the same names, as a wrong password: each full name has a replacement.
    pub fn with_secrets(&self, replaced: &[(String, StandIn)]) -> Self {
        let mut changed = self.clone();
        let secrets = changed.spec.pointer_mut("/TaskTemplate/ContainerSpec/Secrets").and_then(Value::as_array_mut);
        for secret in secrets.into_iter().flatten() {
            let of = |(name, _): &&(String, StandIn)| secret.get("SecretName").and_then(Value::as_str) == Some(name);
            if let Some((_, other)) = replaced.iter().find(of) {
                secret["SecretID"] = other.id.as_str().into();
                secret["SecretName"] = other.name.as_str().into();
            }
        }
        changed
    }
}

/// A secret that replaces another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    name: String,
    id: String,
}

impl StandIn {
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Swarm {
    /// The deployed services of a stack, by name.
    pub async fn service_facts(&self, stack: &StackName) -> Result<Vec<ServiceFacts>, Failure> {
        let options = ListServicesOptionsBuilder::new().filters(&of_stack(stack)).build();
        let services = ask("list services", self.docker().list_services(Some(options))).await?;
        let mut facts: Vec<ServiceFacts> =
            services.into_iter().filter_map(|service| Some(facts(stack, &service.spec?))).collect();
        facts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(facts)
    }

    /// Stops a service and waits until no process of it runs. The process gets the recipe's stop signal and grace
    /// period.
    ///
    /// # Errors
    /// The engine does not answer, or does not stop it in time.
    pub async fn take_down(&self, stack: &StackName, name: &str, deadline: Instant) -> Result<DownService, Failure> {
        let full = stack.object(name);
        let (_, spec) = self.inspected(&full).await?;
        let mut none = spec.clone();
        if let Some(replicas) = none.pointer_mut("/Mode/Replicated/Replicas") {
            *replicas = 0.into();
        }
        self.respecify(&full, &none).await?;
        while self.has_process(stack, name).await? {
            if Instant::now() >= deadline {
                return Err(Failure::new(
                    Kind::RuntimeFailed,
                    format!("service {name} was scaled to zero, and a replica still exists"),
                    "the engine's log; the container's stop_grace_period",
                ));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(DownService { name: name.to_owned(), full, spec })
    }

    /// Restarts a service with its previous spec.
    pub async fn bring_back(&self, down: &DownService) -> Result<(), Failure> {
        self.respecify(&down.full, &down.spec).await
    }

    /// Creates a secret of a stack, which is removed with the stack.
    pub async fn make_secret(&self, stack: &StackName, short: &str, value: &str) -> Result<StandIn, Failure> {
        let name = stack.object(short);
        let spec = SecretSpec {
            name: Some(name.clone()),
            labels: Some([(STACK_LABEL.to_owned(), stack.to_string())].into()),
            data: Some(base64::engine::general_purpose::STANDARD.encode(value)),
            ..SecretSpec::default()
        };
        let made = ask("create a secret", self.docker().create_secret(spec)).await?;
        Ok(StandIn { name, id: made.id })
    }

    /// Whether a task of a service still has a process, or may get one.
    async fn has_process(&self, stack: &StackName, name: &str) -> Result<bool, Failure> {
        let now = self.snapshot(stack).await.map_err(|e| failed("list what runs", &e))?;
        let Some(service) = now.services.iter().find(|service| service.name == name) else { return Ok(false) };
        let tasks = now.tasks.iter().filter(|task| task.service == service.id);
        Ok(tasks.into_iter().any(|task| {
            let runs = now.containers.iter().any(|container| container.task == task.id && container.running);
            runs || !task.state.is_over()
        }))
    }

    /// The version and the spec of a service.
    async fn inspected(&self, full: &str) -> Result<(u64, Value), Failure> {
        let mut service = self.ask_raw(&format!("/services/{full}"), None).await?.ok("inspect a service")?;
        let version = service.pointer("/Version/Index").and_then(Value::as_u64).unwrap_or_default();
        Ok((version, service["Spec"].take()))
    }

    /// Sets a service's spec, regardless of swarm's concurrent status changes.
    async fn respecify(&self, full: &str, spec: &Value) -> Result<(), Failure> {
        let mut tries = 0;
        loop {
            let (version, _) = self.inspected(full).await?;
            let answer = self.ask_raw(&format!("/services/{full}/update?version={version}"), Some(spec)).await?;
            if tries < TRIES && answer.said().contains("out of sequence") {
                tries += 1;
                continue;
            }
            return answer.ok(&format!("change service {full}")).map(drop);
        }
    }
}

fn facts(stack: &StackName, spec: &ServiceSpec) -> ServiceFacts {
    let container = spec.task_template.as_ref().and_then(|task| task.container_spec.as_ref());
    let image = container.and_then(|container| container.image.as_deref()).unwrap_or_default();
    let secrets = container.and_then(|container| container.secrets.as_ref()).into_iter().flatten();
    let replicated = spec.mode.as_ref().and_then(|mode| mode.replicated.as_ref());
    ServiceFacts {
        name: short(stack, spec.name.as_deref().unwrap_or_default()).to_owned(),
        image: image.split('@').next().unwrap_or_default().to_owned(),
        replicas: replicated.map(|mode| mode.replicas.and_then(|count| u64::try_from(count).ok()).unwrap_or(1)),
        secrets: secrets.filter_map(|secret| secret.secret_name.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::{
        ServiceSpecMode, ServiceSpecModeReplicated, TaskSpec, TaskSpecContainerSpec, TaskSpecContainerSpecSecrets,
    };

    use super::*;

    fn spec(secrets: &[&str]) -> ServiceSpec {
        let secret = |name: &&str| TaskSpecContainerSpecSecrets {
            secret_name: Some((*name).to_owned()),
            secret_id: Some(format!("id of {name}")),
            ..Default::default()
        };
        ServiceSpec {
            name: Some("s_db".to_owned()),
            mode: Some(ServiceSpecMode {
                replicated: Some(ServiceSpecModeReplicated { replicas: Some(2) }),
                ..Default::default()
            }),
            task_template: Some(TaskSpec {
                container_spec: Some(TaskSpecContainerSpec {
                    image: Some("postgres:15@sha256:00".to_owned()),
                    secrets: Some(secrets.iter().map(secret).collect()),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    #[test]
    fn a_service_is_read_without_its_stack_and_digest() {
        let stack = StackName::try_from("s".to_owned()).unwrap();
        let read = facts(&stack, &spec(&["s_db_password_v1"]));
        assert_eq!((read.name.as_str(), read.image.as_str(), read.replicas), ("db", "postgres:15", Some(2)));
        assert!(read.secrets.contains("s_db_password_v1"));
        let global = ServiceSpec { mode: None, ..spec(&[]) };
        assert_eq!(facts(&stack, &global).replicas, None);
    }

    #[test]
    fn one_secret_takes_the_place_of_another_and_the_rest_stays() {
        let spec = serde_json::to_value(spec(&["s_a_v1", "s_b_v1"])).unwrap();
        let down = DownService { name: "app".to_owned(), full: "s_app".to_owned(), spec };
        let other = StandIn { name: "s_wrong".to_owned(), id: "other".to_owned() };
        let changed = down.with_secrets(&[("s_b_v1".to_owned(), other)]);
        let ids = |down: &DownService| -> Vec<String> {
            let secrets = down.spec.pointer("/TaskTemplate/ContainerSpec/Secrets").unwrap().as_array().unwrap();
            secrets.iter().map(|one| one["SecretID"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&changed), ["id of s_a_v1", "other"]);
        assert_eq!(ids(&down), ["id of s_a_v1", "id of s_b_v1"]);
    }
}
