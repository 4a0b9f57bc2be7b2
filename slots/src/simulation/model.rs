//! The model of the swarm: records with versions, answers that take time, and every way to go wrong that
//! the real one has. Requests are carried out by the model, not by the process that asked: a process that
//! dies meanwhile does not take its request back.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use harness::failure::Failure;
use harness::names::RunId;
use harness::swarm::Swap;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use super::judge::Judge;
use super::process::Fate;
use super::unknown;
use crate::board::{Board, Changes};
use crate::state::{Ask, Caps, Ledger, Ticket, View};

/// How the swarm misbehaves. Chances are per thousand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    /// Requests that take 100 times as long.
    pub(super) slow: u32,
    /// Requests whose answer never comes: half of them were carried out.
    pub(super) lost_answers: u32,
    /// Events that are lost.
    pub(super) lost_events: u32,
    /// Events that come twice.
    pub(super) doubled_events: u32,
    /// The engine goes away for a while, every so many seconds; 0 for never.
    pub(super) restarts_every: u64,
    /// The leader's clock jumps by an hour, to and fro, every so many seconds; 0 for never.
    pub(super) jumps_every: u64,
    /// A planted bug: changes are made whatever the version.
    pub(super) no_swap: bool,
}

pub(super) struct World {
    pub(super) rng: StdRng,
    faults: Faults,
    start: Instant,
    version: u64,
    pub(super) ledger: Option<Arc<Ledger>>,
    pub(super) tickets: BTreeMap<u64, Arc<Ticket>>,
    numbers: HashMap<RunId, u64>,
    /// When each ticket was made, changed or removed last.
    changed: HashMap<RunId, Timestamp>,
    listeners: BTreeMap<RunId, Vec<mpsc::UnboundedSender<()>>>,
    pub(super) offset: SignedDuration,
    pub(super) down: bool,
    pub(super) judge: Judge,
    pub(super) reads: u64,
    pub(super) writes: u64,
    pub(super) conflicts: u64,
    /// Tickets that all looks together have read.
    pub(super) records: u64,
}

/// The model, shared by all processes.
#[derive(Clone)]
pub(super) struct Model(Arc<Mutex<World>>);

/// The model as one process sees it.
pub(super) struct Client {
    pub(super) model: Model,
    pub(super) fate: Arc<Fate>,
}

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

    /// The engine goes away: no answers, and every subscription ends.
    pub(super) fn set_down(&self, down: bool) {
        let mut world = self.world();
        world.down = down;
        world.listeners.clear();
    }
}

impl World {
    pub(super) fn view(&self) -> Option<View> {
        Some(View { ledger: Arc::clone(self.ledger.as_ref()?), tickets: self.tickets.values().cloned().collect() })
    }

    /// The next change of the swarm: its number, and the time on the leader's clock.
    fn tick(&mut self) -> (u64, Timestamp) {
        self.version += 1;
        let nanos = SignedDuration::try_from(self.start.elapsed()).unwrap()
            + self.offset
            + SignedDuration::from_nanos(i64::try_from(self.version).unwrap());
        (self.version, Timestamp::from_second(1_800_000_000).unwrap() + nanos)
    }

    fn tell(&mut self, run: &RunId, at: Timestamp) {
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

    fn remove(&mut self, run: &RunId) {
        if let Some(number) = self.numbers.remove(run) {
            let (_, at) = self.tick();
            self.tickets.remove(&number);
            self.judge.left(number);
            self.tell(run, at);
        }
    }

    fn swap<T>(&mut self, now: Option<u64>, version: u64, done: impl FnOnce(&mut Self) -> T) -> Swap {
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

impl Client {
    /// One request: there, done, and back. A process whose fate is to die at this call dies.
    async fn ask<T: Send + 'static>(
        &self,
        writes: bool,
        does: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let dies = self.fate.dies_at_this_call();
        let (there, back, lost, carried) = {
            let mut world = self.model.world();
            *(if writes { &mut world.writes } else { &mut world.reads }) += 1;
            let faults = world.faults;
            let rng = &mut world.rng;
            let slow = if rng.random_range(0..1000) < faults.slow { 100 } else { 1 };
            let there = rng.random_range(if writes { 3..12 } else { 1..3 }) * slow;
            let lost = rng.random_range(0..1000) < faults.lost_answers;
            let late = if lost { rng.random_range(1_000..60_000) } else { 1 };
            (there, late, lost, (!lost && !dies) || rng.random_bool(0.5))
        };
        let (answer, answered) = oneshot::channel();
        let model = self.model.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(there)).await;
            let done = {
                let mut world = model.world();
                (carried && !world.down).then(|| does(&mut world))
            };
            sleep(Duration::from_millis(back)).await;
            if let Some(done) = done.filter(|_| !lost && !dies) {
                let _ = answer.send(done);
            }
        });
        if dies {
            self.fate.die();
            std::future::pending::<()>().await;
        }
        answered.await.map_err(|_| unknown("no answer"))
    }
}

