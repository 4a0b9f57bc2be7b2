//! What a lease costs when few wait, and when very many do.

use std::time::{Duration, Instant};

use slots::{Ask, Board, Caps, Lease, Timing};

use super::support::{Set, acquire, ask, with_set};

const CAPS: Caps = Caps { tests: 4, apps: 4, mib: 100_000 };

/// The time per lease with which a queue of `length` empties, once one that holds everything has gone.
async fn per_lease(set: &Set, length: usize) -> (Duration, Duration) {
    let slots = set.slots(Timing::default());
    let all = Ask { apps: CAPS.apps, ..ask("all") };
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
    // The queue is full when all have their tickets and have looked once.
    while set.view().await.tickets.len() < length + 1 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let joined = start.elapsed();
    let t = Instant::now();
    for _ in 0..10 {
        set.view().await;
    }
    println!("look at {length}: {:?}", t.elapsed() / 10);
    let t = Instant::now();
    for _ in 0..10 {
        slots.board().ledger().await.unwrap();
    }
    println!("ledger: {:?}", t.elapsed() / 10);
    let t = Instant::now();
    for _ in 0..10 {
        let l = slots.board().ledger().await.unwrap().unwrap();
        slots.board().write(&l).await.unwrap();
    }
    println!("read and write: {:?}", t.elapsed() / 10);
    let cpu0 = cpu();
    let start = Instant::now();
    blocker.release().await.unwrap();
    for one in waiting {
        one.await.unwrap();
    }
    let cpu1 = cpu();
    println!(
        "drain {length}: {:?} cpu self {} ms dockerd {} ms",
        start.elapsed(),
        (cpu1.0 - cpu0.0) * 10,
        (cpu1.1 - cpu0.1) * 10
    );
    let length = u32::try_from(length).unwrap();
    (joined / length, start.elapsed() / length)
}

fn cpu() -> (u64, u64) {
    let of = |p: &str| {
        let s = std::fs::read_to_string(format!("/proc/{p}/stat")).unwrap();
        let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
        f[11].parse::<u64>().unwrap() + f[12].parse::<u64>().unwrap()
    };
    let pid = std::fs::read_to_string("/var/run/docker.pid").unwrap();
    (of("self"), of(pid.trim()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_costs_no_more_when_five_hundred_wait() {
    with_set(async |set| {
        let (few_join, few) = per_lease(set, 10).await;
        let (many_join, many) = per_lease(set, 500).await;
        println!("with 10 waiting: {few_join:.1?} to join, {few:.1?} per lease; with 500: {many_join:.1?}, {many:.1?}");
        // Linear for the whole queue is constant for one; a loaded machine gets room.
        assert!(many < few * 4 + Duration::from_millis(20), "{many:?} against {few:?}");
    })
    .await;
}
