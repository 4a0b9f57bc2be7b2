//! Holding a slot and giving it back.

use std::sync::Arc;
use std::time::Duration;

use base::failure::{Failure, Kind};
use swarm::Swap;
use tokio_util::sync::CancellationToken;

use super::Slots;
use super::acquire::Granted;
use super::beat::Pulse;
use super::board::Board;
use super::state::{LedgerEntry, SlotRequest};

/// Why a holder has to stop and tear down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// A user asked the run to stop. It keeps the slot during its teardown.
    Cancelled(String),
    /// It has held the slot for as long as it requested.
    Limit(Duration),
    /// It sent no heartbeat for so long that others may consider it dead.
    Silent(Duration),
    /// Others expired it: its apps are being removed, and its slot will be given away.
    Removed,
}

/// A slot with its heartbeat task. Dropped without [`Lease::release`], it expires.
#[derive(Debug)]
pub struct Lease<B: Board> {
    slots: Slots<B>,
    held: LedgerEntry,
    long: bool,
    pulse: Arc<Pulse>,
    task: tokio::task::JoinHandle<()>,
}

impl<B: Board + 'static> Lease<B> {
    pub fn start(slots: &Slots<B>, granted: Granted) -> Self {
        let pulse = Arc::new(Pulse::default());
        let (held, long) = (granted.held.clone(), granted.long);
        let (beating, heart) = (slots.clone(), Arc::clone(&pulse));
        let task = tokio::spawn(async move { beating.beat(&granted, &heart).await });
        Self { slots: slots.clone(), held, long, pulse, task }
    }

    /// Gives the slot back and notifies those whose turn it is. Call it after the teardown, even if the slot was lost.
    ///
    /// # Errors
    /// The swarm does not answer. The lease then expires, and others remove what is left.
    pub async fn release(self) -> Result<(), Failure> {
        self.pulse.done.cancel();
        self.slots.give_back_patiently(&self.held, self.long).await
    }

    /// Ends the heartbeat and keeps apps, each of `stays` under the run that it names: this one, or the run of a
    /// provider that others may use too. They count as apps and not as runs, until [`Slots::forget_run`] is called
    /// after their teardown.
    ///
    /// # Errors
    /// The swarm does not answer, or the slot is lost: then the apps must be torn down.
    pub async fn keep(&self, stays: &[SlotRequest]) -> Result<(), Failure> {
        let LedgerEntry { number, since, ask, .. } = &self.held;
        while let Some(ledger) = self.slots.board().ledger().await?.filter(|ledger| ledger.has(*number)) {
            // No ticket has the number of a change of the ledger, and no two changes have the same number.
            let numbers = [*number, ledger.version];
            let kept = stays.iter().zip(numbers).fold(ledger.without(*number), |ledger, (ask, number)| {
                // A janitor may have recorded it already.
                if ledger.of(&ask.run).is_some() {
                    return ledger;
                }
                ledger.with(LedgerEntry { ask: ask.clone(), number, since: *since, kept: true })
            });
            if self.slots.board().write(&kept).await? == Swap::Done {
                self.pulse.done.cancel();
                self.slots.board().leave(&ask.run).await?;
                self.slots.tell_next(self.long).await?;
                return Ok(());
            }
        }
        Err(Lost::Removed.failure())
    }
}

impl<B: Board> Lease<B> {
    pub fn held(&self) -> &LedgerEntry {
        &self.held
    }

    /// Cancelled when the run has to stop at once and tear down.
    pub fn stop(&self) -> CancellationToken {
        self.pulse.stop.clone()
    }

    /// Why the run has to stop.
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
    /// The failure for the run's verdict.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Cancelled(by) => Failure::new(Kind::NoSlot, format!("the run was cancelled by {by}"), ""),
            Self::Limit(limit) => Failure::new(
                Kind::NoSlot,
                format!("the run held its slot for {} s, the maximum", limit.as_secs()),
                "the report, for the stage that took the time",
            ),
            Self::Silent(time) => Failure::new(
                Kind::NoSlot,
                format!("the run could send no heartbeat for {} s and gave its slot up", time.as_secs()),
                "check whether the machine was suspended or the docker engine down (`journalctl -u docker`), then run again",
            ),
            Self::Removed => Failure::new(
                Kind::NoSlot,
                "the run's slot was revoked, since it sent no heartbeat",
                "check whether the machine was suspended or overloaded, then run again",
            ),
        }
    }
}
