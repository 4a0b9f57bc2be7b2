//! What a waiter does at each poll: take the slot, wait, maintain the queue.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use swarm::Swap;
use tokio::time::Instant;

use super::Slots;
use super::acquire::{Granted, NoSlot, PAUSE, WaitListener, Waiting};
use super::admit::{Admission, For, fits};
use super::board::{Board, just_after};
use super::chores::{Chore, answer, chores, goes};
use super::liveness::Liveness;
use super::state::{CapSettings, Ledger, LedgerEntry, SlotRequest, SlotsView, Ticket};

/// A waiter's state.
pub(super) struct Queue<'a, B: Board> {
    pub(super) ask: &'a SlotRequest,
    /// The caps of a swarm that has none yet.
    pub(super) caps: CapSettings,
    sight: Liveness,
    pub(super) changes: Option<B::Changes>,
    /// It has had a ticket.
    entered: bool,
    /// It has just got its ticket.
    pub(super) new: bool,
    /// The newest turn that it has acted on.
    pub(super) turn: u64,
    /// The time of its next poll.
    pub(super) pulse: Instant,
    /// The start of its last poll: not later than any slot that it took after it.
    pub(super) at: Instant,
}

/// The outcome of a poll.
pub(super) enum QueueStep {
    Granted(Granted),
    /// The records changed meanwhile.
    Again,
    /// Wait; and a dead run whose apps have to be removed, if any.
    Wait(Option<LedgerEntry>),
}

impl<'a, B: Board> Queue<'a, B> {
    pub(super) fn new(ask: &'a SlotRequest, caps: CapSettings) -> Self {
        let now = Instant::now();
        Self {
            ask,
            caps,
            sight: Liveness::default(),
            changes: None,
            entered: false,
            new: false,
            turn: 0,
            pulse: now,
            at: now,
        }
    }
}

impl<B: Board> Slots<B> {
    /// One poll and its outcome.
    pub(super) async fn step(&self, queue: &mut Queue<'_, B>, told: WaitListener<'_>) -> Result<QueueStep, NoSlot> {
        let at = Instant::now();
        if !queue.entered {
            self.enter(queue).await?;
            queue.entered = true;
        }
        if std::mem::take(&mut queue.new) && self.is_far_back(queue).await? {
            return Ok(QueueStep::Wait(None));
        }
        let Some(view) = self.board.look().await? else {
            self.board.open(queue.caps.over(None)).await?;
            return Ok(QueueStep::Again);
        };
        let Some(me) = view.ticket(&queue.ask.run) else {
            if view.ledger.of(&queue.ask.run).is_some() {
                // A slot that was taken after the ticket was removed has no owner.
                self.strike(|held| held.ask.run == queue.ask.run).await?;
            }
            self.enter(queue).await?;
            return Ok(QueueStep::Again);
        };
        if queue.changes.is_none() {
            // Starts right after this snapshot, so that no change is missed.
            queue.changes = Some(self.board.changes(&queue.ask.run, just_after(me.updated)));
        }
        if me.cancel.is_some() {
            return Err(NoSlot::Cancelled(me.cancel.clone()));
        }
        if let Some(held) = view.ledger.held.iter().find(|held| held.number == me.number) {
            // The response to an earlier attempt was lost. Others may have watched the slot since.
            if queue.at.elapsed() >= self.timing.fence {
                self.strike(|held| held.number == me.number).await?;
                return Ok(QueueStep::Again);
            }
            return Ok(QueueStep::Granted(Granted { held: held.clone(), at: queue.at, long: me.front }));
        }
        queue.at = at;
        queue.turn = me.turn;
        let now = Instant::now();
        queue.sight.note(&view, now, &self.timing);
        let mut silent = queue.sight.silent(&view, now, &self.timing);
        silent.remove(&me.number);
        let answers = (self.rules.admit)(&view, &silent);
        let why = match answer(&answers, me.number) {
            Some(Admission::Go) => return self.take(queue, &view.ledger, me, &view).await,
            Some(Admission::Never(what)) => return Err(NoSlot::TooMuch(what.clone())),
            Some(Admission::Wait(why)) => why.clone(),
            None => For::Room,
        };
        let mut orphan = None;
        let death = (now, &self.timing, self.rules.dead);
        for chore in chores((&view, &answers), me.number, (&mut queue.sight, &silent), death) {
            match chore {
                Chore::Tell(ticket) => self.tell(ticket, view.ledger.version).await?,
                Chore::Expire(ticket) => {
                    self.board.expire(&ticket).await?;
                    return Ok(QueueStep::Again);
                }
                Chore::Finish(held) => orphan = orphan.or(Some(held)),
            }
        }
        let place = answers.partition_point(|(number, _)| *number < me.number);
        if view.lengthens_at(place) {
            self.mark_first(&view).await?;
        }
        told(&view, &Waiting { number: me.number, place: view.place(me) + 1, length: answers.len(), why });
        self.pulse(queue, me, (place, answers.len())).await?;
        Ok(QueueStep::Wait(orphan))
    }

