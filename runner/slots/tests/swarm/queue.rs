//! The cost of a lease with few waiters and with very many.

use std::time::{Duration, Instant};

use slots::{Caps, Lease, LeaseTimes, SlotRequest};

use super::support::{Set, acquire, ask, with_set};

const CAPS: Caps = Caps { tests: 4, apps: 4, mib: 100_000 };

/// The time for a run to join a queue until it has this length, then the time per lease in which it empties, once a run
/// that holds everything has ended.
async fn per_lease(set: &Set, length: usize) -> (Duration, Duration) {
    let slots = set.slots(LeaseTimes::default());
    let all = SlotRequest { apps: CAPS.apps, ..ask("all") };
    let blocker = Lease::start(&slots, acquire(&slots, &all, CAPS).await.unwrap());
    let start = Instant::now();
    let waiting: Vec<_> = (0..length)
        .map(|n| {
            let slots = slots.clone();
            tokio::spawn(async move {
                let run = ask(&format!("w{n:03}"));
                let lease = Lease::start(&slots, acquire(&slots, &run, CAPS).await.unwrap());
                lease.release().await.unwrap();
            })
        })
        .collect();
    while set.view().await.tickets.len() < length + 1 {
        // No event tells that all have arrived.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let joined = start.elapsed();
    let start = Instant::now();
    blocker.release().await.unwrap();
    for one in waiting {
        one.await.unwrap();
    }
    let length = u32::try_from(length).unwrap();
    (joined / length, start.elapsed() / length)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_costs_no_more_when_five_hundred_wait() {
    with_set(async |set| {
        let (few_join, few) = per_lease(set, 10).await;
        let (many_join, many) = per_lease(set, 500).await;
        println!("with 10 waiting: {few_join:.1?} to join, {few:.1?} per lease; with 500: {many_join:.1?}, {many:.1?}");
        // Linear for the whole queue is constant for one; a loaded machine gets more.
        assert!(many < few * 3 + Duration::from_millis(30), "{many:?} against {few:?}");
    })
    .await;
}
