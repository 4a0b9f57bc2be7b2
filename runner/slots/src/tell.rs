//! Notifies waiters of their turn, so that no other waiter wakes. A release reads all waiters; in a very long queue the
//! front is marked, and reading that is enough.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::failure::Failure;
use swarm::Swap;
use tokio::time::{Instant, timeout_at};

use super::Slots;
use super::admit::leaves_room;
use super::board::Board;
use super::chores::goes;
use super::state::{SlotsView, Ticket};

impl<B: Board> Slots<B> {
    /// Notifies those whose turn it is. `long` is for a run that waited in a long queue: it reads only the front,
    /// unless that leaves room.
    pub(super) async fn tell_next(&self, long: bool) -> Result<(), Failure> {
        if !self.rules.tells {
            return Ok(());
        }
        if long
            && let Some(view) = self.board.front().await?
            && !self.tell_all(&view).await?
        {
            return Ok(());
        }
        let Some(view) = self.board.look().await? else { return Ok(()) };
        self.tell_all(&view).await?;
        self.mark_first(&view).await
    }

    /// Marks the front of a long queue, concurrently.
    pub(super) async fn mark_first(&self, view: &SlotsView) -> Result<(), Failure> {
        let marks = view.unmarked_front().into_iter().map(|ticket| self.mark(ticket.as_ref().clone()));
        futures_util::future::try_join_all(marks).await.map(drop)
    }

    /// Notifies those of a snapshot whose turn it is, concurrently. True if there might be more.
    async fn tell_all(&self, view: &SlotsView) -> Result<bool, Failure> {
        let answers = (self.rules.admit)(view, &BTreeSet::new());
        let version = view.ledger.version;
        let go: Vec<_> = view.waiting().filter(|ticket| goes(&answers, ticket.number)).collect();
        let told = go.iter().filter(|ticket| ticket.turn != version);
        let told = told.map(|ticket| self.tell(ticket.as_ref().clone(), version));
        futures_util::future::try_join_all(told).await?;
        Ok(leaves_room(&view.ledger, &go.iter().map(|ticket| &ticket.ask).collect::<Vec<_>>()))
    }

    async fn mark(&self, ticket: Ticket) -> Result<(), Failure> {
        let mut now = Some(Arc::new(ticket));
        while let Some(ticket) = now.filter(|ticket| !ticket.front) {
            if self.board.change(&Ticket { front: true, ..ticket.as_ref().clone() }).await? != Swap::Stale {
                break;
            }
            now = self.board.ticket(&ticket.ask.run).await?;
        }
        Ok(())
    }

    /// Notifies one waiter of its turn at this version of the ledger. Once is enough.
    pub(super) async fn tell(&self, mut ticket: Ticket, version: u64) -> Result<(), Failure> {
        let until = Instant::now() + self.timing.answer;
        loop {
            ticket.turn = version;
            let Ok(swap) = timeout_at(until, self.board.change(&ticket)).await else { return Ok(()) };
            if swap? != Swap::Stale {
                return Ok(());
            }
            // Its owner sent a heartbeat at this moment, or another runner notified it.
            match self.board.ticket(&ticket.ask.run).await? {
                Some(now) if now.turn < version => ticket = now.as_ref().clone(),
                _ => return Ok(()),
            }
        }
    }
}
