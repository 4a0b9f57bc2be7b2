//! Builds a [`Snapshot`] from the engine's responses.

use std::collections::{BTreeSet, HashMap};

use base::failure::Failure;
use base::names::StackName;
use base::text::is_true;
use bollard::models::{
    ContainerSummary, ContainerSummaryStateEnum, EndpointSpec, EndpointSpecModeEnum as EndpointMode, Service,
    ServiceSpec, ServiceSpecUpdateConfigFailureActionEnum as Action, ServiceUpdateStatusStateEnum, Task, TaskSpec,
    TaskSpecRestartPolicyConditionEnum as Condition, TaskState as State,
};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListServicesOptionsBuilder, ListTasksOptionsBuilder};
use jiff::Timestamp;

use super::TASK_LABEL;
use super::engine::{Swarm, failed};
use super::judge::{Fallen, fallen};
use super::labels::{of_stack, short};
use super::mentions::mentioned;
use super::seen::{
    Before, ContainerSeen, Health, Listens, Mode, OnFailure, Restart, ServiceBefore, ServiceSeen, Snapshot, TaskSeen,
    TaskState, Update, UpdateState,
};

impl Swarm {
    /// What runs now: take it before a deployment and pass it to [`Watch::settled`](super::Watch::settled) afterwards.
    pub async fn before(&self, stack: &StackName) -> Result<Before, Failure> {
        let now = self.snapshot(stack).await.map_err(|e| failed("list what runs", &e))?;
        let before = |service: &ServiceSeen| ServiceBefore {
            name: service.name.clone(),
            image: service.image.clone(),
            version: service.version,
            endpoint: service.endpoint.clone(),
            update: service.update.as_ref().map(|update| update.state),
        };
        Ok(Before {
            services: now.services.iter().map(|service| (service.id.clone(), before(service))).collect(),
            tasks: now.tasks.iter().map(|task| task.id.clone()).collect(),
            over: now.tasks.iter().filter(|task| task.state.is_over()).map(|task| task.id.clone()).collect(),
            containers: now.containers.iter().filter(|c| c.running).map(|c| c.id.clone()).collect(),
            outlive: false,
        })
    }

    /// The services that have ended by themselves since they had settled.
    pub async fn fallen(&self, stack: &StackName, settled: &Before) -> Result<Vec<Fallen>, Failure> {
        let now = self.snapshot(stack).await.map_err(|e| failed("list what runs", &e))?;
        Ok(fallen(&now, settled))
    }

    /// A snapshot of the stack: three lists, queried concurrently.
    pub(super) async fn snapshot(&self, stack: &StackName) -> Result<Snapshot, bollard::errors::Error> {
        let filters = of_stack(stack);
        let services = ListServicesOptionsBuilder::new().filters(&filters).build();
        let tasks = ListTasksOptionsBuilder::new().filters(&filters).build();
        let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let docker = self.docker();
        let (services, tasks, containers) = tokio::try_join!(
            docker.list_services(Some(services)),
            docker.list_tasks(Some(tasks)),
            docker.list_containers(Some(containers)),
        )?;
        self.with_port_holders(snapshot(stack, &services, &tasks, &containers, Timestamp::now())).await
    }
}

fn snapshot(
    stack: &StackName,
    services: &[Service],
    tasks: &[Task],
    containers: &[ContainerSummary],
    at: Timestamp,
) -> Snapshot {
    let by_id: HashMap<&str, &Service> =
        services.iter().filter_map(|service| Some((service.id.as_deref()?, service))).collect();
    let mut now = Snapshot {
        services: services.iter().map(|service| service_seen(stack, service, at)).collect(),
        tasks: tasks.iter().filter_map(|task| task_seen(task, &by_id, at)).collect(),
        containers: containers.iter().filter_map(container_seen).collect(),
    };
    let names: Vec<String> = now.services.iter().map(|service| service.name.clone()).collect();
    for service in &mut now.services {
        let Some(spec) = by_id.get(service.id.as_str()).and_then(|service| service.spec.as_ref()) else { continue };
        let (settings, texts) = spoken(spec);
        let others = names.iter().filter(|name| **name != service.name).map(String::as_str);
        service.mentions = mentioned(&settings, &texts, others);
    }
    now.services.sort_by(|a, b| a.name.cmp(&b.name));
    // The engine trims zeros at the end of a time, so its text does not sort.
    now.tasks.sort_by_cached_key(|task| (task.created.parse::<Timestamp>().ok(), task.id.clone()));
    now
}

