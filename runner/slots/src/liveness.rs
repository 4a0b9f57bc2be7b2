//! Liveness of owners, as one observer saw it on its monotonic clock.
//!
//! Swarm's timestamps come from its leader's clock. When that jumps by an hour, every untouched record looks an hour
//! old, and live runs would lose their leases. So an owner is dead only for an observer that *watched* its heartbeat
//! not change for as long as a lease lasts. Timestamps only select whom to watch.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::lease_times::LeaseTimes;
use super::state::{SlotsView, Ticket};

/// An observer's memory.
#[derive(Debug, Default)]
pub struct Liveness {
    tickets: BTreeMap<u64, Notice>,
    orphans: BTreeMap<u64, Instant>,
}

#[derive(Debug)]
struct Notice {
    beat: u64,
    holds: bool,
    since: Instant,
    /// The turn that it was notified of, and when this was seen first.
    told: (u64, Instant),
    /// When it was notified, if no heartbeat followed.
    called: Option<Instant>,
    /// It was notified of its turn and did not react. Reset by a heartbeat.
    deaf: bool,
    /// The ledger's version at which it was admitted and not notified, and when this was seen first.
    could_go: Option<(u64, Instant)>,
}

impl Liveness {
    /// Updates the memory from a snapshot.
    pub fn note(&mut self, view: &SlotsView, now: Instant, timing: &LeaseTimes) {
        let there: BTreeSet<u64> = view.tickets.iter().map(|ticket| ticket.number).collect();
        self.tickets.retain(|number, _| there.contains(number));
        for ticket in &view.tickets {
            let (beat, holds, told) = (ticket.beat, view.ledger.has(ticket.number), (ticket.turn, now));
            let fresh = || Notice { beat, holds, since: now, told, called: None, deaf: false, could_go: None };
            let seen = self.tickets.entry(ticket.number).or_insert_with(fresh);
            // Taking a slot counts as a heartbeat, and holders promise another interval than waiters.
            if (seen.beat, seen.holds) != (beat, holds) {
                *seen = fresh();
            } else if seen.told.0 != ticket.turn {
                seen.told = (ticket.turn, now);
            }
            let is_told = ticket.turn == view.ledger.version;
            if is_told {
                seen.called.get_or_insert(now);
            }
            seen.deaf |= is_told && now.duration_since(seen.told.1) >= timing.answer;
        }
        let orphans: BTreeSet<u64> = view.orphans().map(|held| held.number).collect();
        self.orphans.retain(|number, _| orphans.contains(number));
        orphans.into_iter().for_each(|number| {
            self.orphans.entry(number).or_insert(now);
        });
    }

    /// The waiters that do not delay others.
    pub fn silent(&self, view: &SlotsView, now: Instant, timing: &LeaseTimes) -> BTreeSet<u64> {
        let is_silent = |ticket: &Ticket| {
            self.tickets
                .get(&ticket.number)
                .is_some_and(|seen| seen.deaf || now.duration_since(seen.since) >= within(ticket) + timing.answer)
        };
        view.waiting().filter(|ticket| is_silent(ticket)).map(|ticket| ticket.number).collect()
    }

    /// Whether this observer considers a ticket's owner dead.
    pub fn is_dead(&self, view: &SlotsView, ticket: &Ticket, now: Instant, timing: &LeaseTimes) -> bool {
        let Some(seen) = self.tickets.get(&ticket.number) else { return false };
        let for_long = |since: Instant, limit: Duration| now.duration_since(since) >= limit;
        if view.ledger.has(ticket.number) {
            return for_long(seen.since, timing.lease);
        }
        for_long(seen.since, within(ticket) + timing.lease)
            || seen.called.is_some_and(|since| for_long(since, timing.lease))
    }

    /// Whether a waiter was admitted for so long without notification that the process that should have sent it must be
    /// dead.
    pub fn is_forgotten(&mut self, ticket: &Ticket, ledger: u64, now: Instant, timing: &LeaseTimes) -> bool {
        let Some(seen) = self.tickets.get_mut(&ticket.number) else { return false };
        match seen.could_go {
            Some((version, since)) if version == ledger => now.duration_since(since) >= timing.answer,
            _ => {
                seen.could_go = Some((ledger, now));
                false
            }
        }
    }

