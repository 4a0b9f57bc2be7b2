//! The rules as values: the simulation replaces each with a wrong one, to show that it would detect it.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::admit::{Admission, admit};
use super::lease_times::LeaseTimes;
use super::liveness::Liveness;
use super::state::{SlotsView, Ticket};

/// The admission rule, given the silent tickets.
pub(super) type Admit = fn(&SlotsView, &BTreeSet<u64>) -> Vec<(u64, Admission)>;

/// Whether the owner of a ticket is dead, for an observer.
pub(super) type Dead = fn(&Liveness, &SlotsView, &Ticket, Instant, &LeaseTimes) -> bool;

#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) admit: Admit,
    pub(super) dead: Dead,
    /// Whether a run that leaves notifies those whose turn it is.
    pub(super) tells: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { admit, dead: Liveness::is_dead, tells: true }
    }
}
