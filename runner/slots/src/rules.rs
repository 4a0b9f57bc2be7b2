//! The rules, as values: the simulation puts a wrong one in the place of each, to show that it would find
//! it.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::admit::{Admission, admit};
use super::lease_times::LeaseTimes;
use super::liveness::Liveness;
use super::state::{SlotsView, Ticket};

/// Who may go, given who is silent.
pub(super) type Admit = fn(&SlotsView, &BTreeSet<u64>) -> Vec<(u64, Admission)>;

/// Whether the owner of a ticket is dead, for one who has watched.
pub(super) type Dead = fn(&Liveness, &SlotsView, &Ticket, Instant, &LeaseTimes) -> bool;

/// What a runner goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// Who may go.
    pub(super) admit: Admit,
    /// Who is dead.
    pub(super) dead: Dead,
    /// Whether one that leaves tells those whose turn it is.
    pub(super) tells: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { admit, dead: Liveness::is_dead, tells: true }
    }
}
