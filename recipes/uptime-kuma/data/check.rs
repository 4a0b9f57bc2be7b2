//! The owner is the same one, and has the monitor with its settings and its history, and the status page.

use harness::testing::{Outcome, Test};
use serde_json::{Value, json};

use super::lib::kuma::{PATIENCE, login, stranger};

pub async fn run(test: &Test) -> Outcome {
    let (mark, monitor) = (test.value("seed_mark")?, test.value("seed_monitor")?);
    let (name, password) = (test.value("owner_name")?, test.value("owner_password")?);
    let mut owner = login(test, stranger(test).await?, name, password).await?;
    let known = &owner.monitors[monitor];
    assert_eq!(known["name"], format!("Seeded {mark}"), "the name of monitor {monitor}");
    assert_eq!(known["interval"], 3600, "the interval of monitor {monitor}");
    assert_eq!(known["pushToken"], test.value("seed_token")?, "the token of monitor {monitor}");
    let seeded = format!("seeded-{mark}");
    // The server pushes the history of each monitor after a login; there is a call for it that some releases fail at.
    let of_it = |values: &[Value]| values.first().is_some_and(|id| id.to_string().trim_matches('"') == monitor);
    let history = owner.socket.event("heartbeatList", PATIENCE, of_it).await?;
    let beats = history.get(1).and_then(Value::as_array);
    let kept = beats.is_some_and(|beats| beats.iter().any(|beat| beat["msg"] == seeded.as_str()));
    assert!(kept, "the history of monitor {monitor} has no beat {seeded:?}: {history:?}");
    let page = owner.call("getStatusPage", &[json!(seeded)]).await?;
    assert_eq!(page["config"]["title"], format!("Seeded {mark}"), "the title of the status page");
    Ok(format!("monitor {monitor} is there with its history, and the status page {seeded} too"))
}
