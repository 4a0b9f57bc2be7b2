//! What a person wants to see when something went wrong, collected while it is still there.

use crate::context::Context;
use journal::event::{Event, Stage, TaskFact};
use plan::warm_provider::Warm;

/// Log lines that are kept of each service.
const LOG_LINES: usize = 300;

/// Emits every task that the apps of the run have or had.
pub async fn collect_tasks(cx: &Context) {
    let mut tasks = Vec::new();
    for app in own(cx) {
        tasks.extend(tasks_of(app).await);
    }
    if !tasks.is_empty() {
        cx.emitter.emit(Event::TaskHistory { stage: cx.stage, tasks });
    }
}

/// Emits the last log lines of each service of the run's apps.
pub async fn collect_logs(cx: &Context) {
    for app in own(cx) {
        logs_of(app, cx.stage).await;
    }
}

/// The apps that this run deployed. What a provider of several runs says is about others too.
fn own(cx: &Context) -> impl Iterator<Item = &Context> {
    cx.beside.iter().chain([cx]).filter(|app| !app.warm.as_ref().is_some_and(Warm::was_there))
}

/// A service's name in a report: that of the tested app's is short.
fn shown(cx: &Context, service: String) -> String {
    if cx.is_dependency { format!("{}/{service}", cx.spec.recipe) } else { service }
}

async fn tasks_of(cx: &Context) -> Vec<TaskFact> {
    let tasks = cx.swarm.tasks(&cx.spec.stack).await.unwrap_or_default();
    let fact = |task: swarm::TaskRow| TaskFact {
        service: shown(cx, task.service),
        task: task.id,
        image: task.image,
        state: task.state,
        desired: task.desired,
        error: task.error,
        exit: task.exit,
        at: task.created,
    };
    tasks.into_iter().map(fact).collect()
}

async fn logs_of(cx: &Context, stage: Stage) {
    let Ok(services) = cx.swarm.services(&cx.spec.stack).await else { return };
    for service in services {
        if let Ok(logs) = cx.swarm.logs(&cx.spec.stack, &service, LOG_LINES).await {
            let event = Event::ServiceLogs { stage, service: shown(cx, service), text: logs.text, cut: logs.cut };
            cx.emitter.emit(event);
        }
    }
}
