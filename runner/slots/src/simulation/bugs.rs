//! Planted bugs: wrong rules that the simulation has to detect.

use std::collections::BTreeSet;

use tokio::time::Instant;

use crate::admit::{Admission, For, admit, fits, too_much};
use crate::lease_times::LeaseTimes;
use crate::liveness::Liveness;
use crate::state::{Ledger, SlotsView, Ticket};

/// Strictly in order: no request passes a waiter.
pub(super) fn plain_fifo(view: &SlotsView, silent: &BTreeSet<u64>) -> Vec<(u64, Admission)> {
    let mut blocked = false;
    admit(view, silent)
        .into_iter()
        .map(|(number, answer)| {
            let answer = if blocked { Admission::Wait(For::Room) } else { answer };
            blocked |= answer == Admission::Wait(For::Room);
            (number, answer)
        })
        .collect()
}

/// Every request that fits is admitted: nothing is reserved for a waiter.
pub(super) fn overtaking_without_bound(view: &SlotsView, silent: &BTreeSet<u64>) -> Vec<(u64, Admission)> {
    let mut ledger: Ledger = view.ledger.as_ref().clone();
    view.waiting()
        .map(|ticket| {
            let goes = !silent.contains(&ticket.number) && fits(&ledger, &ticket.ask);
            if goes {
                ledger = ledger.with(crate::state::LedgerEntry {
                    ask: ticket.ask.clone(),
                    number: ticket.number,
                    since: ticket.updated,
                    kept: false,
                });
            }
            let never = too_much(&ledger.caps, &ticket.ask);
            (
                ticket.number,
                never.map_or(if goes { Admission::Go } else { Admission::Wait(For::Room) }, Admission::Never),
            )
        })
        .collect()
}

/// No run is ever found dead.
pub(super) fn no_deaths(_: &Liveness, _: &SlotsView, _: &Ticket, _: Instant, _: &LeaseTimes) -> bool {
    false
}

/// A holder is dead when the swarm's timestamps say that its heartbeat is old.
pub(super) fn dead_by_timestamps(
    _: &Liveness,
    view: &SlotsView,
    ticket: &Ticket,
    _: Instant,
    timing: &LeaseTimes,
) -> bool {
    view.ledger.has(ticket.number)
        && view.now().duration_since(ticket.updated) >= jiff::SignedDuration::try_from(timing.lease).unwrap()
}
