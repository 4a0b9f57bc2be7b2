//! The records as labels of swarm configs. Facts that never change are one JSON text; each value that other runners
//! change has its own label, so that `docker config inspect` is readable.

use std::collections::BTreeMap;
use std::sync::Arc;

use swarm::SharedRecord;

use super::state::{Caps, Ledger, LedgerEntry, SlotRequest, Ticket};

/// Label of every record of a set, with the set's name.
pub const SET: &str = "cc-ci.slots";
const ASK: &str = "cc-ci.ask";
const NUMBER: &str = "cc-ci.number";
const BEAT: &str = "cc-ci.beat";
const WITHIN: &str = "cc-ci.within-ms";
const TURN: &str = "cc-ci.turn";
/// Label of the ledger and of the front of a long queue, with the set's name.
pub(super) const FRONT: &str = "cc-ci.slots-front";
const CANCEL: &str = "cc-ci.cancel";
const CAPS: &str = "cc-ci.caps";
const HELD: &str = "cc-ci.held.";

type Labels = BTreeMap<String, String>;

/// The labels of a new ticket, which has no number yet: the swarm assigns it.
pub(super) fn of_ask(set: &str, ask: &SlotRequest, within_ms: u64) -> Labels {
    labels(set, [(ASK, json(ask)), (WITHIN, within_ms.to_string())])
}

/// The labels of a ticket. The first change writes its number down.
pub(super) fn of_ticket(set: &str, ticket: &Ticket) -> Labels {
    let mut all = of_ask(set, &ticket.ask, ticket.within_ms);
    let numbers = [(NUMBER, ticket.number), (BEAT, ticket.beat), (TURN, ticket.turn)];
    all.extend(numbers.map(|(name, number)| (name.to_owned(), number.to_string())));
    all.extend(ticket.front.then(|| (FRONT.to_owned(), set.to_owned())));
    all.extend(ticket.cancel.clone().map(|by| (CANCEL.to_owned(), by)));
    all
}

pub(super) fn of_ledger(set: &str, ledger: &Ledger) -> Labels {
    let mut all = labels(set, [(CAPS, json(&ledger.caps)), (FRONT, set.to_owned())]);
    all.extend(ledger.held.iter().map(|held| (format!("{HELD}{}", held.ask.run), json(held))));
    all
}

/// `None` if the record is not a ticket.
pub(super) fn ticket(record: &SharedRecord) -> Option<Ticket> {
    let number = |name: &str| record.labels.get(name).and_then(|text| text.parse().ok());
    Some(Ticket {
        id: record.id.clone(),
        ask: serde_json::from_str(record.labels.get(ASK)?).ok()?,
        number: number(NUMBER).unwrap_or(record.version),
        version: record.version,
        beat: number(BEAT).unwrap_or(0),
        within_ms: number(WITHIN)?,
        turn: number(TURN).unwrap_or(0),
        front: record.labels.contains_key(FRONT),
        cancel: record.labels.get(CANCEL).cloned(),
        created: record.created,
        updated: record.updated,
    })
}

/// `None` if the record is not a ledger, or has an unreadable entry: skipping that entry would give its room away.
pub(super) fn ledger(record: &SharedRecord) -> Option<Arc<Ledger>> {
    let caps: Caps = serde_json::from_str(record.labels.get(CAPS)?).ok()?;
    let entries = record.labels.iter().filter(|(name, _)| name.starts_with(HELD));
    let mut held = entries.map(|(_, text)| serde_json::from_str(text).ok()).collect::<Option<Vec<LedgerEntry>>>()?;
    held.sort_by_key(|held| held.number);
    Some(Arc::new(Ledger { version: record.version, caps, held, updated: record.updated }))
}

fn labels<const N: usize>(set: &str, all: [(&str, String); N]) -> Labels {
    let set = (SET.to_owned(), set.to_owned());
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).chain([set]).collect()
}

/// These types hold names, numbers and flags, which JSON can always represent.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ask, at, ticket as new_ticket, view};

    fn record(labels: Labels, version: u64) -> SharedRecord {
        let (id, name) = ("id-7".to_owned(), "x".to_owned());
        SharedRecord { id, name, labels, version, created: at(0), updated: at(0) }
    }

    #[test]
    fn a_ticket_survives_its_labels() {
        let mut whole = new_ticket(7, ask(7, 2));
        whole.ask.ports.insert(25);
        (whole.beat, whole.turn, whole.front, whole.cancel) = (3, 6, true, Some("an operator".to_owned()));
        whole.version = 9;
        assert_eq!(ticket(&record(of_ticket("s", &whole), 9)), Some(whole));
    }

    #[test]
    fn the_swarm_numbers_a_ticket_once() {
        let made = ticket(&record(of_ask("s", &ask(7, 2), 5_000), 7)).unwrap();
        assert_eq!((made.number, made.version), (7, 7));
        let changed = ticket(&record(of_ticket("s", &made), 12)).unwrap();
        assert_eq!((changed.number, changed.version), (7, 12));
    }

    #[test]
    fn the_ledger_survives_its_labels_in_order() {
        let caps = Caps { tests: 4, apps: 9, mib: 1_000 };
        let mut whole = view(caps, &[(10, 1), (9, 2), (11, 1)], 3).ledger.as_ref().clone();
        whole.held[1].kept = true;
        assert_eq!(ledger(&record(of_ledger("s", &whole), whole.version)).as_deref(), Some(&whole));
    }

    #[test]
    fn an_entry_that_cannot_be_read_makes_the_ledger_unreadable() {
        let whole = view(Caps { tests: 4, apps: 9, mib: 1_000 }, &[(1, 1)], 1);
        let mut labels = of_ledger("s", &whole.ledger);
        labels.insert(format!("{HELD}r2"), "{}".to_owned());
        assert_eq!(ledger(&record(labels, 1)), None, "its room would be given away");
        assert_eq!(ledger(&record(Labels::new(), 1)), None);
        assert_eq!(ticket(&record(of_ledger("s", &whole.ledger), 1)), None);
    }
}
