//! Webhooks of the real Gitea to the server.

use std::time::{Duration, Instant};

use http_client::{Http, HttpConfig, Method};
use journal::event::VerdictKind;
use serde_json::{Value, json};
use testforge::ORG;

use super::pull::until;
use super::scene::{POLL, Scene};

const SECRET: &str = "a-secret-of-more-than-16-signs";

pub(super) async fn a_webhook_is_answered_at_once(scene: &mut Scene<'_>) {
    let listener = listens(scene, "10m").await;
    let unheard = scene.pull().await;
    let wrong = hook(scene, &listener, "another-secret-of-as-many-signs").await;
    let lost = unheard.says("!status").await;
    assert_eq!(unsigned(&listener).await, 401);
    let right = hook(scene, &listener, SECRET).await;

    let mut times = Vec::new();
    let mut last = None;
    for text in ["!status", "!status", "!testme only=install"] {
        let pull = scene.pull().await;
        let word = pull.says(text).await;
        let begun = Instant::now();
        pull.answer(&["cc-ci: answer"]).await;
        times.push(begun.elapsed());
        last = Some((pull, word));
    }
    println!("    comment to acknowledged, by webhook: {times:.2?}");
    times.sort();
    // Beside other tests it says how busy the machine is: ./dev test measures it when nothing else runs.
    if std::env::var_os("CCCI_MEASURE").is_some() {
        assert!(times[1] < Duration::from_secs(2), "{times:?}");
    }
    let (pull, word) = last.unwrap();
    pull.answer(&["### ✓ passed, in part"]).await;
    // Gitea told of that one before all others, and signed it with something else.
    assert!(scene.word(word).is_some() && scene.word(lost).is_none(), "a wrong signature is not heard");
    forget(scene, [wrong, right]).await;

    // By webhook and by polling: once.
    let listener = listens(scene, POLL).await;
    let right = hook(scene, &listener, SECRET).await;
    unheard.answer(&["its status is above"]).await;
    let again = pull.says("!testme only=install").await;
    until("its end", async || scene.word(again).is_some_and(|word| word["told"] == true)).await;
    let after = pull.says("!status").await;
    until("a later look", async || scene.word(after).is_some_and(|word| word["told"] == true)).await;
    assert_eq!(scene.verdicts(&pull), [Some(VerdictKind::Passed), Some(VerdictKind::Passed)]);
    assert_eq!(pull.answers().await.len(), 1);
    forget(scene, [right]).await;
}

/// Starts a server that listens for webhooks; where.
async fn listens(scene: &mut Scene<'_>, poll: &str) -> String {
    let file = scene.state.path().join("secret");
    std::fs::write(&file, SECRET).unwrap();
    let listen = format!("{}:0", scene.gitea.host);
    let settings =
        [("CCCI_POLL", poll), ("CCCI_WEBHOOK_SECRET_FILE", file.to_str().unwrap()), ("CCCI_LISTEN", &listen)];
    let said = scene.serve_with(&settings).await.said("for webhooks").to_owned();
    let address = said.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    format!("{address}/hook")
}

/// A webhook of the organisation, which signs with this secret.
async fn hook(scene: &Scene<'_>, url: &str, secret: &str) -> Value {
    let hook = json!({
        "type": "gitea", "active": true, "events": ["pull_request_comment", "issue_comment"],
        "config": { "url": url, "content_type": "json", "secret": secret },
    });
    scene.cast.root.posts(&format!("orgs/{ORG}/hooks"), hook).await
}

async fn forget(scene: &Scene<'_>, hooks: impl IntoIterator<Item = Value>) {
    for hook in hooks {
        scene.cast.root.deletes(&format!("orgs/{ORG}/hooks/{}", hook["id"])).await;
    }
}

/// What the listener answers to a payload that nobody signed.
async fn unsigned(listener: &str) -> u16 {
    let url = listener.parse().unwrap();
    let http = Http::new(&HttpConfig::default()).unwrap();
    http.ask(Method::POST, &url).json(&json!({ "action": "created" })).send().await.unwrap().status
}
