//! What memory and disk the run's own apps hold, stage by stage. An app that several runs use is not measured: what
//! it holds is not this run's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base::names::StackName;
use swarm::{Meter, Peaks};

use crate::context::{App, StageRun};
use host::weight;
use journal::event::{AppUsed, Stage, Used};

const MIB: u64 = 1024 * 1024;

/// How long a look at the disk may take. A stage does not fail for it.
const LOOK: Duration = Duration::from_secs(10);

/// What a run measures, and the most that it has seen.
#[derive(Debug, Default)]
pub struct Usage {
    meter: Option<Meter>,
    /// The most memory of each app, in bytes.
    peaks: BTreeMap<StackName, u64>,
}

/// Begins to measure, or goes on; an engine that was restarted has to be asked anew.
pub fn begin(cx: &mut StageRun) {
    if !cx.holdings.usage.meter.as_ref().is_some_and(Meter::is_listening) {
        cx.holdings.usage.meter = Some(cx.run.swarm.meter(&cx.stacks()));
    }
}

/// What was held in the stage that ends: memory at its peak, disk as it is now. None where nothing was measured.
pub async fn of_stage(cx: &mut StageRun) -> Option<Used> {
    let peaks = cx.holdings.usage.meter.as_ref().and_then(Meter::take).unwrap_or_default();
    for (stack, bytes) in &peaks.stacks {
        let most = cx.holdings.usage.peaks.entry(stack.clone()).or_default();
        *most = (*bytes).max(*most);
    }
    // In teardown nothing is left to look at, and before the first deploy nothing is there.
    let deployed = cx.apps().any(|app| app.deployed.is_some());
    let disk = if deployed && cx.stage != Stage::Teardown {
        cx.run.swarm.disk(&cx.stacks(), Instant::now() + LOOK).await.unwrap_or_default()
    } else {
        BTreeMap::new()
    };
    let apps: Vec<(String, StackName)> =
        cx.own_apps().map(|app| (app.spec.recipe.to_string(), app.spec.stack.clone())).collect();
    used(&apps, &peaks, &disk)
}

/// At the end of a run: the peaks are remembered, and a weight that says too little is told.
pub fn end(cx: &StageRun) {
    for app in cx.own_apps() {
        let Some(bytes) = cx.holdings.usage.peaks.get(&app.spec.stack) else { continue };
        let (recipe, mib) = (&app.spec.recipe, bytes.div_ceil(MIB));
        if let Err(error) = weight::remember(cx.app.dir.state(), recipe, &cx.app.spec.run, mib) {
            cx.note(format!("the memory that {recipe} held is not remembered: {error}"));
        }
        if let Some(text) = weight::warning(recipe.as_str(), app.toml.weight.memory_mib.get().into(), mib) {
            cx.note(text);
        }
    }
}

/// MiB that an app needs, as its recipe says and as earlier runs have shown.
pub(crate) fn mib_of(app: &App) -> u64 {
    weight::mib(app.toml.weight.memory_mib.get().into(), &weight::measured(app.dir.state(), &app.spec.recipe))
}

/// MiB that the run's apps need beside what is there already.
pub fn needed_mib(cx: &StageRun) -> u64 {
    cx.deployed_here().map(|one| mib_of(&one.app)).sum()
}

fn used(apps: &[(String, StackName)], peaks: &Peaks, disk: &BTreeMap<StackName, u64>) -> Option<Used> {
    let apps: Vec<AppUsed> = apps
        .iter()
        .map(|(app, stack)| AppUsed {
            app: app.clone(),
            memory_peak: peaks.stacks.get(stack).copied(),
            disk: disk.get(stack).copied(),
        })
        .filter(|used| used.memory_peak.is_some() || used.disk.is_some())
        .collect();
    let whole = apps.iter().all(|app| app.disk.is_some());
    (!apps.is_empty()).then(|| Used {
        memory_peak: (peaks.all > 0).then_some(peaks.all),
        disk: if whole { Some(apps.iter().filter_map(|app| app.disk).sum()) } else { None },
        apps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_lacks_an_app_is_none() {
        let stack = |name: &str| StackName::try_from(name.to_owned()).unwrap();
        let apps = [("gitea".to_owned(), stack("g")), ("keycloak".to_owned(), stack("k"))];
        let peaks = Peaks { all: 150, stacks: [(stack("g"), 100), (stack("k"), 60)].into() };
        let both = used(&apps, &peaks, &[(stack("g"), 1), (stack("k"), 2)].into()).unwrap();
        assert_eq!((both.memory_peak, both.disk), (Some(150), Some(3)));
        let one = used(&apps, &peaks, &[(stack("g"), 1)].into()).unwrap();
        assert_eq!((one.disk, one.apps[0].disk, one.apps[1].disk), (None, Some(1), None));
        assert_eq!(used(&apps, &Peaks::default(), &BTreeMap::new()), None);
    }
}
