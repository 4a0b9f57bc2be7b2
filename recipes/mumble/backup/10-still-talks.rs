//! A restored server is a working one: who is registered enters the restored channel and writes to somebody there.

use harness::mumble::kind::TEXT;
use harness::protobuf::Message;
use harness::testing::{Outcome, Test, random};
use harness::tls::Identity;

use super::lib::mumble::guest;

pub async fn run(test: &Test) -> Outcome {
    let (mark, channel) = (test.value("seed_mark")?, test.value("seed_channel")?.parse()?);
    let identity = Identity::of_secret(test.value("seed_identity_secret")?)?;
    let mut dave = guest(test, &format!("dave-{mark}"), Some(&identity)).await?;
    let mut frank = guest(test, &format!("frank-{}", random()), None).await?;
    dave.enter(channel).await?;
    frank.enter(channel).await?;
    dave.send(TEXT, &Message::new().number(3, channel).text(5, "after the restore")).await?;
    let read = frank.next(TEXT, "dave's text", |_| true).await?;
    assert_eq!((read.number(1), read.text(5)), (Some(dave.session), Some("after the restore")), "who wrote, and what");
    Ok(format!("a registered user writes to another in the restored channel {channel}"))
}
