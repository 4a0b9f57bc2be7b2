//! What a person wants to see when something went wrong, collected while it is still there.

use crate::context::Context;
use crate::event::{Event, TaskFact};

/// Log lines that are kept of each service.
const LOG_LINES: usize = 300;

/// Emits every task that the stack has or had.
pub async fn collect_tasks(cx: &Context) {
    if let Ok(tasks) = cx.swarm.tasks(&cx.spec.stack).await {
        let tasks = tasks
            .into_iter()
            .map(|task| TaskFact {
                service: task.service,
                task: task.id,
                image: task.image,
                state: task.state,
                desired: task.desired,
                error: task.error,
                exit: task.exit,
                at: task.created,
            })
            .collect();
        cx.emitter.emit(Event::TaskHistory { stage: cx.stage, tasks });
    }
}

/// Emits the last log lines of each service.
pub async fn collect_logs(cx: &Context) {
    let Ok(services) = cx.swarm.services(&cx.spec.stack).await else { return };
    for service in services {
        if let Ok(logs) = cx.swarm.logs(&cx.spec.stack, &service, LOG_LINES).await {
            let event = Event::ServiceLogs { stage: cx.stage, service, text: logs.text, cut: logs.cut };
            cx.emitter.emit(event);
        }
    }
}
