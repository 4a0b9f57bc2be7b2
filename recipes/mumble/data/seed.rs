//! A channel with a description, and a registered user.

use harness::testing::{Outcome, Test, random};
use harness::tls::Identity;

use super::lib::mumble::{guest, superuser};

pub async fn run(test: &Test) -> Outcome {
    let mark = random();
    let channel = superuser(test).await?.make_channel(&format!("Seeded {mark}"), &format!("made by {mark}")).await?;
    let name = format!("dave-{mark}");
    let identity = Identity::new(&name)?;
    let id = guest(test, &name, Some(&identity)).await?.register().await?;
    test.remember("seed_mark", &mark)?;
    test.remember("seed_channel", &channel.to_string())?;
    test.remember("seed_user", &id.to_string())?;
    test.remember("seed_identity_secret", &identity.to_secret())?;
    Ok(format!("made channel {channel} and registered {name} as user {id}"))
}
