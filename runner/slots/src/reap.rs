//! Finds dead runs without waiting for a slot: for `cc-ci reap` and the start of a run.

use std::collections::BTreeSet;
use std::future::Future;

use base::failure::Failure;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::Slots;
use super::board::Board;
use super::liveness::Liveness;
use super::state::{LedgerEntry, SlotRequest, SlotsView, Ticket};

/// Removes what a dead run left.
pub trait Janitor: Send + Sync {
    /// Removes everything that a dead run deployed. True if nothing is left, so that its room may be given away. Two
    /// may do it at once.
    fn finish(&self, held: &LedgerEntry) -> impl Future<Output = bool> + Send;
}

/// A run that was found dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReapedRun {
    pub held: LedgerEntry,
    /// Whether everything was removed and its room is free.
    pub finished: bool,
}

/// How long to look for dead runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// Once: finds only runs that are known to be dead.
    Once,
    /// Long enough to see that an owner sends no heartbeat.
    Long,
}

impl<B: Board> Slots<B> {
    /// Finds the runs whose owner is dead, and has `janitor` remove their apps. `is_dead` returns what is certain, such
    /// as a free lock on this host. An owner on another host whose heartbeat is old by the swarm's clock is watched for
    /// the length of a lease before it counts as dead, since clocks jump.
    pub async fn reap<J: Janitor>(
        &self,
        janitor: &J,
        looks: Scan,
        is_dead: impl Fn(&SlotRequest) -> bool,
    ) -> Result<Vec<ReapedRun>, Failure> {
        let mut sight = Liveness::default();
        let until = Instant::now() + self.timing.lease + self.timing.fence;
        let (mut reaped, mut sure) = (Vec::<ReapedRun>::new(), BTreeSet::new());
        loop {
            // A write returns the swarm's current time.
            let Some(view) = self.touched().await? else { return Ok(reaped) };
            let now = Instant::now();
            sight.note(&view, now, &self.timing);
            let died = |ticket: &Ticket| {
                is_dead(&ticket.ask) || (self.is_late(&view, ticket) && sight.is_dead(&view, ticket, now, &self.timing))
            };
            let (dead, alive): (Vec<&Ticket>, Vec<&Ticket>) =
                view.tickets.iter().map(AsRef::as_ref).partition(|ticket| died(ticket));
            for ticket in &dead {
                self.board.expire(ticket).await?;
                sure.insert(ticket.number);
            }
            if !dead.is_empty() {
                self.tell_next(false).await?;
                continue;
            }
            let is_sure = |held: &LedgerEntry| {
                sure.contains(&held.number) || is_dead(&held.ask) || sight.is_orphan(held.number, now, &self.timing)
            };
            let untried = view.orphans().filter(|held| !reaped.iter().any(|one| one.held.number == held.number));
            let (orphans, maybe): (Vec<&LedgerEntry>, Vec<&LedgerEntry>) = untried.partition(|held| is_sure(held));
            for held in orphans {
                let finished = janitor.finish(held).await;
                if finished {
                    self.forget(held.number).await?;
                }
                reaped.push(ReapedRun { held: held.clone(), finished });
            }
            let watches = !maybe.is_empty() || alive.iter().any(|ticket| self.is_late(&view, ticket));
            if looks == Scan::Once || !watches || Instant::now() >= until {
                return Ok(reaped);
            }
            // The absence of a heartbeat sends no event.
            sleep(self.timing.answer).await;
        }
    }

    /// The current time of the swarm's leader: the date of a write that changes nothing. The hosts' clocks need not
    /// agree. `None` if no run has requested a slot yet.
    pub async fn now(&self) -> Result<Option<Timestamp>, Failure> {
        let Some(ledger) = self.board.ledger().await? else { return Ok(None) };
        // If another write came first, its time is as new.
        self.board.write(&ledger).await?;
        Ok(self.board.ledger().await?.map(|ledger| ledger.updated))
    }

    fn is_late(&self, view: &SlotsView, ticket: &Ticket) -> bool {
        let age = view.now().duration_since(ticket.updated);
        age >= jiff::SignedDuration::try_from(self.timing.lease).unwrap_or(jiff::SignedDuration::MAX)
    }

    /// A snapshot after a write that changes nothing but the newest time.
    async fn touched(&self) -> Result<Option<SlotsView>, Failure> {
        let Some(view) = self.board.look().await? else { return Ok(None) };
        if !view.tickets.is_empty() {
            // If another write came first, its time is as new.
            self.board.write(&view.ledger).await?;
        }
        self.board.look().await
    }
}
