//! A fresh server lets a stranger into its first channel, and its SuperUser by the app's password.

use harness::testing::{Outcome, Test, random};

use super::lib::mumble::{guest, superuser};

pub async fn run(test: &Test) -> Outcome {
    let name = format!("stranger-{}", random());
    let stranger = guest(test, &name, None).await?;
    assert_eq!(stranger.me.text(3), Some(name.as_str()), "the name by which the server knows who came");
    assert_eq!(stranger.me.number(4), None, "the id of a stranger that nobody registered");
    assert!(stranger.channels.contains_key(&0), "there is no first channel: {:?}", stranger.channels);
    let root = superuser(test).await?;
    assert_eq!(root.me.number(4), Some(0), "the id of SuperUser");
    let (major, minor, patch) = stranger.version;
    Ok(format!("Mumble {major}.{minor}.{patch} lets in a stranger, and SuperUser by the app's password"))
}
