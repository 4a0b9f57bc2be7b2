//! What it is for: a monitor goes up while its target says the right word, and down when the target stops.

use std::time::Duration;

use harness::testing::{Outcome, Test};
use serde_json::{Value, json};

use super::lib::kuma::{DOWN, PATIENCE, UP, owner, random};

/// A server in the app's container that says a word and nothing else; it tells its port and its process.
const TARGET: &str = "const serve = `require('http').createServer((ask, say) => say.end('${process.argv[1]}')) \
    .listen(0, '127.0.0.1', function () { console.log(JSON.stringify([this.address().port, process.pid])) })`; \
    const child = require('child_process').spawn(process.execPath, ['-e', serve], \
    { detached: true, stdio: ['ignore', 'pipe', 'ignore'] }); \
    child.stdout.once('data', (told) => process.stdout.write(told, () => process.exit()))";

/// The shortest interval that a monitor may have is 20 s.
const NEXT_BEAT: Duration = Duration::from_secs(40);

pub async fn run(test: &Test) -> Outcome {
    let word = random()?;
    let (port, process): (u16, u32) = serde_json::from_str(&test.inside("app", &["node", "-e", TARGET, &word]).await?)?;
    let mut owner = owner(test).await?;
    let url = format!("http://127.0.0.1:{port}/");
    let watched = |name: &str, word: &str| -> Value {
        json!({ "type": "keyword", "name": format!("{name} {word}"), "url": url, "keyword": word })
    };
    // A page without the word is a service that is down, whatever its status.
    let other = owner.add(watched("Misses", &random()?)).await?;
    owner.beat(other, DOWN, PATIENCE).await?;
    owner.call("deleteMonitor", &[json!(other)]).await?;

    let monitor = owner.add(watched("Watches", &word)).await?;
    let up = owner.beat(monitor, UP, PATIENCE).await?;
    assert!(up["msg"].as_str().is_some_and(|said| said.contains("200")), "what the first beat says: {up}");
    test.inside("app", &["node", "-e", "process.kill(Number(process.argv[1]))", &process.to_string()]).await?;
    let down = owner.beat(monitor, DOWN, NEXT_BEAT).await?;
    assert!(down["msg"].as_str().is_some_and(|said| said.contains("ECONNREFUSED")), "what the last beat says: {down}");
    assert_eq!(down["important"], true, "whether the change is told: {down}");
    owner.call("deleteMonitor", &[json!(monitor)]).await?;
    Ok(format!("monitor {monitor} is up while its target answers, and down by itself when the target has stopped"))
}
