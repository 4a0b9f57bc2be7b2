//! Acquires a slot: a ticket in the queue, then an entry in the ledger by compare-and-swap.
//!
//! A waiter is notified of its turn by an event of its own ticket, so that no other waiter wakes. It also polls at
//! intervals, in case the process that should have notified it is dead.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use base::failure::{Failure, Kind};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Slots;
use super::admit::For;
use super::board::{Board, Changes};
use super::queue::{Queue, QueueStep};
use super::reap::Janitor;
use super::state::{CapSettings, LedgerEntry, SlotRequest, SlotsView};

/// A slot that was just taken. Make it a [`Lease`](super::Lease) at once, or it expires.
#[derive(Debug, Clone)]
pub struct Granted {
    pub held: LedgerEntry,
    /// A moment before the slot was taken, from which on its silence counts.
    pub at: Instant,
    /// Whether it waited in a long queue.
    pub(super) long: bool,
}

/// Why there is no slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoSlot {
    /// The run was asked to stop: by its own process, or by the one named.
    Cancelled(Option<String>),
    /// The request exceeds the caps: what is too much.
    TooMuch(String),
    /// The swarm does not answer.
    Failed(Failure),
}

/// A waiter's position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its ticket's number.
    pub number: u64,
    /// Its place in the queue, from 1.
    pub place: usize,
    /// Length of the queue, this waiter included.
    pub length: usize,
    /// What it waits for.
    pub why: For,
}

/// Initial and maximum pause before an engine that failed is queried again; it doubles.
pub(super) const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Receives the waiter's position.
pub(super) type WaitListener<'a> = &'a mut (dyn FnMut(&SlotsView, &Waiting) + Send);

/// The removal of a dead run's apps: its number, and whether nothing is left.
type Finishing<'a> = Pin<Box<dyn Future<Output = (u64, bool)> + Send + 'a>>;

impl<B: Board> Slots<B> {
    /// Waits for a slot. While it waits it maintains the queue: it notifies waiters that were missed, expires dead
    /// runs, and has `janitor` remove their apps. `told` receives the place in the queue when it may have changed.
    ///
    /// # Errors
    /// There is no slot. Nothing of the run is left on record then, as far as the swarm answers.
    pub async fn acquire<J: Janitor>(
        &self,
        ask: &SlotRequest,
        caps: impl Into<CapSettings>,
        janitor: &J,
        cancel: &CancellationToken,
        told: WaitListener<'_>,
    ) -> Result<Granted, NoSlot> {
        let got = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(NoSlot::Cancelled(None)),
            got = self.wait(ask, caps.into(), janitor, told) => got,
        };
        if got.is_err() {
            // If the swarm does not answer, other runners find what is left.
            let _ = self.give_back(|held| held.ask.run == ask.run, &ask.run, false).await;
        }
        got
    }

    async fn wait<J: Janitor>(
        &self,
        ask: &SlotRequest,
        caps: CapSettings,
        janitor: &J,
        told: WaitListener<'_>,
    ) -> Result<Granted, NoSlot> {
        let mut queue = Queue::new(ask, caps);
        let mut finishing = None;
        // A removal that failed is retried after a lease, not in a loop.
        let mut in_vain: Option<Instant> = None;
        let (mut trouble, mut pause) = (None, PAUSE.0);
        loop {
            let step = match self.step(&mut queue, told).await {
                Ok(QueueStep::Wait(orphan)) => {
                    let rests = in_vain.is_some_and(|tried| tried.elapsed() < self.timing.lease);
                    if let (Some(held), None, false) = (orphan, &finishing, rests) {
                        finishing = Some(finish(janitor, held));
                    }
                    self.until_news(&mut queue, &mut finishing, &mut in_vain).await
                }
                step => step,
            };
            match step {
                Ok(QueueStep::Granted(granted)) => return Ok(granted),
                Ok(QueueStep::Again | QueueStep::Wait(_)) => (trouble, pause) = (None, PAUSE.0),
                Err(NoSlot::Failed(failure)) => {
                    if trouble.get_or_insert_with(Instant::now).elapsed() >= self.timing.patience {
                        return Err(NoSlot::Failed(failure));
                    }
                    // An engine that is down sends no event.
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
                Err(end) => return Err(end),
            }
        }
    }

    /// Waits for the next poll, or takes the slot when notified.
    async fn until_news(
        &self,
        queue: &mut Queue<'_, B>,
        finishing: &mut Option<Finishing<'_>>,
        in_vain: &mut Option<Instant>,
    ) -> Result<QueueStep, NoSlot> {
        loop {
            let Some(changes) = &mut queue.changes else { return Ok(QueueStep::Again) };
            tokio::select! {
                biased;
                (number, finished) = or_never(finishing) => {
                    *finishing = None;
                    *in_vain = (!finished).then(Instant::now);
                    if finished {
                        self.forget(number).await?;
                    }
                    return Ok(QueueStep::Again);
                }
                news = changes.next() => {
                    if news.is_none() {
                        queue.changes = None;
                        return Err(lost_events().into());
                    }
                    match self.when_told(queue).await? {
                        QueueStep::Wait(_) => {}
                        step => return Ok(step),
                    }
                }
                () = sleep_until(queue.pulse) => return Ok(QueueStep::Again),
            }
        }
    }
}

impl From<Failure> for NoSlot {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn finish<J: Janitor>(janitor: &J, held: LedgerEntry) -> Finishing<'_> {
    Box::pin(async move { (held.number, janitor.finish(&held).await) })
}

async fn or_never(finishing: &mut Option<Finishing<'_>>) -> (u64, bool) {
    match finishing {
        Some(finishing) => finishing.as_mut().await,
        None => std::future::pending().await,
    }
}

fn lost_events() -> Failure {
    Failure::new(Kind::EngineUnreachable, "the engine's events ended", "was docker restarted?")
}
