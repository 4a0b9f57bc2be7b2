//! Who is let in, and who may do what: a wrong password, a name that belongs to somebody, a channel that a guest makes.

use harness::mumble::Refused;
use harness::mumble::kind::{CHANNEL_STATE, DENIED};
use harness::protobuf::Message;
use harness::testing::{Outcome, Test, random};
use harness::tls::Identity;

use super::lib::mumble::{guest, join};

pub async fn run(test: &Test) -> Outcome {
    let refused = join(test, "SuperUser", &random(), None).await?.err();
    is_refused(refused, Refused::WRONG_PASSWORD, "SuperUser by a wrong password");

    let name = format!("erin-{}", random());
    let identity = Identity::new(&name)?;
    let mut erin = guest(test, &name, Some(&identity)).await?;
    let id = erin.register().await?;
    drop(erin);
    is_refused(
        join(test, &name, "", None).await?.err(),
        Refused::WRONG_PASSWORD,
        "a registered name without its certificate",
    );
    let other = Identity::new(&name)?;
    is_refused(
        join(test, &name, "", Some(&other)).await?.err(),
        Refused::WRONG_PASSWORD,
        "a registered name by another one",
    );
    let erin = guest(test, &name, Some(&identity)).await?;
    assert_eq!(erin.me.number(4), Some(id), "the id of who comes back by her certificate");

    let mut guest = guest(test, &format!("guest-{}", random()), None).await?;
    guest.send(CHANNEL_STATE, &Message::new().number(2, 0).text(3, "not-allowed")).await?;
    let denied = guest.next(DENIED, "the server's no", |_| true).await?;
    assert_eq!(denied.number(3), Some(guest.session), "who may not make a channel");
    Ok(format!(
        "a wrong password and another's name are refused, user {id} comes back by her certificate, a guest makes no channel"
    ))
}

#[track_caller]
fn is_refused(refused: Option<Refused>, kind: u64, who: &str) {
    assert_eq!(refused.as_ref().map(|refused| refused.kind), Some(kind), "how {who} is refused: {refused:?}");
}
