//! Waits that end without a slot, and apps that are kept after their run.

use std::time::Duration;

use slots::{Caps, LeaseTimes, NoSlot, Scan, SlotRequest, Waiting};
use tokio_util::sync::CancellationToken;

use super::support::{FOUR, Sweeper, acquire, ask, lease, quick, with_set};

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_fits_is_told_so_and_leaves_nothing() {
    with_set(async |set| {
        let heavy = SlotRequest { apps: 101, ..ask("heavy") };
        let ended = acquire(&set.slots(LeaseTimes::default()), &heavy, FOUR).await;
        assert!(matches!(&ended, Err(NoSlot::TooMuch(what)) if what.contains("101 apps")), "{ended:?}");
        assert!(set.view().await.tickets.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_can_be_cancelled_from_here_and_from_elsewhere() {
    with_set(async |set| {
        let slots = set.slots(LeaseTimes::default());
        let one = Caps { tests: 1, ..FOUR };
        let holder = acquire(&slots, &ask("holder"), one).await.unwrap();
        for from_here in [true, false] {
            let (cancel, sweeper, waits) = (CancellationToken::new(), Sweeper::default(), ask("waits"));
            let mut told = |_: &_, waiting: &Waiting| {
                assert_eq!((waiting.place, waiting.length), (1, 1));
                if from_here {
                    cancel.cancel();
                } else {
                    let slots = slots.clone();
                    tokio::spawn(async move { slots.cancel(&"waits".parse().unwrap(), "an operator").await.unwrap() });
                }
            };
            let waiting = slots.acquire(&waits, one, &sweeper, &cancel, &mut told);
            let ended = tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it hears so");
            let by = (!from_here).then(|| "an operator".to_owned());
            assert_eq!(ended.map(drop), Err(NoSlot::Cancelled(by)));
            let view = set.view().await;
            assert_eq!(view.ledger.held, std::slice::from_ref(&holder.held));
            assert!(view.ticket(&waits.run).is_none(), "its ticket is still there");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_app_holds_its_room_and_no_janitor_takes_it() {
    with_set(async |set| {
        let slots = set.slots(quick());
        let (own, provider) = (ask("kept"), ask("provider"));
        lease(&slots, "kept").await.keep(&[own.clone(), provider.clone()]).await.unwrap();
        let view = set.view().await;
        assert!(view.tickets.is_empty() && view.ledger.held.iter().all(|held| held.kept));
        let asks: Vec<&SlotRequest> = view.ledger.held.iter().map(|held| &held.ask).collect();
        assert!(asks.len() == 2 && asks.contains(&&own) && asks.contains(&&provider), "{asks:?}");
        assert_ne!(view.ledger.held[0].number, view.ledger.held[1].number);
        assert_eq!(slots.reap(&Sweeper::default(), Scan::Long, |_| true).await.unwrap(), []);
        assert_eq!(set.view().await.ledger.held.len(), 2);
        slots.forget_run(&own.run).await.unwrap();
        let left = set.view().await.ledger.held.clone();
        assert!(left.len() == 1 && left[0].ask == provider, "{left:?}");
        slots.forget_run(&provider.run).await.unwrap();
        assert_eq!(set.view().await.ledger.held, []);
    })
    .await;
}