fn service_seen(stack: &StackName, service: &Service, at: Timestamp) -> ServiceSeen {
    let spec = service.spec.clone().unwrap_or_default();
    let template = spec.task_template.unwrap_or_default();
    let mode = spec.mode.unwrap_or_default();
    let count = |n: Option<i64>| u64::try_from(n.unwrap_or(1)).unwrap_or(0);
    let mode = if let Some(job) = mode.replicated_job {
        Mode::Job(count(job.total_completions))
    } else if mode.global_job.is_some() {
        Mode::Job(1)
    } else if mode.global.is_some() {
        Mode::Global
    } else {
        Mode::Replicated(count(mode.replicated.and_then(|mode| mode.replicas)))
    };
    let labels = spec.labels.unwrap_or_default();
    let configs = template.container_spec.iter().flat_map(|spec| spec.configs.iter().flatten());
    let configs = configs.filter_map(|config| config.config_id.clone());
    ServiceSeen {
        id: service.id.clone().unwrap_or_default(),
        name: short(stack, &spec.name.unwrap_or_default()).to_owned(),
        version: service.version.as_ref().and_then(|version| version.index).unwrap_or(0),
        changed_ms: ms_since(at, service.updated_at.as_deref()),
        endpoint: endpoint(spec.endpoint_spec.as_ref()),
        mode,
        image: image(&template),
        update: service.update_status.as_ref().and_then(|status| {
            let state = update_state(status.state?)?;
            Some(Update { state, message: status.message.clone().unwrap_or_default() })
        }),
        on_failure: match spec.update_config.and_then(|config| config.failure_action) {
            Some(Action::ROLLBACK) => OnFailure::Rollback,
            Some(Action::CONTINUE) => OnFailure::Continue,
            _ => OnFailure::Pause,
        },
        max_attempts: template
            .restart_policy
            .as_ref()
            .and_then(|policy| u64::try_from(policy.max_attempts?).ok())
            .unwrap_or(0),
        restart_delay_ms: restart_delay_ms(template.restart_policy.as_ref().and_then(|policy| policy.delay)),
        is_routed: labels.get("traefik.enable").is_some_and(|value| is_true(value)),
        mentions: BTreeSet::new(),
        configs: configs.collect(),
        restart: match template.restart_policy.and_then(|policy| policy.condition) {
            Some(Condition::NONE) => Restart::Never,
            Some(Condition::ON_FAILURE) => Restart::OnFailure,
            _ => Restart::Any,
        },
    }
}

/// The settings and the command of a service.
fn spoken(spec: &ServiceSpec) -> (Vec<String>, Vec<String>) {
    let Some(container) = spec.task_template.as_ref().and_then(|task| task.container_spec.as_ref()) else {
        return (Vec::new(), Vec::new());
    };
    let words = [&container.command, &container.args].into_iter().flatten().flatten().cloned().collect();
    (container.env.clone().unwrap_or_default(), words)
}

/// Nanoseconds in the engine's response; 5 s is its default.
fn restart_delay_ms(delay: Option<i64>) -> u64 {
    delay.and_then(|delay| u64::try_from(delay / 1_000_000).ok()).unwrap_or(5_000)
}

fn ms_since(at: Timestamp, text: Option<&str>) -> u64 {
    let then: Option<Timestamp> = text.and_then(|text| text.parse().ok());
    then.and_then(|then| u64::try_from(at.as_millisecond() - then.as_millisecond()).ok()).unwrap_or(0)
}

/// An endpoint as a comparable text.
fn endpoint(spec: Option<&EndpointSpec>) -> String {
    let mode = spec.and_then(|spec| spec.mode).unwrap_or(EndpointMode::VIP);
    let ports = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    let mut ports: Vec<String> = ports.iter().map(|port| format!("{port:?}")).collect();
    ports.sort_unstable();
    format!("{mode} {}", ports.join(" "))
}

fn update_state(state: ServiceUpdateStatusStateEnum) -> Option<UpdateState> {
    Some(match state {
        ServiceUpdateStatusStateEnum::EMPTY => return None,
        ServiceUpdateStatusStateEnum::UPDATING => UpdateState::Updating,
        ServiceUpdateStatusStateEnum::PAUSED => UpdateState::Paused,
        ServiceUpdateStatusStateEnum::COMPLETED => UpdateState::Completed,
        ServiceUpdateStatusStateEnum::ROLLBACK_STARTED => UpdateState::RollbackStarted,
        ServiceUpdateStatusStateEnum::ROLLBACK_PAUSED => UpdateState::RollbackPaused,
        ServiceUpdateStatusStateEnum::ROLLBACK_COMPLETED => UpdateState::RollbackCompleted,
    })
}

