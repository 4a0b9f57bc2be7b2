//! Planted bugs: wrong rules that the simulation has to find.

use std::collections::BTreeSet;

use tokio::time::Instant;

use crate::admit::{Answer, For, admit, fits, too_much};
use crate::sight::Sight;
use crate::state::{Ledger, Ticket, View};
use crate::timing::Timing;

/// Strictly in order: nobody passes one that waits.
pub(super) fn plain_fifo(view: &View, silent: &BTreeSet<u64>) -> Vec<(u64, Answer)> {
    let mut blocked = false;
    admit(view, silent)
        .into_iter()
        .map(|(number, answer)| {
            let answer = if blocked { Answer::Wait(For::Room) } else { answer };
            blocked |= answer == Answer::Wait(For::Room);
            (number, answer)
        })
        .collect()
}

/// Whoever fits goes: nothing is kept back for one that waits.
pub(super) fn overtaking_without_bound(view: &View, silent: &BTreeSet<u64>) -> Vec<(u64, Answer)> {
    let mut ledger: Ledger = view.ledger.as_ref().clone();
    view.waiting()
        .map(|ticket| {
            let goes = !silent.contains(&ticket.number) && fits(&ledger, &ticket.ask);
            if goes {
                ledger = ledger.with(crate::state::Held {
                    ask: ticket.ask.clone(),
                    number: ticket.number,
                    since: ticket.updated,
                    kept: false,
                });
            }
            let never = too_much(&ledger.caps, &ticket.ask);
            (ticket.number, never.map_or(if goes { Answer::Go } else { Answer::Wait(For::Room) }, Answer::Never))
        })
        .collect()
}

/// Nobody is ever found dead.
pub(super) fn nobody_dies(_: &Sight, _: &View, _: &Ticket, _: Instant, _: &Timing) -> bool {
    false
}

/// A holder is dead when the swarm's timestamps say that it has been silent for long.
pub(super) fn dead_by_timestamps(_: &Sight, view: &View, ticket: &Ticket, _: Instant, timing: &Timing) -> bool {
    view.ledger.has(ticket.number)
        && view.now().duration_since(ticket.updated) >= jiff::SignedDuration::try_from(timing.lease).unwrap()
}
