//! What a run asks of the slots that all runners on a swarm share: how many apps, how much memory, which ports and stacks.

use std::collections::BTreeSet;
use std::time::Duration;

use slots::SlotRequest;

use crate::context::usage::mib_of;
use crate::context::{App, StageRun};
use crate::stage::published_ports;
use host::queue::Runner;

/// What a run asks for: all of its apps at once. One that earlier runs keep warm counts already.
pub fn ask(cx: &StageRun, runner: &Runner, limit: Duration) -> SlotRequest {
    let apps: Vec<&StageRun> = cx.deployed_here().collect();
    SlotRequest {
        run: cx.app.spec.run.clone(),
        recipe: cx.app.spec.recipe.clone(),
        owner: runner.host.clone(),
        apps: u32::try_from(apps.len()).unwrap_or(u32::MAX),
        mib: apps.iter().map(|one| mib_of(&one.app)).sum(),
        ports: apps.iter().flat_map(|one| published_ports(one)).collect(),
        stacks: apps.iter().map(|one| one.app.spec.stack.clone()).collect(),
        most_runs: runner.settings.max_tests,
        yields: runner.yields,
        limit_s: limit.as_secs(),
    }
}

/// What stays when the run has ended: its own apps where they are kept, and a provider that it made, under
/// that one's own run.
pub fn stays(cx: &StageRun, runner: &Runner, keeps: bool) -> Vec<SlotRequest> {
    let whole = ask(cx, runner, Duration::ZERO);
    let mut stays = Vec::new();
    let made = cx.deployed_here().find(|one| one.app.is_warm());
    if keeps {
        let own: Vec<&App> = cx.own_apps().collect();
        stays.push(SlotRequest {
            apps: u32::try_from(own.len()).unwrap_or(u32::MAX),
            mib: own.iter().map(|app| mib_of(app)).sum(),
            stacks: own.iter().map(|app| app.spec.stack.clone()).collect(),
            ..whole.clone()
        });
    }
    if let Some(one) = made.filter(|one| one.app.deployed.is_some() && cx.holdings.came_up) {
        let app = &one.app;
        stays.push(SlotRequest {
            run: app.spec.run.clone(),
            recipe: app.spec.recipe.clone(),
            apps: 1,
            mib: mib_of(app),
            ports: published_ports(one),
            stacks: BTreeSet::from([app.spec.stack.clone()]),
            ..whole
        });
    }
    stays
}
