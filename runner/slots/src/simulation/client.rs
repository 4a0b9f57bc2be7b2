//! The model as one process sees it: requests that take time, and events.

use std::sync::Arc;
use std::time::Duration;

use base::failure::Failure;
use base::names::RunId;
use jiff::Timestamp;
use rand::Rng;
use swarm::Swap;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::model::{Model, World};
use super::process::Fate;
use super::unknown;
use crate::board::{Board, Changes};
use crate::state::{Caps, Ledger, SlotRequest, SlotsView, Ticket};

pub(super) struct Client {
    pub(super) model: Model,
    pub(super) fate: Arc<Fate>,
}

impl Client {
    /// One request: sent, executed, answered. A process whose fate is to die at this call dies.
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

    async fn look(&self) -> Result<Option<SlotsView>, Failure> {
        self.ask(false, |world| {
            let view = world.view();
            world.records += view.as_ref().map_or(0, |view| view.tickets.len() as u64);
            view
        })
        .await
    }

    async fn front(&self) -> Result<Option<SlotsView>, Failure> {
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

    async fn join(&self, ask: &SlotRequest, within_ms: u64) -> Result<(), Failure> {
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

    async fn expire(&self, ticket: &Ticket) -> Result<(), Failure> {
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
