//! Snapshots for tests.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::state::{Caps, Ledger, LedgerEntry, SlotRequest, SlotsView, Ticket};

/// A time on the swarm's clock, in seconds.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_800_000_000 + second)
}

/// A run of some apps with its own stack.
pub(crate) fn ask(number: u64, apps: u32) -> SlotRequest {
    SlotRequest {
        run: format!("r{number}").parse().unwrap(),
        recipe: "a".parse().unwrap(),
        owner: "a-host".to_owned(),
        apps,
        mib: 100,
        ports: BTreeSet::new(),
        stacks: BTreeSet::from([format!("stack-{number}").try_into().unwrap()]),
        most_runs: None,
        yields: false,
        limit_s: 60,
    }
}

pub(crate) fn ticket(number: u64, ask: SlotRequest) -> Ticket {
    Ticket {
        id: format!("id-{number}"),
        ask,
        number,
        version: number,
        beat: 0,
        within_ms: 5_000,
        turn: 0,
        front: false,
        cancel: None,
        created: at(0),
        updated: at(0),
    }
}

/// Tickets of these numbers and apps; the first `held` of them hold.
pub(crate) fn view(caps: Caps, runs: &[(u64, u32)], held: usize) -> SlotsView {
    let asks: Vec<(u64, SlotRequest)> = runs.iter().map(|(number, apps)| (*number, ask(*number, *apps))).collect();
    of_asks(caps, asks, held)
}

pub(crate) fn of_asks(caps: Caps, asks: Vec<(u64, SlotRequest)>, held: usize) -> SlotsView {
    let entry = |(number, ask): &(u64, SlotRequest)| LedgerEntry {
        ask: ask.clone(),
        number: *number,
        since: at(0),
        kept: false,
    };
    let mut entries: Vec<LedgerEntry> = asks.iter().take(held).map(entry).collect();
    entries.sort_by_key(|held| held.number);
    let mut tickets: Vec<Arc<Ticket>> = asks.into_iter().map(|(number, ask)| Arc::new(ticket(number, ask))).collect();
    tickets.sort_by_key(|ticket| ticket.number);
    SlotsView { ledger: Arc::new(Ledger { version: 1_000, caps, held: entries, updated: at(0) }), tickets }
}
