//! Apps of the run in which the kernel killed a process for want of memory. A crash of that kind looks like any
//! other: a check that got no answer, a test that is red, a service that was started again.

use swarm::MemoryKill;

use crate::context::{Keep, StageRun};
use journal::event::Fault;

/// What was killed since the last look, in apps of the run: as faults of whom they concern.
pub async fn killed(cx: &StageRun) -> Vec<Fault> {
    let mut containers: Vec<String> = Vec::new();
    let mut engine = cx.run.engine.lock().await;
    let seen = engine.memory_kills();
    for app in cx.apps() {
        let told = seen.iter().filter(|(stack, _)| *stack == app.spec.stack).map(|(_, container)| container.clone());
        containers.extend(told);
        // An event may come late, and the container itself knows at once. What an app had before this run is
        // nobody's here.
        if !matches!(cx.run.keep, Keep::ByRun(_)) && !app.was_there() {
            containers.extend(cx.run.swarm.ended_out_of_memory(&app.spec.stack).await.unwrap_or_default());
        }
    }
    containers.sort_unstable();
    containers.dedup();
    let mut found = Vec::new();
    for container in containers {
        // One that is gone meanwhile tells nothing any more.
        let Ok(Some(kill)) = cx.run.swarm.memory_kill(&container).await else { continue };
        if kill.exit.is_some() && !engine.is_new(&container) {
            continue;
        }
        let found_in = cx.holdings.dependencies.iter().chain([cx]).find(|one| one.app.spec.stack == kill.stack);
        if let Some(one) = found_in {
            found.push(fault(one, &kill));
        }
    }
    found
}

fn fault(one: &StageRun, kill: &MemoryKill) -> Fault {
    let whose = if one.app.is_dependency { format!("{}/", one.app.spec.recipe) } else { String::new() };
    one.fault(kill.failure(&whose))
}
