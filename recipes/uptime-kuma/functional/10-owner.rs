//! One person becomes the owner, and gets in by the right password alone.

use harness::testing::{Outcome, Test};
use serde_json::json;

use super::lib::kuma::{PATIENCE, owner, random, refusal, stranger};

pub async fn run(test: &Test) -> Outcome {
    let version = owner(test).await?.version;
    let mut late = stranger(test).await?;
    assert_eq!(late.call("needSetup", &[], PATIENCE).await?, false, "whether it waits for an owner still");
    let said = late.call("setup", &[json!("late"), json!(format!("A1-{}", random()?))], PATIENCE).await?;
    assert!(refusal(&said)?.contains("has been initialized"), "a second owner is refused with {said}");
    for name in ["late", "nobody"] {
        let who = json!({ "username": name, "password": format!("A1-{}", random()?), "token": "" });
        refusal(&late.call("login", &[who], PATIENCE).await?)?;
    }
    let said = late.call("add", &[json!({ "type": "push", "accepted_statuscodes": [] })], PATIENCE).await?;
    assert!(refusal(&said)?.contains("not logged in"), "a stranger's monitor is refused with {said}");
    Ok(format!("Uptime Kuma {version} has one owner, and strangers make neither another one nor a monitor"))
}
