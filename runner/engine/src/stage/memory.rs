//! Apps of the run in which the kernel killed a process for want of memory. A crash of that kind looks like any
//! other: a check that got no answer, a test that is red, a service that was started again.

use swarm::MemoryKill;

use crate::context::{Context, Keep};
use journal::event::Fault;
use plan::warm_provider::Warm;

/// What was killed since the last look, in apps of the run: as faults of whom they concern.
pub async fn killed(cx: &mut Context) -> Vec<Fault> {
    let mut containers: Vec<String> = Vec::new();
    let seen = cx.engine.memory_kills();
    for app in cx.beside.iter().chain([&*cx]) {
        let told = seen.iter().filter(|(stack, _)| *stack == app.spec.stack).map(|(_, container)| container.clone());
        containers.extend(told);
        // An event may come late, and the container itself knows at once. What an app had before this run is
        // nobody's here.
        if !matches!(app.keep, Keep::ByRun(_)) && !app.warm.as_ref().is_some_and(Warm::was_there) {
            containers.extend(cx.swarm.ended_out_of_memory(&app.spec.stack).await.unwrap_or_default());
        }
    }
    containers.sort_unstable();
    containers.dedup();
    let mut found = Vec::new();
    for container in containers {
        // One that is gone meanwhile tells nothing any more.
        let Ok(Some(kill)) = cx.swarm.memory_kill(&container).await else { continue };
        if kill.exit.is_some() && !cx.engine.is_new(&container) {
            continue;
        }
        if let Some(app) = cx.beside.iter().chain([&*cx]).find(|app| app.spec.stack == kill.stack) {
            found.push(fault(app, &kill));
        }
    }
    found
}

fn fault(app: &Context, kill: &MemoryKill) -> Fault {
    let whose = if app.is_dependency { format!("{}/", app.spec.recipe) } else { String::new() };
    app.fault(kill.failure(&whose))
}
