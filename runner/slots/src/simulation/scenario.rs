//! One history: hosts, runs that arrive, and incidents.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use base::names::RunId;
use rand::Rng;
use tokio::time::{Instant, sleep, timeout};

use super::client::Client;
use super::judge::Count;
use super::model::{Faults, Model};
use super::process::{Fate, Job, Process, Sweeper, live};
use crate::Slots;
use crate::lease_times::LeaseTimes;
use crate::reap::Scan;
use crate::rules::Rules;
use crate::state::{Caps, SlotRequest};

/// The parameters of a history. Rates are per thousand runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    pub(super) seed: u64,
    pub(super) hosts: u32,
    pub(super) runs: u32,
    pub(super) caps: Caps,
    pub(super) faults: Faults,
    /// Runs that die at one of their first calls.
    pub(super) die_at_call: u32,
    /// Runs that die at a random time.
    pub(super) die: u32,
    /// Runs that are stopped for up to three minutes, then woken.
    pub(super) pause: u32,
    /// Runs that a user cancels.
    pub(super) cancel: u32,
    /// Runs that yield; they are light.
    pub(super) yields: u32,
    /// Seconds between failures of a host, which dies or sleeps with all its runs; 0 for never.
    pub(super) hosts_fail_every: u64,
    /// Mean time between arrivals, in milliseconds.
    pub(super) gap_ms: u64,
    /// The longest that a run works, in seconds.
    pub(super) works_s: u64,
    /// How long an admitted waiter may still wait.
    pub(super) patience: Duration,
    pub(super) rules: Rules,
    pub(super) deaf: bool,
    pub(super) timing: LeaseTimes,
}

/// The result of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) count: Count,
    pub(super) wrong: BTreeMap<&'static str, Vec<String>>,
    pub(super) reads: u64,
    pub(super) writes: u64,
    pub(super) conflicts: u64,
    pub(super) records: u64,
    pub(super) died: usize,
    /// Its duration on the swarm's clock.
    pub(super) lasted: Duration,
}

/// The host and the fate of every run.
pub(super) type Running = HashMap<RunId, (u32, Arc<Fate>)>;

impl Scenario {
    /// A swarm where nothing goes wrong.
    pub(super) fn calm(seed: u64) -> Self {
        Self {
            seed,
            hosts: 8,
            runs: 200,
            caps: Caps { tests: 6, apps: 10, mib: 8_000 },
            faults: Faults::default(),
            die_at_call: 0,
            die: 0,
            pause: 0,
            cancel: 0,
            yields: 0,
            hosts_fail_every: 0,
            gap_ms: 2_000,
            works_s: 40,
            patience: Duration::from_secs(2),
            rules: Rules::default(),
            deaf: false,
            timing: LeaseTimes::default(),
        }
    }

    /// A swarm where everything goes wrong.
    pub(super) fn rough(seed: u64) -> Self {
        Self {
            faults: Faults {
                slow: 5,
                lost_answers: 2,
                lost_events: 20,
                doubled_events: 20,
                restarts_every: 400,
                jumps_every: 150,
                no_swap: false,
            },
            die_at_call: 60,
            die: 40,
            pause: 60,
            cancel: 20,
            hosts_fail_every: 300,
            patience: Duration::from_secs(180),
            ..Self::calm(seed)
        }
    }

    /// Whether no run is disturbed, so that none may lose its slot.
    fn is_calm(&self) -> bool {
        let Faults { slow, lost_answers, restarts_every, no_swap, .. } = self.faults;
        let swarm = u64::from(slow + lost_answers) + restarts_every;
        !no_swap && swarm + u64::from(self.die_at_call + self.die + self.pause) + self.hosts_fail_every == 0
    }

    pub(super) fn play(self) -> Report {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(self.all())
    }

    async fn all(self) -> Report {
        let start = Instant::now();
        let model = Model::new(self.seed, self.faults);
        let running: Arc<std::sync::Mutex<Running>> = Arc::default();
        let mut beside = tokio::task::JoinSet::new();
        beside.spawn(self.observe(model.clone(), Arc::clone(&running)));
        beside.spawn(self.shake(model.clone(), Arc::clone(&running)));
        beside.spawn(self.jump(model.clone()));
        let mut processes = tokio::task::JoinSet::new();
        for n in 0..self.runs {
            let gap = model.world().rng.random_range(0..=self.gap_ms * 2);
            sleep(Duration::from_millis(gap)).await;
            let (host, job, fate) = self.draw(&model, n);
            let slots = self.slots(&model, &fate);
            running.lock().unwrap().insert(job.ask.run.clone(), (host, Arc::clone(&fate)));
            let inner = Box::pin(live(slots, model.clone(), Arc::clone(&fate), job));
            processes.spawn(Process { fate, inner, alarm: None });
        }
        // Far more than all of them would need in sequence.
        let horizon = Duration::from_secs(u64::from(self.runs) * (self.works_s + 10) + 3_600);
        let all_end = async { while processes.join_next().await.is_some() {} };
        if timeout(horizon, all_end).await.is_err() {
            let left = processes.len();
            model.world().judge.fail("never ended", format!("{left} runs"));
        }
        let lasted = start.elapsed();
        beside.shutdown().await;
        let all = running.lock().unwrap().clone();
        self.clear(&model, &all).await;
        let died = running.lock().unwrap().values().filter(|(_, fate)| fate.is_dead()).count();
        let mut world = model.world();
        world.judge.close(self.patience);
        let (lost, calm) = (world.judge.count.fenced + world.judge.count.removed, self.is_calm());
        if calm && lost > 0 {
            world.judge.fail("a healthy run lost its slot", format!("{lost} times"));
        }
        let (reads, writes, conflicts, records) = (world.reads, world.writes, world.conflicts, world.records);
        let judge = std::mem::take(&mut world.judge);
        Report { count: judge.count, wrong: judge.wrong, reads, writes, conflicts, records, died, lasted }
    }

