//! What a run asks of the slots that all runners on a swarm share: how many apps, how much memory, which ports and stacks.

use std::collections::BTreeSet;
use std::time::Duration;

use slots::Ask;

use crate::context::Context;
use crate::context::usage::mib_of;
use crate::stage::published_ports;
use host::queue::Runner;
use plan::warm_provider::Warm;

/// What a run asks for: all of its apps at once. One that earlier runs keep warm counts already.
#[must_use]
pub fn ask(cx: &Context, runner: &Runner, limit: Duration) -> Ask {
    let apps: Vec<&Context> = own_apps(cx).collect();
    Ask {
        run: cx.spec.run.clone(),
        recipe: cx.spec.recipe.clone(),
        owner: runner.host.clone(),
        apps: u32::try_from(apps.len()).unwrap_or(u32::MAX),
        mib: apps.iter().map(|app| mib_of(app)).sum(),
        ports: apps.iter().flat_map(|app| published_ports(app)).collect(),
        stacks: apps.iter().map(|app| app.spec.stack.clone()).collect(),
        most_runs: runner.settings.max_tests,
        yields: runner.yields,
        limit_s: limit.as_secs(),
    }
}

/// What stays when the run has ended: its own apps where they are kept, and a provider that it made, under
/// that one's own run.
#[must_use]
pub fn stays(cx: &Context, runner: &Runner, keeps: bool) -> Vec<Ask> {
    let whole = ask(cx, runner, Duration::ZERO);
    let mut stays = Vec::new();
    let made = cx.beside.iter().find(|app| app.warm.as_ref().is_some_and(|warm| !warm.was_there()));
    if keeps {
        let own: Vec<&Context> = own_apps(cx).filter(|app| app.warm.is_none()).collect();
        stays.push(Ask {
            apps: u32::try_from(own.len()).unwrap_or(u32::MAX),
            mib: own.iter().map(|app| mib_of(app)).sum(),
            stacks: own.iter().map(|app| app.spec.stack.clone()).collect(),
            ..whole.clone()
        });
    }
    if let Some(app) = made.filter(|app| app.deployed.is_some() && cx.came_up) {
        stays.push(Ask {
            run: app.spec.run.clone(),
            recipe: app.spec.recipe.clone(),
            apps: 1,
            mib: mib_of(app),
            ports: published_ports(app),
            stacks: BTreeSet::from([app.spec.stack.clone()]),
            ..whole
        });
    }
    stays
}

fn own_apps(cx: &Context) -> impl Iterator<Item = &Context> {
    [cx].into_iter().chain(&cx.beside).filter(|app| !app.warm.as_ref().is_some_and(Warm::was_there))
}
