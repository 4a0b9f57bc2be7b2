//! What it is for: two people meet in a channel, read and hear each other there, and nobody outside of it does.

use harness::mumble::kind::{CHANNEL_REMOVE, TEXT, USER_STATE, VOICE};
use harness::protobuf::Message;
use harness::testing::{Outcome, Test, random};

use super::lib::mumble::{guest, superuser};

/// A packet of voice to one's channel, of before 1.5: its kind (Opus) and target, its number, the length of the sound.
const HEAD: [u8; 2] = [0x80, 1];

pub async fn run(test: &Test) -> Outcome {
    let mark = random();
    let names = ["alice", "bob", "carol"].map(|name| format!("{name}-{mark}"));
    let mut root = superuser(test).await?;
    let channel = root.make_channel(&format!("Talk {mark}"), "").await?;
    let mut alice = guest(test, &names[0], None).await?;
    let mut bob = guest(test, &names[1], None).await?;
    let mut carol = guest(test, &names[2], None).await?;

    let came = alice.next(USER_STATE, "the news that bob came", |said| said.text(3) == Some(&*names[1])).await?;
    assert_eq!(came.number(1), Some(bob.session), "the session of who came");
    alice.enter(channel).await?;
    bob.enter(channel).await?;
    let is_bob = |who: Option<u64>| who == Some(bob.session);
    let entered = alice.next(USER_STATE, "the news that bob entered", |said| is_bob(said.number(1))).await?;
    assert_eq!(entered.number(5), Some(channel), "the channel that bob entered");

    let text = format!("said in run {}", test.run());
    alice.send(TEXT, &Message::new().number(3, channel).text(5, &text)).await?;
    let read = bob.next(TEXT, "alice's text", |_| true).await?;
    assert_eq!((read.number(1), read.text(5)), (Some(alice.session), Some(&*text)), "who said it, and what bob reads");
    assert!(carol.got_no(TEXT).await?, "a text reaches who is not in its channel");

    let sound = mark.as_bytes();
    let packet = [&HEAD[..], &[u8::try_from(sound.len())?], sound].concat();
    alice.send_bytes(VOICE, &packet).await?;
    let heard = bob.next_bytes(VOICE, "alice's voice").await?;
    assert!(heard.ends_with(sound) && heard.len() > packet.len(), "what bob hears: {heard:?}, of {packet:?}");
    assert!(carol.got_no(VOICE).await?, "a voice reaches who is not in its channel");

    root.send(CHANNEL_REMOVE, &Message::new().number(1, channel)).await?;
    alice.next(CHANNEL_REMOVE, "the end of the channel", |said| said.number(1) == Some(channel)).await?;
    Ok(format!("alice and bob meet in channel {channel}, bob reads and hears alice, and carol outside does not"))
}
