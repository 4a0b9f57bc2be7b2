//! Maintenance that a waiter does for the queue at each poll, since the process that should have done it may be dead.
//! Pure. Each chore is idempotent and may run concurrently.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::admit::Admission;
use super::lease_times::LeaseTimes;
use super::liveness::Liveness;
use super::rules::Dead;
use super::state::{LedgerEntry, SlotsView, Ticket};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chore {
    /// The ticket is admitted, and its owner was not notified.
    Tell(Ticket),
    /// The owner is dead: remove the ticket. If it holds a slot, the entry stays until its apps are gone.
    Expire(Ticket),
    /// Remove the apps of a dead holder, then its entry.
    Finish(LedgerEntry),
}

/// The chores of the run whose ticket is `me`. `answers` are the rule's answers for all waiters.
pub(super) fn chores(
    (view, answers): (&SlotsView, &[(u64, Admission)]),
    me: u64,
    (sight, silent): (&mut Liveness, &BTreeSet<u64>),
    (now, timing, is_dead): (Instant, &LeaseTimes, Dead),
) -> Vec<Chore> {
    let mut chores = Vec::new();
    for ticket in view.tickets.iter().filter(|ticket| ticket.number != me) {
        let holds = view.ledger.has(ticket.number);
        if is_dead(sight, view, ticket, now, timing) {
            chores.push(Chore::Expire(ticket.as_ref().clone()));
        } else if !holds
            && ticket.turn != view.ledger.version
            && goes(answers, ticket.number)
            && sight.is_forgotten(ticket, view.ledger.version, now, timing)
        {
            chores.push(Chore::Tell(ticket.as_ref().clone()));
        }
    }
    // Only the first does this, or several would remove the same stack. If it dies it falls silent, and the next is
    // first.
    let first = view.waiting().find(|ticket| !silent.contains(&ticket.number));
    if first.is_some_and(|ticket| ticket.number == me) {
        let orphans = view.orphans().filter(|held| sight.is_orphan(held.number, now, timing));
        chores.extend(orphans.cloned().map(Chore::Finish));
    }
    chores
}

/// Whether the rule admits a ticket.
pub(super) fn goes(answers: &[(u64, Admission)], number: u64) -> bool {
    answer(answers, number) == Some(&Admission::Go)
}

/// The rule's answer for a ticket.
pub(super) fn answer(answers: &[(u64, Admission)], number: u64) -> Option<&Admission> {
    answers.binary_search_by_key(&number, |(number, _)| *number).ok().and_then(|at| answers.get(at)).map(|(_, a)| a)
}