    fn slots(&self, model: &Model, fate: &Arc<Fate>) -> Slots<Client> {
        let client = Client { model: model.clone(), fate: Arc::clone(fate) };
        Slots { rules: self.rules, ..Slots::with_timing(client, self.timing) }
    }

    /// One run, and what will happen to it.
    fn draw(&self, model: &Model, n: u32) -> (u32, Job, Arc<Fate>) {
        let mut world = model.world();
        let rng = &mut world.rng;
        let now = Instant::now();
        let mut chance = |per_thousand: u32| rng.random_range(0..1000) < per_thousand;
        let (dies_at_call, dies, pauses, cancels) =
            (chance(self.die_at_call), chance(self.die), chance(self.pause), chance(self.cancel));
        let dies_at = dies_at_call.then(|| rng.random_range(0..40));
        let fate = Arc::new(Fate::dying_at(dies_at));
        let mut some_time = |most: u64| Duration::from_millis(rng.random_range(0..most * 1_000));
        if pauses {
            let from = now + some_time(self.works_s * 4);
            fate.pause(from, from + some_time(180));
        }
        if dies {
            let (fate, after) = (Arc::clone(&fate), some_time(self.works_s * 4));
            tokio::spawn(async move {
                sleep(after).await;
                fate.die();
            });
        }
        let run: RunId = format!("r{n:06}").parse().unwrap();
        if cancels {
            let (after, run) = (some_time(self.works_s * 3), run.clone());
            let slots = self.slots(model, &Arc::default());
            tokio::spawn(async move {
                sleep(after).await;
                let _ = slots.cancel(&run, "an operator").await;
            });
        }
        let host = rng.random_range(0..self.hosts);
        // Most are light, some have a provider, a few take more than half of everything.
        let (apps, mib) = match rng.random_range(0..1000) {
            0..700 => (1, rng.random_range(100..900)),
            700..960 => (2, rng.random_range(500..2_000)),
            960..990 => (self.caps.apps.min(8), self.caps.mib.min(5_000)),
            _ => (self.caps.apps * 3 / 5, self.caps.mib * 3 / 5),
        };
        // Only histories with yielding runs draw here, so that others do not change.
        let yields = self.yields > 0 && rng.random_range(0..1000) < self.yields;
        let (apps, mib) = if yields { (1, 100) } else { (apps, mib) };
        let ports = (rng.random_range(0..100) < 8).then(|| *[25, 143, 64_738].get(rng.random_range(0..3)).unwrap());
        // Some commits are requested twice.
        let twin = if rng.random_range(0..100) < 5 { n / 20 } else { 1_000_000 + n };
        let ask = SlotRequest {
            run,
            recipe: "a".parse().unwrap(),
            owner: format!("host-{host}"),
            apps,
            mib,
            ports: ports.into_iter().collect(),
            stacks: BTreeSet::from([format!("stack-{twin}").try_into().unwrap()]),
            most_runs: None,
            yields,
            limit_s: 3_600,
        };
        let works = Duration::from_millis(rng.random_range(1_000..=self.works_s * 1_000));
        (host, Job { ask, works, caps: self.caps, deaf: self.deaf }, fate)
    }

    /// Runs the janitor at the end; nothing may be left then.
    async fn clear(&self, model: &Model, running: &Running) {
        let slots = Slots {
            rules: self.rules,
            ..Slots::with_timing(Client { model: Model::clone(model), fate: Arc::default() }, self.timing)
        };
        model.set_down(false);
        let dead = |ask: &SlotRequest| running.get(&ask.run).is_some_and(|(_, fate)| fate.is_dead());
        // The swarm still loses responses.
        for _ in 0..20 {
            if slots.reap(&Sweeper(model.clone()), Scan::Long, dead).await.is_ok() {
                break;
            }
        }
        let mut world = model.world();
        let view = world.view().expect("a ledger");
        if !view.tickets.is_empty() || !view.ledger.held.is_empty() {
            let (tickets, held) = (view.tickets.len(), view.ledger.held.len());
            world.judge.fail("left behind", format!("{tickets} tickets, {held} entries"));
        }
    }
}
