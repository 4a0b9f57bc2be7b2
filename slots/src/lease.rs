//! Holding a slot: signs of life, and knowing at once when it is lost.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use harness::failure::{Failure, Kind};
use harness::swarm::Swap;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Slots;
use super::acquire::Granted;
use super::board::{Board, Changes};
use super::state::{Held, Ticket};

/// Why a holder has to stop and tear down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// Somebody asked the run to stop. The slot is still its own while it tears down.
    Cancelled(String),
    /// It has held the slot for as long as it asked for.
    Limit(Duration),
    /// It could give no sign of life for so long that others may take it for dead.
    Silent(Duration),
    /// Others took it for dead: what it deployed is being removed, and its slot will be given away.
    Removed,
}

/// What the heartbeat tells the run.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    pub(super) stop: CancellationToken,
    pub(super) why: OnceLock<Lost>,
    pub(super) done: CancellationToken,
}

/// A slot with its heartbeat, which is a task of its own. Dropped without [`Lease::release`], it expires.
#[derive(Debug)]
pub struct Lease<B: Board> {
    slots: Slots<B>,
    held: Held,
    long: bool,
    pulse: Arc<Pulse>,
    task: tokio::task::JoinHandle<()>,
}

/// How long a holder that has to stop may go on giving signs of life while it tears down.
const TEARDOWN: Duration = Duration::from_secs(600);

/// A pause before an engine that failed is asked again.
const PAUSE: Duration = Duration::from_millis(500);

impl<B: Board + 'static> Lease<B> {
    /// Starts the heartbeat of a slot.
    #[must_use]
    pub fn start(slots: &Slots<B>, granted: Granted) -> Self {
        let pulse = Arc::new(Pulse::default());
        let (held, long) = (granted.held.clone(), granted.long);
        let (beating, heart) = (slots.clone(), Arc::clone(&pulse));
        let task = tokio::spawn(async move { beating.beat(&granted, &heart).await });
        Self { slots: slots.clone(), held, long, pulse, task }
    }

    /// Gives the slot back, and tells those whose turn it is. After the teardown, also when the slot was
    /// lost.
    ///
    /// # Errors
    /// The swarm does not answer. The lease then expires, and others remove what is left.
    pub async fn release(self) -> Result<(), Failure> {
        self.pulse.done.cancel();
        self.slots.give_back_patiently(&self.held, self.long).await
    }

    /// Ends the heartbeat and lets the run's app stay. It counts as apps until
    /// [`Slots::forget`] is called with [`Held::number`], after its teardown.
    ///
    /// # Errors
    /// The swarm does not answer, or the slot is lost: then the app must be torn down.
    pub async fn keep(self) -> Result<Held, Failure> {
        while let Some(ledger) = self.slots.board().ledger().await?.filter(|ledger| ledger.has(self.held.number)) {
            let kept = Held { kept: true, ..self.held.clone() };
            if self.slots.board().write(&ledger.without(kept.number).with(kept.clone())).await? == Swap::Done {
                self.pulse.done.cancel();
                self.slots.board().leave(&kept.ask.run).await?;
                self.slots.tell_next(self.long).await?;
                return Ok(kept);
            }
        }
        Err(Lost::Removed.failure())
    }
}

impl<B: Board> Lease<B> {
    /// What is held.
    #[must_use]
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// Cancelled when the run has to stop at once and tear down.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.pulse.stop.clone()
    }

    /// Why the run has to stop.
    #[must_use]
    pub fn lost(&self) -> Option<&Lost> {
        self.pulse.why.get()
    }
}

impl<B: Board> Drop for Lease<B> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Lost {
    /// What it means for the run's verdict.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Cancelled(by) => Failure::new(Kind::NoSlot, format!("the run was cancelled by {by}"), ""),
            Self::Limit(limit) => Failure::new(
                Kind::NoSlot,
                format!("the run held its slot for {} s, which is as long as it may", limit.as_secs()),
                "the stage that took so long, in the report",
            ),
            Self::Silent(time) => Failure::new(
                Kind::NoSlot,
                format!("the run could give no sign of life for {} s and gave its slot up", time.as_secs()),
                "was the machine asleep, or the docker engine gone (`journalctl -u docker`)? Then run again",
            ),
            Self::Removed => Failure::new(
                Kind::NoSlot,
                "the run's slot was taken away, since it gave no sign of life",
                "was the machine asleep or overloaded? Then run again",
            ),
        }
    }
}

impl Pulse {
    fn lose(&self, why: Lost) {
        let _ = self.why.set(why);
        self.stop.cancel();
    }
}

/// What a holder finds of its ticket and its entry.
enum Mine {
    Yes(Arc<Ticket>),
    No,
}

impl<B: Board> Slots<B> {
    /// The heartbeat. Ends when the slot is given back or gone for good.
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
        // The first look is at once: the ticket may have been removed while the slot was taken.
        let (mut next, mut first) = (*at, true);
        let mut changes = None;
        loop {
            let stops = pulse.stop.is_cancelled();
            let fence = alive_at + self.timing.fence;
            let beats = tokio::select! {
                // In this order: one that was paused finds out before it does anything else.
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
            let signs = beats && !std::mem::take(&mut first);
            if changes.is_none() {
                changes = Some(self.board.changes(&held.ask.run, held.since));
            }
            // A request that hangs is given up early enough for others, and must not hide that time is up.
            let until = if stops { started + self.timing.beat } else { fence.min(started + self.timing.beat) };
            let asked = async { if signs { self.sign_of_life(held).await } else { self.mine(held).await } };
            match timeout_at(until, asked).await {
                Ok(Ok(Mine::No)) => return pulse.lose(Lost::Removed),
                Ok(Ok(Mine::Yes(ticket))) => {
                    if let Some(by) = &ticket.cancel {
                        pulse.lose(Lost::Cancelled(by.clone()));
                    }
                    if signs {
                        alive_at = started;
                    }
                    if beats {
                        next = started + self.timing.beat;
                    }
                }
                Ok(Err(_)) | Err(_) => next = started + PAUSE,
            }
        }
    }

    async fn mine(&self, held: &Held) -> Result<Mine, Failure> {
        let (ticket, ledger) = tokio::join!(self.board.ticket(&held.ask.run), self.board.ledger());
        let ticket = ticket?.filter(|ticket| ticket.number == held.number);
        let entered = ledger?.is_some_and(|ledger| ledger.has(held.number));
        Ok(ticket.filter(|_| entered).map_or(Mine::No, Mine::Yes))
    }

    /// Shows that the holder lives.
    async fn sign_of_life(&self, held: &Held) -> Result<Mine, Failure> {
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
