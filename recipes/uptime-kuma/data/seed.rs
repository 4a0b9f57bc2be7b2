//! The owner, a monitor with a beat in its history, and a status page that shows it.

use harness::testing::{Outcome, Test};
use serde_json::json;

use super::lib::kuma::{owner, public, random};

pub async fn run(test: &Test) -> Outcome {
    let mut owner = owner(test).await?;
    let mark = random()?.split_off(20);
    let push = random()?;
    test.hide(&push)?;
    let name = format!("Seeded {mark}");
    let monitor = owner.add(json!({ "type": "push", "name": name, "interval": 3600, "pushToken": push })).await?;
    public(&test.http()?, &test.url(&format!("/api/push/{push}?status=up&msg=seeded-{mark}&ping=12")), 200).await?;
    owner.call("addStatusPage", &[json!(name), json!(format!("seeded-{mark}"))]).await?;
    test.remember("seed_mark", &mark)?;
    test.remember("seed_monitor", &monitor.to_string())?;
    test.remember("seed_token", &push)?;
    Ok(format!("made monitor {monitor}, {name:?}, with a beat, and a status page"))
}
