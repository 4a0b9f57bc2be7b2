//! What a person wants to see when something went wrong, collected while it is still there.

use crate::context::StageRun;
use journal::event::{Event, Stage, TaskFact};

/// Log lines that are kept of each service.
const LOG_LINES: usize = 300;

/// Emits every task that the apps of the run have or had.
pub async fn collect_tasks(cx: &StageRun) {
    let mut tasks = Vec::new();
    for one in own(cx) {
        tasks.extend(tasks_of(one).await);
    }
    if !tasks.is_empty() {
        cx.run.emitter.emit(Event::TaskHistory { stage: cx.stage, tasks });
    }
}

/// Emits the last log lines of each service of the run's apps.
pub async fn collect_logs(cx: &StageRun) {
    for one in own(cx) {
        logs_of(one, cx.stage).await;
    }
}

/// The apps that this run deployed. What a provider of several runs says is about others too.
fn own(cx: &StageRun) -> impl Iterator<Item = &StageRun> {
    cx.holdings.dependencies.iter().chain([cx]).filter(|one| !one.app.was_there())
}

/// A service's name in a report: that of the tested app's is short.
fn shown(cx: &StageRun, service: String) -> String {
    if cx.app.is_dependency { format!("{}/{service}", cx.app.spec.recipe) } else { service }
}

async fn tasks_of(cx: &StageRun) -> Vec<TaskFact> {
    let tasks = cx.run.swarm.tasks(&cx.app.spec.stack).await.unwrap_or_default();
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

async fn logs_of(cx: &StageRun, stage: Stage) {
    let Ok(services) = cx.run.swarm.services(&cx.app.spec.stack).await else { return };
    for service in services {
        if let Ok(logs) = cx.run.swarm.logs(&cx.app.spec.stack, &service, LOG_LINES).await {
            let event = Event::ServiceLogs { stage, service: shown(cx, service), text: logs.text, cut: logs.cut };
            cx.run.emitter.emit(event);
        }
    }
}
