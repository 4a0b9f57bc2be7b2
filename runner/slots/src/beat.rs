//! The heartbeat of a holder, which also detects at once that the slot is lost.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base::failure::Failure;
use swarm::Swap;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Slots;
use super::acquire::Granted;
use super::board::{Board, Changes, just_after};
use super::lease::Lost;
use super::state::{LedgerEntry, Ticket};

/// How long a holder that has to stop may continue its heartbeat during teardown.
const TEARDOWN: Duration = Duration::from_secs(600);

/// Pause before an engine that failed is queried again.
const PAUSE: Duration = Duration::from_millis(500);

/// What the heartbeat reports to the run.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    pub(super) stop: CancellationToken,
    pub(super) why: OnceLock<Lost>,
    pub(super) done: CancellationToken,
}

impl Pulse {
    fn lose(&self, why: Lost) {
        let _ = self.why.set(why);
        self.stop.cancel();
    }
}

/// The state of the holder's ticket and entry.
enum Mine {
    Yes(Arc<Ticket>),
    No,
}

impl<B: Board> Slots<B> {
    /// Runs the heartbeat until the slot is given back or lost.
    pub(super) async fn beat(&self, granted: &Granted, pulse: &Pulse) {
        tokio::select! {
            biased;
            () = pulse.done.cancelled() => {}
            () = self.beat_on(granted, pulse) => {}
        }
    }

    async fn beat_on(&self, Granted { held, at, .. }: &Granted, pulse: &Pulse) {
        let limit = Duration::from_secs(held.ask.limit_s);
        let ends = *at + limit;
        let mut alive_at = *at;
        let mut next = *at + self.timing.beat;
        // Includes changes of the ticket while the slot was taken.
        let mut changes = Some(self.board.changes(&held.ask.run, just_after(held.since)));
        loop {
            let stops = pulse.stop.is_cancelled();
            let fence = alive_at + self.timing.fence;
            let beats = tokio::select! {
                // In this order: a process that was paused detects the loss before it does anything else.
                biased;
                () = sleep_until(ends + TEARDOWN) => return,
                () = sleep_until(fence), if !stops => {
                    pulse.lose(Lost::Silent(alive_at.elapsed()));
                    continue;
                }
                () = sleep_until(ends), if !stops => {
                    pulse.lose(Lost::Limit(limit));
                    continue;
                }
                () = sleep_until(next) => true,
                news = next_of(&mut changes) => {
                    if news.is_none() {
                        changes = None;
                        next = Instant::now() + PAUSE;
                        continue;
                    }
                    false
                }
            };
            let started = Instant::now();
            if changes.is_none() {
                changes = Some(self.board.changes(&held.ask.run, just_after(held.since)));
            }
            // A request that hangs is cancelled early enough for a retry, and must not hide that time is up.
            let until = if stops { started + self.timing.beat } else { fence.min(started + self.timing.beat) };
            let asked = async { if beats { self.sign_of_life(held).await } else { self.mine(held).await } };
            match timeout_at(until, asked).await {
                Ok(Ok(Mine::No)) => return pulse.lose(Lost::Removed),
                Ok(Ok(Mine::Yes(ticket))) => {
                    if let Some(by) = &ticket.cancel {
                        pulse.lose(Lost::Cancelled(by.clone()));
                    }
                    if beats {
                        (alive_at, next) = (started, started + self.timing.beat);
                    }
                }
                Ok(Err(_)) | Err(_) => next = started + PAUSE,
            }
        }
    }

    async fn mine(&self, held: &LedgerEntry) -> Result<Mine, Failure> {
        let (ticket, ledger) = tokio::join!(self.board.ticket(&held.ask.run), self.board.ledger());
        let ticket = ticket?.filter(|ticket| ticket.number == held.number);
        let entered = ledger?.is_some_and(|ledger| ledger.has(held.number));
        Ok(ticket.filter(|_| entered).map_or(Mine::No, Mine::Yes))
    }

    /// Writes one heartbeat.
    async fn sign_of_life(&self, held: &LedgerEntry) -> Result<Mine, Failure> {
        loop {
            let Mine::Yes(ticket) = self.mine(held).await? else { return Ok(Mine::No) };
            let within_ms = u64::try_from(self.timing.beat.as_millis()).unwrap_or(u64::MAX);
            let alive = Ticket { beat: ticket.beat + 1, within_ms, ..ticket.as_ref().clone() };
            match self.board.change(&alive).await? {
                Swap::Done => return Ok(Mine::Yes(ticket)),
                Swap::Gone => return Ok(Mine::No),
                Swap::Stale => {}
            }
        }
    }
}

async fn next_of<C: Changes>(changes: &mut Option<C>) -> Option<()> {
    match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}
