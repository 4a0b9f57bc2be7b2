//! Small snapshots for tests.

use super::super::seen::*;

pub(crate) fn service(name: &str) -> ServiceSeen {
    ServiceSeen {
        id: format!("id-{name}"),
        name: name.to_owned(),
        version: 10,
        changed_ms: 1_000,
        endpoint: "vip".to_owned(),
        mode: Mode::Replicated(1),
        image: "nginx:2".to_owned(),
        update: None,
        on_failure: OnFailure::Pause,
        restart: Restart::Any,
        max_attempts: 0,
        restart_delay_ms: 5_000,
        is_routed: false,
        mentions: [].into(),
        configs: [].into(),
    }
}

pub(crate) fn update(state: UpdateState) -> Option<Update> {
    Some(Update { state, message: String::new() })
}

pub(crate) fn task(service: &str, id: &str, state: TaskState) -> TaskSeen {
    TaskSeen {
        id: id.to_owned(),
        service: format!("id-{service}"),
        slot: "1".to_owned(),
        state,
        desired: if state.is_over() { TaskState::Shutdown } else { TaskState::Running },
        current: true,
        image: "nginx:2".to_owned(),
        message: String::new(),
        error: String::new(),
        exit: None,
        unhealthy: false,
        out_of_memory: false,
        memory_limit: None,
        port_held_by: None,
        container: Some(format!("c-{id}")),
        created: id.to_owned(),
        age_ms: 10_000,
        since_ms: 10_000,
        started_ms: None,
        watched_ms: None,
    }
}

pub(crate) fn failed(service: &str, id: &str, error: &str, exit: i64) -> TaskSeen {
    TaskSeen { error: error.to_owned(), exit: Some(exit), ..task(service, id, TaskState::Failed) }
}

pub(crate) fn container(task: &str, health: Health) -> ContainerSeen {
    ContainerSeen {
        id: format!("c-{task}"),
        task: task.to_owned(),
        running: true,
        health,
        exit: None,
        up_s: 10,
        healthy_ms: None,
        listens: Listens::Unknown,
        lacks: None,
    }
}

pub(crate) fn one(service: ServiceSeen, tasks: Vec<TaskSeen>, containers: Vec<ContainerSeen>) -> Snapshot {
    Snapshot { services: vec![service], tasks, containers }
}

/// The state before, with nginx:1 in the task `old`.
pub(crate) fn before(service: &str) -> Before {
    let was = ServiceBefore {
        name: service.to_owned(),
        image: "nginx:1".to_owned(),
        version: 5,
        endpoint: "vip".to_owned(),
        update: None,
    };
    Before {
        services: [(format!("id-{service}"), was)].into(),
        tasks: ["old".to_owned()].into(),
        over: [].into(),
        containers: ["c-old".to_owned()].into(),
        outlive: false,
    }
}
