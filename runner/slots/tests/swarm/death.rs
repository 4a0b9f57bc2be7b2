//! Runners that are killed, stopped and woken, and slots that are revoked.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use slots::{Board, Lost, Scan, status::status};
use tokio_util::sync::CancellationToken;

use super::support::{FOUR, Orders, Runner, Set, Sweeper, Told, ask, clock, lease, quick, with_set};

fn holder(set: &Set, run: &str) -> Runner {
    Runner::start(&Orders { set: set.name.clone(), run: run.to_owned(), cycles: 0, quick: true })
}

/// A slot for a run that comes after a holder and accepts no other run, with what its janitor removed.
async fn slot_after(set: &Set, run: &str) -> Vec<String> {
    let (slots, sweeper) = (set.slots(quick()), Sweeper::default());
    let none = CancellationToken::new();
    let alone = slots::SlotRequest { most_runs: Some(NonZeroU32::MIN), ..ask(run) };
    let granted = slots.acquire(&alone, FOUR, &sweeper, &none, &mut |_, _| {}).await.unwrap();
    slots::Lease::start(&slots, granted).release().await.unwrap();
    sweeper.0.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_slot_of_a_killed_process_is_free_when_its_apps_are_gone() {
    with_set(async |set| {
        let mut killed = holder(set, "killed");
        assert!(matches!(killed.next(), Some(Told::Got(_))));
        let start = Instant::now();
        killed.child.kill().unwrap();
        assert_eq!(slot_after(set, "next").await, ["killed"]);
        assert!(start.elapsed() >= quick().lease, "a lease is nobody's only when it has expired");
        println!(
            "the slot of a killed process was another's after {:.1?} (lease {:?})",
            start.elapsed(),
            quick().lease
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_sleeps_past_its_lease_stops_when_it_wakes() {
    with_set(async |set| {
        let mut sleeper = holder(set, "sleeper");
        assert!(matches!(sleeper.next(), Some(Told::Got(_))));
        sleeper.signal("STOP");
        assert_eq!(slot_after(set, "next").await, ["sleeper"]);
        let woken = clock();
        sleeper.signal("CONT");
        let told: Vec<Told> = sleeper.by_ref().collect();
        let worked = told.iter().filter(|told| matches!(told, Told::Works(at) if *at > woken)).count();
        let Some(Told::Stops(at)) = told.last() else { panic!("it did not stop: {told:?}") };
        println!("it stopped {:?} after it was woken", Duration::from_nanos(u64::try_from(at - woken).unwrap()));
        assert!(worked <= 1, "it went on {worked} times");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_is_taken_away_is_known_at_once() {
    with_set(async |set| {
        let slots = set.slots(slots::LeaseTimes::default());
        let lease = lease(&slots, "victim").await;
        slots.board().leave(&"victim".parse().unwrap()).await.unwrap();
        let start = Instant::now();
        tokio::time::timeout(Duration::from_secs(4), lease.stop().cancelled()).await.expect("sooner than a beat");
        println!("a slot that was taken away was known after {:.1?}", start.elapsed());
        assert_eq!(lease.lost(), Some(&Lost::Removed));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_cancelled_stops_and_still_holds() {
    with_set(async |set| {
        let slots = set.slots(slots::LeaseTimes::default());
        let lease = lease(&slots, "unwanted").await;
        assert!(slots.cancel(&"unwanted".parse().unwrap(), "an operator").await.unwrap());
        tokio::time::timeout(Duration::from_secs(4), lease.stop().cancelled()).await.expect("sooner than a beat");
        assert_eq!(lease.lost(), Some(&Lost::Cancelled("an operator".to_owned())));
        let now = status(&set.view().await, |_| Duration::from_secs(60));
        assert_eq!((now.tests, now.holders.len(), now.waiters.len()), (1, 1, 0), "until its teardown is done");
        lease.release().await.unwrap();
        assert_eq!(status(&set.view().await, |_| Duration::ZERO).tests, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_janitors_at_once_are_harmless_and_touch_nobody_who_lives() {
    with_set(async |set| {
        let slots = set.slots(quick());
        let mut dead = holder(set, "dead");
        assert!(matches!(dead.next(), Some(Told::Got(_))));
        let living = lease(&slots, "living").await;
        dead.child.kill().unwrap();
        let janitors = [Sweeper::default(), Sweeper::default()];
        // One is certain by a lock; the other has to watch.
        let (sure, watching) = tokio::join!(
            slots.reap(&janitors[0], Scan::Long, |ask| ask.run.as_str() == "dead"),
            slots.reap(&janitors[1], Scan::Long, |_| false)
        );
        let finished: Vec<String> = sure.unwrap().into_iter().map(|one| one.held.ask.run.to_string()).collect();
        assert_eq!(finished, ["dead"]);
        assert!(watching.unwrap().iter().all(|one| one.held.ask.run.as_str() == "dead"));
        assert_eq!(living.lost(), None);
        let view = set.view().await;
        assert_eq!(view.ledger.held, [living.held().clone()]);
        living.release().await.unwrap();
    })
    .await;
}
