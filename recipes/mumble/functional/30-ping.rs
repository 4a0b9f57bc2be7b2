//! The answer to a ping by UDP, which lists of servers show: the version, who is there, and how many may be.

use std::time::{Duration, Instant};

use harness::mumble::{Pong, ping};
use harness::testing::{Outcome, Test, Wrong, random};

use super::lib::mumble::{PATIENCE, guest, voice_port};

/// A datagram may get lost.
const AGAIN: Duration = Duration::from_secs(1);

pub async fn run(test: &Test) -> Outcome {
    // Those of other tests have gone.
    says(test, 0).await?;
    let one = guest(test, &format!("one-{}", random()), None).await?;
    says(test, 1).await?;
    let two = guest(test, &format!("two-{}", random()), None).await?;
    let pong = says(test, 2).await?;
    let (major, minor, _) = two.version;
    assert_eq!(pong.version, (major, minor), "the version by UDP, and by TCP");
    assert!(pong.most >= 2, "how many may be there: {}", pong.most);
    drop(one);
    says(test, 1).await?;
    Ok(format!("a ping says {major}.{minor} and counts who comes and goes, of {} at the most", pong.most))
}

/// Pings until that many are there.
async fn says(test: &Test, users: u32) -> Result<Pong, Wrong> {
    let (_, at) = voice_port(test)?;
    let (until, mut last) = (Instant::now() + PATIENCE, "it does not answer".to_owned());
    let mut pace = tokio::time::interval(AGAIN / 10);
    for mark in 0.. {
        pace.tick().await;
        match ping(&at.host, at.host_port, mark, AGAIN).await? {
            Some(pong) if pong.users == users => return Ok(pong),
            Some(pong) => last = format!("it says {}", pong.users),
            None => {}
        }
        if Instant::now() > until {
            break;
        }
    }
    Err(Wrong::red(format!("a ping by UDP should say that {users} are there: {last}")))
}
