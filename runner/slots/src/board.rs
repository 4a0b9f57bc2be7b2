//! The interface to the shared records. One implementation is the swarm, the other the simulation's model of it.

use std::future::Future;
use std::sync::Arc;

use base::failure::Failure;
use base::names::RunId;
use jiff::Timestamp;
use swarm::Swap;

use super::state::{Caps, Ledger, SlotRequest, SlotsView, Ticket};

/// The shared records. Every error means that the outcome is unknown: the change may have been made.
pub trait Board: Send + Sync {
    /// A subscription to one ticket.
    type Changes: Changes;

    /// A snapshot of all records; `None` without a ledger.
    fn look(&self) -> impl Future<Output = Result<Option<SlotsView>, Failure>> + Send;
    /// A snapshot of the ledger and the tickets that are marked as the front of the queue.
    fn front(&self) -> impl Future<Output = Result<Option<SlotsView>, Failure>> + Send;
    /// The ledger alone.
    fn ledger(&self) -> impl Future<Output = Result<Option<Arc<Ledger>>, Failure>> + Send;
    /// One ticket.
    fn ticket(&self, run: &RunId) -> impl Future<Output = Result<Option<Arc<Ticket>>, Failure>> + Send;
    /// Creates an empty ledger, if there is none.
    fn open(&self, caps: Caps) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Changes the ledger if it still has this value's version.
    fn write(&self, ledger: &Ledger) -> impl Future<Output = Result<Swap, Failure>> + Send;
    /// Creates a ticket, if the run has none.
    fn join(&self, ask: &SlotRequest, within_ms: u64) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Changes a ticket if it still has this value's version.
    fn change(&self, ticket: &Ticket) -> impl Future<Output = Result<Swap, Failure>> + Send;
    /// Removes a run's ticket, if there is one.
    fn leave(&self, run: &RunId) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Removes exactly this ticket, not a later one of the same run.
    fn expire(&self, ticket: &Ticket) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Subscribes to changes of a run's ticket, starting at a time of the swarm.
    fn changes(&self, run: &RunId, since: Timestamp) -> Self::Changes;
}

pub trait Changes: Send {
    /// Waits for a change; `None` when the connection is lost. Cancel-safe.
    fn next(&mut self) -> impl Future<Output = Option<()>> + Send;
}

impl Changes for swarm::RecordChanges {
    async fn next(&mut self) -> Option<()> {
        Self::next(self).await
    }
}

/// The moment after a known event, so that a subscription does not repeat it.
pub(super) fn just_after(moment: Timestamp) -> Timestamp {
    moment.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(moment)
}