pub(super) struct Events(mpsc::UnboundedReceiver<()>);

impl Changes for Events {
    async fn next(&mut self) -> Option<()> {
        self.0.recv().await
    }
}

impl Board for Client {
    type Changes = Events;

    async fn look(&self) -> Result<Option<View>, Failure> {
        self.ask(false, |world| {
            let view = world.view();
            world.records += view.as_ref().map_or(0, |view| view.tickets.len() as u64);
            view
        })
        .await
    }

    async fn front(&self) -> Result<Option<View>, Failure> {
        self.ask(false, |world| {
            world.view().map(|mut view| {
                view.tickets.retain(|ticket| ticket.front);
                world.records += view.tickets.len() as u64;
                view
            })
        })
        .await
    }

    async fn ledger(&self) -> Result<Option<Arc<Ledger>>, Failure> {
        self.ask(false, |world| world.ledger.clone()).await
    }

    async fn ticket(&self, run: &RunId) -> Result<Option<Arc<Ticket>>, Failure> {
        let run = run.clone();
        self.ask(false, move |world| world.tickets.get(world.numbers.get(&run)?).cloned()).await
    }

    async fn open(&self, caps: Caps) -> Result<(), Failure> {
        self.ask(true, move |world| {
            if world.ledger.is_none() {
                let (version, updated) = world.tick();
                world.ledger = Some(Arc::new(Ledger { version, caps, held: Vec::new(), updated }));
            }
        })
        .await
    }

    async fn write(&self, ledger: &Ledger) -> Result<Swap, Failure> {
        let ledger = ledger.clone();
        self.ask(true, move |world| {
            world.swap(world.ledger.as_ref().map(|now| now.version), ledger.version, |world| {
                let (version, updated) = world.tick();
                let before = world.ledger.take();
                let after = Ledger { version, updated, ..ledger };
                world.judge.ledger_changed(before.as_deref(), &after);
                world.ledger = Some(Arc::new(after));
            })
        })
        .await
    }

    async fn join(&self, ask: &Ask, within_ms: u64) -> Result<(), Failure> {
        let ask = ask.clone();
        self.ask(true, move |world| {
            if world.numbers.contains_key(&ask.run) {
                return;
            }
            let (number, at) = world.tick();
            world.numbers.insert(ask.run.clone(), number);
            world.judge.joined(number, &ask.run);
            world.tell(&ask.run, at);
            let new = Ticket {
                id: String::new(),
                ask,
                number,
                version: number,
                beat: 0,
                within_ms,
                turn: 0,
                front: false,
                cancel: None,
                created: at,
                updated: at,
            };
            world.tickets.insert(number, Arc::new(new));
        })
        .await
    }

    async fn change(&self, ticket: &Ticket) -> Result<Swap, Failure> {
        let ticket = ticket.clone();
        self.ask(true, move |world| {
            let now = world.numbers.get(&ticket.ask.run).and_then(|number| world.tickets.get(number));
            world.swap(now.map(|now| now.version), ticket.version, |world| {
                let (version, updated) = world.tick();
                world.tell(&ticket.ask.run, updated);
                world.tickets.insert(ticket.number, Arc::new(Ticket { version, updated, ..ticket }));
            })
        })
        .await
    }

    async fn leave(&self, run: &RunId) -> Result<(), Failure> {
        let run = run.clone();
        self.ask(true, move |world| {
            world.remove(&run);
        })
        .await
    }

    async fn bury(&self, ticket: &Ticket) -> Result<(), Failure> {
        let (run, number) = (ticket.ask.run.clone(), ticket.number);
        self.ask(true, move |world| {
            if world.numbers.get(&run) == Some(&number) {
                world.remove(&run);
            }
        })
        .await
    }

    fn changes(&self, run: &RunId, since: Timestamp) -> Events {
        let (send, events) = mpsc::unbounded_channel();
        let mut world = self.model.world();
        if !world.down {
            if world.changed.get(run).is_some_and(|changed| *changed >= since) {
                let _ = send.send(());
            }
            world.listeners.retain(|_, listeners| !listeners.iter().all(mpsc::UnboundedSender::is_closed));
            let listeners = world.listeners.entry(run.clone()).or_default();
            listeners.retain(|listener| !listener.is_closed());
            listeners.push(send);
        }
        Events(events)
    }
}
