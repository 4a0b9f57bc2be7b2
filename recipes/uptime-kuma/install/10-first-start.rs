//! A fresh server waits for its owner, and lets strangers do nothing.

use harness::testing::{Outcome, Test};
use serde_json::json;

use super::lib::kuma::{PATIENCE, refusal, stranger};

pub async fn run(test: &Test) -> Outcome {
    let mut stranger = stranger(test).await?;
    assert_eq!(stranger.call("needSetup", &[], PATIENCE).await?, true, "whether it waits for its owner");
    let weak = stranger.call("setup", &[json!("owner"), json!("owner")], PATIENCE).await?;
    refusal(&weak)?;
    let said = stranger.call("getTags", &[], PATIENCE).await?;
    assert!(refusal(&said)?.contains("not logged in"), "a stranger's question is answered with {said}");
    Ok("a fresh server waits for an owner with a strong password, and tells strangers nothing".to_owned())
}
