//! The backup bot's container, and the lock in it that coordinates runs.

use std::time::{Duration, Instant};

use base::failure::Kind;
use swarm::Bot;

use crate::support::*;

#[tokio::test]
async fn a_lock_in_the_bots_container_ends_with_the_one_who_holds_it() {
    let swarm = swarm().await;
    let Bot::Here { container } = swarm.backup_bot().await.unwrap() else { panic!("no bot runs here") };
    let file = format!("/tmp/cc-ci-test-{}.lock", Instant::now().elapsed().as_nanos() + u128::from(std::process::id()));
    let script = "echo held; cat >/dev/null";
    let hold = async |how: &str, limit: u64| {
        let until = Instant::now() + Duration::from_millis(limit);
        swarm.hold(&container, &["flock", how, &file, "sh", "-c", script], until).await
    };
    let one = hold("-s", 10_000).await.unwrap().expect("the bot has flock");
    let other = hold("-s", 10_000).await.unwrap().expect("two may hold it to read");
    let alone = hold("-x", 500).await;
    assert_eq!(alone.err().map(|failure| failure.kind), Some(Kind::Deadline));
    drop((one, other));
    // The abandoned one gets it and ends at once, since its output is closed.
    assert!(hold("-x", 10_000).await.unwrap().is_some());
    let none = swarm.hold(&container, &["no-such-program"], Instant::now() + Duration::from_secs(10)).await;
    assert!(none.unwrap().is_none());
    let remove = ["rm", "-f", &file].map(str::to_owned);
    swarm.exec(&container, &remove, &[], Instant::now() + Duration::from_secs(10)).await.unwrap();
}
