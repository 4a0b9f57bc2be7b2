//! Every monitor with its history and the seeded page go, through the server: where its database is, it knows best.

use harness::testing::{Outcome, Test, Wrong};
use serde_json::json;

use super::lib::kuma::owner;

pub async fn run(test: &Test) -> Outcome {
    let mut owner = owner(test).await?;
    let ids: Vec<u64> =
        owner.monitors.as_object().into_iter().flatten().map(|(id, _)| id.parse()).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Err(Wrong::red("there is no monitor to destroy"));
    }
    for id in &ids {
        owner.call("clearHeartbeats", &[json!(id)]).await?;
        owner.call("deleteMonitor", &[json!(id)]).await?;
    }
    owner.call("deleteStatusPage", &[json!(format!("seeded-{}", test.value("seed_mark")?))]).await?;
    Ok(format!("{} monitors and the seeded status page are gone", ids.len()))
}
