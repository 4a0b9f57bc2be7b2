//! The compare-and-swap of records.

use slots::Board;
use swarm::Swap;

use super::support::{FOUR, acquire, ask, quick, with_set};

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_of_one_version_one_stands() {
    with_set(async |set| {
        let slots = set.slots(quick());
        slots.board().open(FOUR).await.unwrap();
        slots.board().open(FOUR).await.unwrap();
        let ledger = slots.board().ledger().await.unwrap().unwrap();
        let (one, other) = tokio::join!(slots.board().write(&ledger), slots.board().write(&ledger));
        let mut swaps = [one.unwrap(), other.unwrap()];
        swaps.sort_by_key(|swap| *swap == Swap::Stale);
        assert_eq!(swaps, [Swap::Done, Swap::Stale]);
        assert!(slots.board().ledger().await.unwrap().unwrap().version > ledger.version);
        slots.board().close().await.unwrap();
        assert_eq!(slots.board().write(&ledger).await.unwrap(), Swap::Gone);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_record_is_what_was_asked_for() {
    with_set(async |set| {
        let slots = set.slots(quick());
        let mut wanted = ask("a-run");
        wanted.ports.extend([25, 143]);
        let granted = acquire(&slots, &wanted, FOUR).await.unwrap();
        let view = set.view().await;
        assert_eq!(view.ledger.held, std::slice::from_ref(&granted.held));
        assert_eq!((view.ledger.caps, &view.tickets[0].ask), (FOUR, &wanted));
        assert!(slots.cancel(&wanted.run, "somebody").await.unwrap());
        assert_eq!(set.view().await.tickets[0].cancel.as_deref(), Some("somebody"));
        let first = view.tickets[0].number;
        assert_eq!(set.view().await.tickets[0].number, first, "its number outlives its changes");
        assert!(!slots.cancel(&"no-run".parse().unwrap(), "somebody").await.unwrap());
    })
    .await;
}
