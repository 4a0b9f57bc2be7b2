//! Ports of the host: those that an app publishes, and the holder of one that a task waits for. Swarm only says
//! "already in use".

use bollard::errors::Error;
use bollard::models::{EndpointPortConfigPublishModeEnum as PublishMode, Service, Task};
use bollard::query_parameters::ListServicesOptionsBuilder;
use std::collections::BTreeSet;

use base::failure::{Failure, Kind};
use base::names::StackName;

use super::engine::{Swarm, ask};
use super::labels::of_stack;
use super::read::task_state;
use super::reason::kind_of;
use super::seen::{PortHeld, Snapshot, TaskSeen, TaskState};

/// A port that an app publishes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedPort {
    /// The host's port.
    pub port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

impl Swarm {
    /// The ports that a stack currently publishes on the host, from any of its compose files.
    pub async fn published(&self, stack: &StackName) -> Result<Vec<PublishedPort>, Failure> {
        let options = ListServicesOptionsBuilder::new().filters(&of_stack(stack)).build();
        let services = ask("list services", self.docker().list_services(Some(options))).await?;
        let found: BTreeSet<PublishedPort> = services.iter().flat_map(published).collect();
        Ok(found.into_iter().collect())
    }

    /// Completes a snapshot in which a task waits for a host port. Such a wait is rare, and only then are the services
    /// of other stacks queried.
    pub(super) async fn with_port_holders(&self, mut now: Snapshot) -> Result<Snapshot, Error> {
        if now.tasks.iter().any(waits) {
            let docker = self.docker();
            let (services, tasks) = tokio::try_join!(docker.list_services(None), docker.list_tasks(None))?;
            for task in now.tasks.iter_mut().filter(|task| waits(task)) {
                task.port_held_by = holder(&task.service, &services, &tasks);
            }
        }
        Ok(now)
    }
}

/// Ports chosen by docker are only in the endpoint; those chosen by the recipe are in both.
fn published(service: &Service) -> impl Iterator<Item = PublishedPort> {
    let chosen = service.endpoint.as_ref().and_then(|endpoint| endpoint.ports.as_deref()).unwrap_or_default();
    let spec = service.spec.as_ref().and_then(|spec| spec.endpoint_spec.as_ref());
    let wanted = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    chosen.iter().chain(wanted).filter_map(|port| {
        let number = u16::try_from(port.published_port?).ok().filter(|port| *port > 0)?;
        let protocol = port.protocol.map_or_else(|| "tcp".to_owned(), |protocol| protocol.to_string());
        Some(PublishedPort { port: number, protocol })
    })
}

fn waits(task: &TaskSeen) -> bool {
    task.wanted() && task.state <= TaskState::Pending && kind_of(&task.error) == Some(Kind::PortTaken)
}

/// The service, other than the waiting one, whose task has a node and one of the ports.
fn holder(waiting: &str, services: &[Service], tasks: &[Task]) -> Option<PortHeld> {
    let wanted = services.iter().find(|service| service.id.as_deref() == Some(waiting)).map(host_ports)?;
    services.iter().filter(|service| service.id.as_deref() != Some(waiting)).find_map(|service| {
        let port = *host_ports(service).intersection(&wanted).next()?;
        let holds = tasks.iter().any(|task| {
            let state = task.status.as_ref().and_then(|status| status.state).map_or(TaskState::New, task_state);
            task.service_id == service.id && state > TaskState::Pending && !state.is_over()
        });
        let service = service.spec.as_ref()?.name.clone()?;
        holds.then_some(PortHeld { port, service })
    })
}

/// The ports that a service publishes on its tasks' own nodes.
fn host_ports(service: &Service) -> BTreeSet<u16> {
    let spec = service.spec.as_ref().and_then(|spec| spec.endpoint_spec.as_ref());
    let ports = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    let host = ports.iter().filter(|port| port.publish_mode == Some(PublishMode::HOST));
    host.filter_map(|port| u16::try_from(port.published_port?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::{EndpointPortConfig, EndpointSpec, ServiceSpec, TaskState as State, TaskStatus};

    fn service(id: &str, port: i64, mode: PublishMode) -> Service {
        let port = EndpointPortConfig { published_port: Some(port), publish_mode: Some(mode), ..Default::default() };
        let endpoint = EndpointSpec { ports: Some(vec![port]), ..Default::default() };
        let spec = ServiceSpec { name: Some(format!("{id}_app")), endpoint_spec: Some(endpoint), ..Default::default() };
        Service { id: Some(id.to_owned()), spec: Some(spec), ..Default::default() }
    }

    fn task(service: &str, state: State) -> Task {
        let status = TaskStatus { state: Some(state), ..Default::default() };
        Task { service_id: Some(service.to_owned()), status: Some(status), ..Default::default() }
    }

    #[test]
    fn what_a_stack_publishes_is_told_once_with_its_protocol() {
        let mut voice = service("voice", 64738, PublishMode::HOST);
        let ports = voice.spec.as_mut().and_then(|spec| spec.endpoint_spec.as_mut()).unwrap().ports.as_mut().unwrap();
        ports.push(EndpointPortConfig {
            published_port: Some(64738),
            protocol: Some(bollard::models::EndpointPortConfigProtocolEnum::UDP),
            ..Default::default()
        });
        ports.push(EndpointPortConfig { target_port: Some(80), ..Default::default() });
        let found: Vec<_> = published(&voice).map(|one| format!("{}/{}", one.port, one.protocol)).collect();
        assert_eq!(found, ["64738/tcp", "64738/udp"]);
    }

    #[test]
    fn a_port_is_held_by_a_service_whose_task_has_a_node() {
        let host = PublishMode::HOST;
        let services = [service("new", 443, host), service("old", 443, host), service("far", 80, host)];
        let said = |tasks: &[Task]| holder("new", &services, tasks);
        let held = PortHeld { port: 443, service: "old_app".to_owned() };
        for state in [State::ASSIGNED, State::PREPARING, State::RUNNING] {
            assert_eq!(said(&[task("old", state)]), Some(held.clone()));
        }
        for state in [State::PENDING, State::SHUTDOWN, State::FAILED] {
            assert_eq!(said(&[task("old", state)]), None);
        }
        assert_eq!(said(&[task("new", State::RUNNING), task("far", State::RUNNING)]), None);
        let ingress = [service("new", 443, host), service("old", 443, PublishMode::INGRESS)];
        assert_eq!(holder("new", &ingress, &[task("old", State::RUNNING)]), None);
    }
}