    /// Whether an entry has had no ticket for so long that its holder, if it lives, has stopped: it could send no
    /// heartbeat since.
    pub fn is_orphan(&self, number: u64, now: Instant, timing: &LeaseTimes) -> bool {
        self.orphans.get(&number).is_some_and(|since| now.duration_since(*since) >= timing.fence)
    }
}

fn within(ticket: &Ticket) -> Duration {
    Duration::from_millis(ticket.within_ms)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::state::Caps;
    use crate::testing::view;

    const CAPS: Caps = Caps { tests: 1, apps: 6, mib: 1_000 };

    fn changed(view: &SlotsView, number: u64, change: impl Fn(&mut Ticket)) -> SlotsView {
        let mut view = view.clone();
        for ticket in view.tickets.iter_mut().filter(|ticket| ticket.number == number) {
            change(Arc::make_mut(ticket));
        }
        view
    }

    fn later(now: Instant, seconds: u64) -> Instant {
        now + Duration::from_secs(seconds)
    }

    #[test]
    fn a_holder_is_dead_when_it_was_watched_for_a_whole_lease() {
        let (timing, start, mut sight) = (LeaseTimes::default(), Instant::now(), Liveness::default());
        let quiet = view(CAPS, &[(1, 1), (2, 1)], 1);
        let dead = |sight: &Liveness, view: &SlotsView, now| sight.is_dead(view, &view.tickets[0], now, &timing);
        sight.note(&quiet, start, &timing);
        assert!(!dead(&sight, &quiet, later(start, 29)));
        assert!(dead(&sight, &quiet, later(start, 30)));
        // A heartbeat at any time restarts the watch.
        let beats = changed(&quiet, 1, |ticket| ticket.beat += 1);
        sight.note(&beats, later(start, 29), &timing);
        assert!(!dead(&sight, &beats, later(start, 58)));
        assert!(dead(&sight, &beats, later(start, 59)));
    }

    #[test]
    fn one_that_has_just_taken_its_slot_is_not_taken_for_dead() {
        let (timing, start, mut sight) = (LeaseTimes::default(), Instant::now(), Liveness::default());
        sight.note(&view(CAPS, &[(1, 1)], 0), start, &timing);
        let holds = view(CAPS, &[(1, 1)], 1);
        sight.note(&holds, later(start, 100), &timing);
        assert!(!sight.is_dead(&holds, &holds.tickets[0], later(start, 101), &timing));
    }

    #[test]
    fn one_that_is_called_and_does_not_come_is_passed_and_then_buried() {
        let (timing, start, mut sight) = (LeaseTimes::default(), Instant::now(), Liveness::default());
        let called = changed(&view(CAPS, &[(1, 1), (2, 1)], 0), 1, |ticket| {
            (ticket.turn, ticket.within_ms) = (1_000, 600_000);
        });
        sight.note(&called, start, &timing);
        sight.note(&called, later(start, 5), &timing);
        assert_eq!(sight.silent(&called, later(start, 5), &timing), BTreeSet::from([1]));
        assert!(!sight.is_dead(&called, &called.tickets[0], later(start, 29), &timing));
        assert!(sight.is_dead(&called, &called.tickets[0], later(start, 30), &timing));
        let comes = changed(&called, 1, |ticket| ticket.beat += 1);
        sight.note(&comes, later(start, 31), &timing);
        assert!(!sight.silent(&comes, later(start, 31), &timing).contains(&1));
    }

    #[test]
    fn what_nobody_stands_behind_is_an_orphan_when_its_holder_must_have_stopped() {
        let (timing, start, mut sight) = (LeaseTimes::default(), Instant::now(), Liveness::default());
        let mut left = view(CAPS, &[(1, 1)], 1);
        left.tickets.clear();
        sight.note(&left, start, &timing);
        assert!(!sight.is_orphan(1, later(start, 19), &timing));
        assert!(sight.is_orphan(1, later(start, 20), &timing));
        assert!(timing.fence < timing.lease, "a holder stops before others take it for dead");
    }
}