fn task_seen(task: &Task, services: &HashMap<&str, &Service>, at: Timestamp) -> Option<TaskSeen> {
    // A task whose service is gone is about to be removed, and irrelevant.
    let service = services.get(task.service_id.as_deref()?)?;
    let status = task.status.clone().unwrap_or_default();
    let container = status.container_status.unwrap_or_default();
    let state = status.state.map_or(TaskState::New, task_state);
    let slot = match task.slot {
        Some(slot) if slot > 0 => slot.to_string(),
        _ => task.node_id.clone().unwrap_or_default(),
    };
    Some(TaskSeen {
        id: task.id.clone().unwrap_or_default(),
        service: task.service_id.clone().unwrap_or_default(),
        slot,
        state,
        desired: task.desired_state.map_or(TaskState::New, task_state),
        current: is_current(task, service),
        image: task.spec.as_ref().map(image).unwrap_or_default(),
        message: status.message.unwrap_or_default(),
        error: status.err.unwrap_or_default(),
        unhealthy: false,
        out_of_memory: false,
        memory_limit: task.spec.as_ref().and_then(memory_limit),
        port_held_by: None,
        exit: container.exit_code.filter(|_| state.is_over() && state != TaskState::Rejected),
        container: container.container_id.filter(|id| !id.is_empty()),
        created: task.created_at.clone().unwrap_or_default(),
        age_ms: ms_since(at, task.created_at.as_deref()),
        since_ms: ms_since(at, status.timestamp.as_deref()),
        started_ms: None,
        watched_ms: None,
    })
}

/// Whether a task was created from the service's current spec. The engine returns no spec version of a task, so the
/// specs are compared. Placement is ignored: swarm keeps a task if only that changed and its node still fits. The
/// runtime is ignored: the engine only returns it for services.
fn is_current(task: &Task, service: &Service) -> bool {
    let bare = |spec: &TaskSpec| TaskSpec { placement: None, runtime: None, ..spec.clone() };
    let wanted = service.spec.as_ref().and_then(|spec| spec.task_template.as_ref());
    let same = match (task.spec.as_ref(), wanted) {
        (Some(task), Some(wanted)) => bare(task) == bare(wanted),
        _ => false,
    };
    let round = |version: Option<&bollard::models::ObjectVersion>| version.and_then(|version| version.index);
    let job = service.job_status.as_ref().and_then(|job| job.job_iteration.as_ref());
    same && round(task.job_iteration.as_ref()) == round(job)
}

fn image(spec: &TaskSpec) -> String {
    let image = spec.container_spec.as_ref().and_then(|spec| spec.image.as_deref()).unwrap_or_default();
    image.split('@').next().unwrap_or_default().to_owned()
}

fn memory_limit(spec: &TaskSpec) -> Option<u64> {
    let bytes = spec.resources.as_ref()?.limits.as_ref()?.memory_bytes?;
    u64::try_from(bytes).ok().filter(|bytes| *bytes > 0)
}

pub(super) fn task_state(state: State) -> TaskState {
    match state {
        State::NEW => TaskState::New,
        State::ALLOCATED => TaskState::Allocated,
        State::PENDING => TaskState::Pending,
        State::ASSIGNED => TaskState::Assigned,
        State::ACCEPTED => TaskState::Accepted,
        State::PREPARING => TaskState::Preparing,
        State::READY => TaskState::Ready,
        State::STARTING => TaskState::Starting,
        State::RUNNING => TaskState::Running,
        State::COMPLETE => TaskState::Complete,
        State::SHUTDOWN => TaskState::Shutdown,
        State::FAILED => TaskState::Failed,
        State::REJECTED => TaskState::Rejected,
        State::REMOVE => TaskState::Remove,
        State::ORPHANED => TaskState::Orphaned,
    }
}

