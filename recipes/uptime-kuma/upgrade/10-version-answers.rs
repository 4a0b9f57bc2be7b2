//! The server that answers is the one that the deployed version names: 1.2.0+2.0.2-3 is 2.0.2, and +2 is any 2.

use harness::testing::{Outcome, Test};

use super::lib::kuma::owner;

pub async fn run(test: &Test) -> Outcome {
    let deployed = test.value("CCCI_VERSION")?;
    let upstream = deployed.split_once('+').map_or("", |(_, upstream)| upstream);
    let version = owner(test).await?.version;
    let fits =
        format!("{upstream}-").starts_with(&format!("{version}-")) || version.starts_with(&format!("{upstream}."));
    assert!(fits, "version {deployed} is deployed, and Uptime Kuma says that it is {version}");
    Ok(format!("version {deployed} is deployed and Uptime Kuma {version} answers"))
}
