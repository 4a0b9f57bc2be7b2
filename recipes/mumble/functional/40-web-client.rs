//! The web client's way: by a websocket of the page's address to the same voice server.

use harness::mumble::kind::USER_STATE;
use harness::mumble::{let_me_in, version};
use harness::testing::{Outcome, Test, random};

use super::lib::mumble::guest;

pub async fn run(test: &Test) -> Outcome {
    let mut native = guest(test, &format!("native-{}", random()), None).await?;
    let mut web = test.websocket("/").await?;
    assert_eq!(version(&web.receive().await?), Some(native.version), "the version by websocket, and by the voice port");
    let name = format!("web-{}", random());
    web.send(&let_me_in(&name, "")).await?;
    native.next(USER_STATE, "the news that the web client came", |said| said.text(3) == Some(&*name)).await?;
    Ok(format!("{name} comes by a websocket, and is seen by who came by the voice port"))
}