fn container_seen(container: &ContainerSummary) -> Option<ContainerSeen> {
    let status = container.status.as_deref().unwrap_or_default();
    let ended = matches!(container.state, Some(ContainerSummaryStateEnum::EXITED | ContainerSummaryStateEnum::DEAD));
    Some(ContainerSeen {
        id: container.id.clone()?,
        task: container.labels.as_ref()?.get(TASK_LABEL)?.clone(),
        running: container.state == Some(ContainerSummaryStateEnum::RUNNING),
        health: health(status),
        exit: ended.then(|| exit(status)),
        up_s: up_s(status),
        healthy_ms: None,
        listens: Listens::Unknown,
        lacks: None,
    })
}

/// The list of containers only has health in its text for people, in every API version up to 1.51: "Up 3 seconds
/// (healthy)", "Up 3 seconds (health: starting)".
fn health(status: &str) -> Health {
    if status.ends_with("(healthy)") {
        Health::Healthy
    } else if status.ends_with("(unhealthy)") {
        Health::Unhealthy
    } else if status.ends_with("(health: starting)") {
        Health::Starting
    } else {
        Health::None
    }
}

/// "Exited (137) 2 seconds ago".
fn exit(status: &str) -> i64 {
    let code = status.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    code.and_then(|(code, _)| code.parse().ok()).unwrap_or(0)
}

/// "Up Less than a second", "Up 1 second", "Up 12 seconds", "Up About a minute", "Up 3 hours".
fn up_s(status: &str) -> u64 {
    let Some(time) = status.strip_prefix("Up ") else { return 0 };
    if time.starts_with("Less than a second") {
        return 0;
    }
    match time.split_once(" second") {
        Some((seconds, _)) => seconds.parse().unwrap_or(0),
        None => 60,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_words_on_a_container_are_read() {
        assert_eq!(health("Up 3 seconds (healthy)"), Health::Healthy);
        assert_eq!(health("Up 3 seconds (health: starting)"), Health::Starting);
        assert_eq!(health("Up 3 seconds (unhealthy)"), Health::Unhealthy);
        assert_eq!(health("Up 3 seconds"), Health::None);
        assert_eq!(exit("Exited (137) 2 seconds ago"), 137);
        assert_eq!(up_s("Up Less than a second"), 0);
        assert_eq!(up_s("Up 1 second"), 1);
        assert_eq!(up_s("Up 12 seconds (healthy)"), 12);
        assert_eq!(up_s("Up About a minute"), 60);
        assert_eq!(up_s("Exited (0) 12 seconds ago"), 0);
    }

    #[test]
    fn a_task_is_current_when_its_spec_is_the_services_except_for_placement() {
        let spec = |image: &str| TaskSpec {
            container_spec: Some(bollard::models::TaskSpecContainerSpec {
                image: Some(image.to_owned()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let service = Service {
            spec: Some(bollard::models::ServiceSpec { task_template: Some(spec("a:1")), ..Default::default() }),
            ..Default::default()
        };
        let task = |spec| Task { spec: Some(spec), ..Default::default() };
        assert!(is_current(&task(spec("a:1")), &service));
        assert!(!is_current(&task(spec("a:2")), &service));
        let placed = TaskSpec { placement: Some(Default::default()), runtime: Some("x".into()), ..spec("a:1") };
        assert!(is_current(&task(placed), &service));
        assert!(!is_current(&task(TaskSpec { force_update: Some(1), ..spec("a:1") }), &service));
    }

    #[test]
    fn tasks_sort_by_time_and_not_by_its_text() {
        let stack = StackName::try_from("a".to_owned()).unwrap();
        let service = Service { id: Some("s".to_owned()), ..Default::default() };
        let task = |id: &str, created: &str| Task {
            id: Some(id.to_owned()),
            service_id: Some("s".to_owned()),
            created_at: Some(created.to_owned()),
            ..Default::default()
        };
        let tasks = [task("new", "2026-01-01T00:00:01.51Z"), task("old", "2026-01-01T00:00:01.5Z")];
        let now = snapshot(&stack, &[service], &tasks, &[], Timestamp::UNIX_EPOCH);
        assert_eq!(now.tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>(), ["old", "new"]);
        let stranger = Task { service_id: Some("gone".to_owned()), ..Task::default() };
        assert_eq!(snapshot(&stack, &[], &[stranger], &[], Timestamp::UNIX_EPOCH), Snapshot::default());
    }

    #[test]
    fn the_digest_of_an_image_is_not_part_of_its_name() {
        let spec = TaskSpec {
            container_spec: Some(bollard::models::TaskSpecContainerSpec {
                image: Some("nginx:1@sha256:00".to_owned()),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(image(&spec), "nginx:1");
    }
}
