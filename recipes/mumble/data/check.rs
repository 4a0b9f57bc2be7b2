//! The registered user comes in by the same certificate as the same one, and finds the channel.

use harness::testing::{Outcome, Test};
use harness::tls::Identity;

use super::lib::mumble::guest;

pub async fn run(test: &Test) -> Outcome {
    let (mark, channel) = (test.value("seed_mark")?, test.value("seed_channel")?.parse()?);
    let identity = Identity::of_secret(test.value("seed_identity_secret")?)?;
    let dave = guest(test, &format!("dave-{mark}"), Some(&identity)).await?;
    let id = dave.me.number(4).map(|id| id.to_string());
    assert_eq!(id.as_deref(), Some(test.value("seed_user")?), "the id of who comes back by his certificate");
    let known = dave.channels.get(&channel).map(|known| (known.text(3), known.text(5)));
    let (name, description) = (format!("Seeded {mark}"), format!("made by {mark}"));
    assert_eq!(known, Some((Some(&*name), Some(&*description))), "name and description of channel {channel}");
    Ok(format!("channel {channel} is there, and dave-{mark} is still the registered user {}", test.value("seed_user")?))
}
