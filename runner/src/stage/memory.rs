//! Apps of the run in which the kernel killed a process for want of memory. A crash of that kind looks like any
//! other: a check that got no answer, a test that is red, a service that was started again.

use harness::swarm::MemoryKill;

use crate::context::Context;
use crate::event::Fault;

/// What was killed since the last look, in apps of the run: as faults of whom they concern.
pub async fn killed(cx: &Context) -> Vec<Fault> {
    let mut found = Vec::new();
    for (stack, container) in cx.engine.memory_kills() {
        let Some(app) = cx.beside.iter().chain([cx]).find(|app| app.spec.stack == stack) else { continue };
        // One that is gone meanwhile tells nothing any more.
        if let Ok(Some(kill)) = cx.swarm.memory_kill(&container).await {
            found.push(fault(app, &kill));
        }
    }
    found
}

fn fault(app: &Context, kill: &MemoryKill) -> Fault {
    let whose = if app.is_dependency { format!("{}/", app.spec.recipe) } else { String::new() };
    app.fault(kill.failure(&whose))
}
