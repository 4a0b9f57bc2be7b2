//! The model of the swarm: records with versions, responses that take time, and every failure mode of the real one. The
//! model executes requests, not the calling process: a process that dies meanwhile does not take its request back.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base::names::RunId;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use swarm::Swap;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::judge::Judge;
use crate::state::{Ledger, SlotsView, Ticket};

/// Failure rates, per thousand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    /// Requests that take 100 times as long.
    pub(super) slow: u32,
    /// Requests whose response never comes: half of them were executed.
    pub(super) lost_answers: u32,
    /// Events that are lost.
    pub(super) lost_events: u32,
    /// Events that are delivered twice.
    pub(super) doubled_events: u32,
    /// Seconds between engine restarts; 0 for never.
    pub(super) restarts_every: u64,
    /// Seconds between jumps of the leader's clock by an hour, forward and back; 0 for never.
    pub(super) jumps_every: u64,
    /// A planted bug: writes ignore the version.
    pub(super) no_swap: bool,
}

pub(super) struct World {
    pub(super) rng: StdRng,
    pub(super) faults: Faults,
    start: Instant,
    version: u64,
    pub(super) ledger: Option<Arc<Ledger>>,
    pub(super) tickets: BTreeMap<u64, Arc<Ticket>>,
    pub(super) numbers: HashMap<RunId, u64>,
    /// When each ticket was created, changed or removed last.
    pub(super) changed: HashMap<RunId, Timestamp>,
    pub(super) listeners: BTreeMap<RunId, Vec<mpsc::UnboundedSender<()>>>,
    pub(super) offset: SignedDuration,
    pub(super) down: bool,
    pub(super) judge: Judge,
    pub(super) reads: u64,
    pub(super) writes: u64,
    pub(super) conflicts: u64,
    /// Number of tickets read by all polls.
    pub(super) records: u64,
}

/// The model, shared by all processes.
#[derive(Clone)]
pub(super) struct Model(Arc<Mutex<World>>);

impl Model {
    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        Self(Arc::new(Mutex::new(World {
            rng: StdRng::seed_from_u64(seed),
            faults,
            start: Instant::now(),
            version: 0,
            ledger: None,
            tickets: BTreeMap::new(),
            numbers: HashMap::new(),
            changed: HashMap::new(),
            listeners: BTreeMap::new(),
            offset: SignedDuration::ZERO,
            down: false,
            judge: Judge::default(),
            reads: 0,
            writes: 0,
            conflicts: 0,
            records: 0,
        })))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// The engine stops: no responses, and every subscription ends.
    pub(super) fn set_down(&self, down: bool) {
        let mut world = self.world();
        world.down = down;
        world.listeners.clear();
    }
}

impl World {
    pub(super) fn view(&self) -> Option<SlotsView> {
        Some(SlotsView { ledger: Arc::clone(self.ledger.as_ref()?), tickets: self.tickets.values().cloned().collect() })
    }

    /// The next change of the swarm: its number, and the time on the leader's clock.
    pub(super) fn tick(&mut self) -> (u64, Timestamp) {
        self.version += 1;
        let nanos = SignedDuration::try_from(self.start.elapsed()).unwrap()
            + self.offset
            + SignedDuration::from_nanos(i64::try_from(self.version).unwrap());
        (self.version, Timestamp::from_second(1_800_000_000).unwrap() + nanos)
    }

    pub(super) fn tell(&mut self, run: &RunId, at: Timestamp) {
        self.changed.insert(run.clone(), at);
        for listener in self.listeners.get(run).cloned().unwrap_or_default() {
            let copies = match self.rng.random_range(0..1000) {
                n if n < self.faults.lost_events => 0,
                n if n < self.faults.lost_events + self.faults.doubled_events => 2,
                _ => 1,
            };
            for _ in 0..copies {
                let (listener, delay) = (listener.clone(), Duration::from_millis(self.rng.random_range(1..8)));
                tokio::spawn(async move {
                    sleep(delay).await;
                    let _ = listener.send(());
                });
            }
        }
    }

    pub(super) fn remove(&mut self, run: &RunId) {
        if let Some(number) = self.numbers.remove(run) {
            let (_, at) = self.tick();
            self.tickets.remove(&number);
            self.judge.left(number);
            self.tell(run, at);
        }
    }

    pub(super) fn swap<T>(&mut self, now: Option<u64>, version: u64, done: impl FnOnce(&mut Self) -> T) -> Swap {
        match now {
            None => Swap::Gone,
            Some(now) if now != version && !self.faults.no_swap => {
                self.conflicts += 1;
                Swap::Stale
            }
            Some(_) => {
                done(self);
                Swap::Done
            }
        }
    }
}
