//! The seam between the rules and the swarm: what is asked of the shared records. One implementation is
//! the swarm, the other is the simulation's model of it.

use std::future::Future;
use std::sync::Arc;

use base::failure::Failure;
use base::names::RunId;
use jiff::Timestamp;
use swarm::Swap;

use super::state::{Caps, Ledger, SlotRequest, SlotsView, Ticket};

/// The shared records. Every error means that the outcome is unknown: the change may stand.
pub trait Board: Send + Sync {
    /// Tells when one ticket changes.
    type Changes: Changes;

    /// Everything, as of one moment; none where there is no ledger yet.
    fn look(&self) -> impl Future<Output = Result<Option<SlotsView>, Failure>> + Send;
    /// The ledger and the tickets that are marked as the first, as of one moment.
    fn front(&self) -> impl Future<Output = Result<Option<SlotsView>, Failure>> + Send;
    /// The ledger alone.
    fn ledger(&self) -> impl Future<Output = Result<Option<Arc<Ledger>>, Failure>> + Send;
    /// One ticket.
    fn ticket(&self, run: &RunId) -> impl Future<Output = Result<Option<Arc<Ticket>>, Failure>> + Send;
    /// Makes the ledger with nobody in it. Nothing happens where there is one.
    fn open(&self, caps: Caps) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Changes the ledger, if it still is of this value's version.
    fn write(&self, ledger: &Ledger) -> impl Future<Output = Result<Swap, Failure>> + Send;
    /// Makes a ticket. Nothing happens where the run has one.
    fn join(&self, ask: &SlotRequest, within_ms: u64) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Changes a ticket, if it still is of this value's version.
    fn change(&self, ticket: &Ticket) -> impl Future<Output = Result<Swap, Failure>> + Send;
    /// Removes a run's ticket. Nothing happens where there is none.
    fn leave(&self, run: &RunId) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Removes this very ticket, and no later one of the same run. Nothing happens where it is gone.
    fn bury(&self, ticket: &Ticket) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Subscribes to changes of a run's ticket, from a moment of the swarm on.
    fn changes(&self, run: &RunId, since: Timestamp) -> Self::Changes;
}

/// A subscription.
pub trait Changes: Send {
    /// Waits for a change; none when the connection is lost. May be dropped while it waits.
    fn next(&mut self) -> impl Future<Output = Option<()>> + Send;
}

impl Changes for swarm::RecordChanges {
    async fn next(&mut self) -> Option<()> {
        Self::next(self).await
    }
}

/// The moment after one that was seen, for a subscription that tells nothing twice.
pub(super) fn just_after(moment: Timestamp) -> Timestamp {
    moment.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(moment)
}