    /// Takes the slot, unless the ledger has changed since it was read.
    async fn take(
        &self,
        queue: &Queue<'_, B>,
        ledger: &Ledger,
        me: &Ticket,
        view: &SlotsView,
    ) -> Result<QueueStep, NoSlot> {
        let held = LedgerEntry { ask: queue.ask.clone(), number: me.number, since: view.now(), kept: false };
        Ok(match self.board.write(&ledger.with(held.clone())).await? {
            Swap::Done => QueueStep::Granted(Granted { held, at: queue.at, long: me.front }),
            Swap::Stale | Swap::Gone => QueueStep::Again,
        })
    }

    /// Sends the heartbeat when it is due.
    async fn pulse(
        &self,
        queue: &mut Queue<'_, B>,
        me: &Ticket,
        (place, length): (usize, usize),
    ) -> Result<(), NoSlot> {
        let now = Instant::now();
        let next = self.timing.pulse(place, length, me.number);
        if now < queue.pulse {
            queue.pulse = queue.pulse.min(now + next);
            return Ok(());
        }
        let alive = Ticket { beat: me.beat + 1, within_ms: millis(next), ..me.clone() };
        // A lost race means that another runner notified this one: an event follows, and the next pulse is soon.
        let swap = self.board.change(&alive).await?;
        queue.pulse = now + if swap == Swap::Done { next } else { PAUSE.0 };
        Ok(())
    }

    /// Handles a change of the ticket. A waiter that was notified of its turn at exactly this ledger does not read the
    /// other tickets.
    pub(super) async fn when_told(&self, queue: &mut Queue<'_, B>) -> Result<QueueStep, NoSlot> {
        let at = Instant::now();
        let (ticket, ledger) = tokio::join!(self.board.ticket(&queue.ask.run), self.board.ledger());
        let (Some(me), Some(ledger)) = (ticket?, ledger?) else { return Ok(QueueStep::Again) };
        if me.cancel.is_some() {
            return Err(NoSlot::Cancelled(me.cancel.clone()));
        }
        if me.turn == queue.turn {
            return Ok(QueueStep::Wait(None));
        }
        (queue.turn, queue.at) = (me.turn, at);
        if me.turn == ledger.version && fits(&ledger, queue.ask) {
            let view = SlotsView { ledger, tickets: vec![Arc::clone(&me)] };
            let step = self.take(queue, &view.ledger, &me, &view).await?;
            if matches!(step, QueueStep::Granted(_)) {
                return Ok(step);
            }
        }
        if me.front { self.among_first(queue).await } else { Ok(QueueStep::Again) }
    }

    /// Handles a lost race for the slot. At the front of a long queue only the front is read: if it has to wait because
    /// of those, it has to wait because of all.
    async fn among_first(&self, queue: &mut Queue<'_, B>) -> Result<QueueStep, NoSlot> {
        loop {
            let at = Instant::now();
            let Some(view) = self.board.front().await? else { return Ok(QueueStep::Again) };
            let Some(me) = view.ticket(&queue.ask.run).filter(|me| !view.ledger.has(me.number)) else {
                return Ok(QueueStep::Again);
            };
            (queue.turn, queue.at) = (me.turn, at);
            let answers = (self.rules.admit)(&view, &BTreeSet::new());
            if !goes(&answers, me.number) {
                return Ok(QueueStep::Wait(None));
            }
            let step = self.take(queue, &view.ledger, me, &view).await?;
            if matches!(step, QueueStep::Granted(_)) {
                return Ok(step);
            }
        }
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
