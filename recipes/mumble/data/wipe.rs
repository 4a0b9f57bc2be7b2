//! The channel and the registration go, through the server: where its database is, it knows best.

use harness::mumble::kind::{CHANNEL_REMOVE, USER_LIST};
use harness::protobuf::Message;
use harness::testing::{Outcome, Test};

use super::lib::mumble::superuser;

pub async fn run(test: &Test) -> Outcome {
    let (channel, user) = (test.value("seed_channel")?.parse()?, test.value("seed_user")?.parse()?);
    let mut root = superuser(test).await?;
    root.send(CHANNEL_REMOVE, &Message::new().number(1, channel)).await?;
    root.next(CHANNEL_REMOVE, "the end of the channel", |said| said.number(1) == Some(channel)).await?;
    // One of the list without a name is registered no more. That has no answer, so the list is asked for again.
    root.send(USER_LIST, &Message::new().message(1, &Message::new().number(1, user))).await?;
    root.send(USER_LIST, &Message::new()).await?;
    root.next(USER_LIST, "the list of registered users", |_| true).await?;
    Ok(format!("channel {channel} and user {user} are gone"))
}
