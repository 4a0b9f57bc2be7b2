//! Who joins the voice server, by the port that the app publishes for it.

use std::time::Duration;

use harness::mumble::{Client, Refused};
use harness::testing::{Broken, Published, Test, Wrong};
use harness::tls::{Identity, Server, Tls, Trust};

/// For an answer of a server on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// The voice port, by TCP and by UDP: the one that is published by both.
pub fn voice_port(test: &Test) -> Result<(Published, Published), Broken> {
    let all = test.published()?;
    let of = |protocol: &'static str| all.iter().filter(move |one| one.protocol == protocol);
    let both = of("tcp").find_map(|tcp| Some((tcp.clone(), of("udp").find(|udp| udp.port == tcp.port)?.clone())));
    both.ok_or_else(|| Broken::new("the app publishes no port by TCP and UDP, so nobody reaches its voice server"))
}

/// Asks to be let in.
pub async fn join(
    test: &Test,
    name: &str,
    password: &str,
    identity: Option<&Identity>,
) -> Result<Result<Client, Refused>, Wrong> {
    let (at, _) = voice_port(test)?;
    // It signs its certificate itself where an operator gives it none.
    let tls = Tls::new(Trust::Anyone, identity)?;
    let server = Server { host: &at.host, port: at.host_port, name: test.value("CCCI_DOMAIN")? };
    Ok(Client::join(&tls, server, name, password, PATIENCE).await?)
}

/// One that is let in without a password.
pub async fn guest(test: &Test, name: &str, identity: Option<&Identity>) -> Result<Client, Wrong> {
    let refused = |refused: Refused| Wrong::red(format!("{name} is not let in: {}", refused.why));
    join(test, name, "", identity).await?.map_err(refused)
}

/// The one who may do everything, by the password that the app's container has.
pub async fn superuser(test: &Test) -> Result<Client, Wrong> {
    let read = "cat \"/run/secrets/$1\" 2> /dev/null || printenv \"$1\"";
    let password = test.inside("app", &["sh", "-c", read, "sh", "MUMBLE_SUPERUSER_PASSWORD"]).await;
    let password = password.map_err(|_| Broken::new("the app's container has no MUMBLE_SUPERUSER_PASSWORD"))?;
    test.hide(password.trim_end())?;
    let refused = |refused: Refused| Wrong::red(format!("SuperUser is not let in: {}", refused.why));
    join(test, "SuperUser", password.trim_end(), None).await?.map_err(refused)
}
