use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

use super::*;
use crate::sweep::SweepRun;
use crate::sweep::tests::{over, swept};

fn sweep() -> Sweep {
    let red = SweepRun { was: Some(SweptHealth::Green), ..over("1.0.0+1", '1', Some(SweptHealth::Red)) };
    let same = SweepRun { was: Some(SweptHealth::Green), ..over("main", '2', Some(SweptHealth::Green)) };
    Sweep { ended: Some("2026-11-28T03:41:12Z".parse().unwrap()), ..swept(&[("a", &[red, same])]) }
}

fn secret(dir: &tempfile::TempDir) -> std::path::PathBuf {
    let file = dir.path().join("secret");
    std::fs::write(&file, "hunter2-hunter2-hunter2\n").unwrap();
    file
}

/// Starts a receiver that answers with these statuses in order, and records what it receives.
async fn receiver(statuses: &[u16]) -> (Url, Arc<Mutex<Vec<(HeaderMap, Bytes)>>>) {
    let got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>> = Arc::default();
    let (taken, statuses) = (got.clone(), statuses.to_vec());
    let take = async move |headers: HeaderMap, body: Bytes| {
        let mut taken = taken.lock().unwrap();
        taken.push((headers, body));
        StatusCode::from_u16(statuses[taken.len() - 1]).unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret-path", listener.local_addr().unwrap()).parse().unwrap();
    let router = Router::new().route("/secret-path", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, got)
}

#[tokio::test]
async fn a_message_is_signed_and_says_what_the_docs_say() {
    let dir = tempfile::tempdir().unwrap();
    let (url, got) = receiver(&[204]).await;
    let hook = Hook::new(&url, &secret(&dir)).unwrap();
    hook.send(&sweep(), Some(&"https://ci.example.org/x/".parse().unwrap())).await.unwrap();
    let (headers, body) = got.lock().unwrap().remove(0);
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!((header("x-cc-ci-event"), header("x-cc-ci-delivery")), ("nightly".into(), "nightly-2026-11-28".into()));
    assert_eq!(header("content-type"), "application/json");
    // An independent implementation of HMAC.
    let digest = duct::cmd!("openssl", "dgst", "-sha256", "-hmac", "hunter2-hunter2-hunter2", "-r")
        .stdin_bytes(body.to_vec())
        .read()
        .unwrap();
    assert_eq!(header("x-hub-signature-256"), format!("sha256={}", digest.split_whitespace().next().unwrap()));
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["page"], "https://ci.example.org/x/nightly/2026-11-28");
    assert_eq!(told["turned"][0]["report"], "https://ci.example.org/x/runs/20261128-000000-1111");
    assert_eq!(told["turned"][0]["line"], "a line <b>");
    assert_eq!(told["text"], "a, release 1.0.0+1 at 11111111: red by the recipe in upgrade, was green");
    assert_eq!(told["turned"].as_array().unwrap().len(), 1);

    // Exactly the keys that the docs show.
    let docs = include_str!("../../../../docs/operate.md");
    let shown = docs.split("```json").nth(1).unwrap().split("```").next().unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&told), keys(&shown));
    assert_eq!(keys(&told["turned"][0]), keys(&shown["turned"][0]));
}

#[tokio::test]
async fn what_is_not_taken_is_tried_a_bounded_number_of_times() {
    let dir = tempfile::tempdir().unwrap();
    let (url, got) = receiver(&[503, 302, 403]).await;
    let hook = Hook::new(&url, &secret(&dir)).unwrap();
    let now: Timestamp = "2026-11-28T03:00:00Z".parse().unwrap();
    let busy = hook.send(&sweep(), None).await.unwrap_err();
    assert!(busy.may_pass && busy.why.ends_with("answered 503") && !busy.why.contains("secret-path"), "{busy:?}");
    let moved = hook.send(&sweep(), None).await.unwrap_err();
    assert!(!moved.may_pass, "{moved:?}");
    let refused = hook.send(&sweep(), None).await.unwrap_err();
    assert_eq!(got.lock().unwrap().len(), 3);
    let first = got.lock().unwrap()[0].1.clone();
    assert!(got.lock().unwrap().iter().all(|(_, body)| *body == first), "each try says the same");
    assert!(
        matches!(WebhookMessage::after_failure(0, &refused, now), WebhookMessage::GivenUp { why } if why.contains("403"))
    );

    let mut message = WebhookMessage::Waits { tries: 0, after: now };
    let mut pauses = Vec::new();
    while let WebhookMessage::Waits { tries, .. } = message {
        message = WebhookMessage::after_failure(tries, &busy, now);
        if let WebhookMessage::Waits { after, .. } = message {
            pauses.push(after.duration_since(now).as_mins());
        }
    }
    assert_eq!(pauses, [1, 5, 15, 60], "four more tries, and no fifth");

    // No process listens on this port.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody: Url = format!("http://{}/secret-path", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let away = Hook::new(&nobody, &secret(&dir)).unwrap().send(&sweep(), None).await.unwrap_err();
    assert!(away.may_pass && !away.why.contains("secret-path"), "{away:?}");
}

#[test]
fn an_address_or_a_secret_that_is_none_is_refused_and_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = secret(&dir);
    for odd in ["ftp://example.org", "https://ada:hunter2@example.org", "https://example.org?token=hunter2"] {
        let failure = Hook::new(&odd.parse().unwrap(), &file).unwrap_err();
        assert!(failure.look_at.contains("CCCI_NIGHTLY_HOOK") && !failure.what.contains("hunter2"), "{failure}");
    }
    let url = "https://example.org/".parse().unwrap();
    assert!(!format!("{:?}", Hook::new(&url, &file).unwrap()).contains("hunter2"));
    std::fs::write(&file, "hunter2").unwrap();
    let failure = Hook::new(&url, &file).unwrap_err();
    assert!(failure.look_at.contains("SECRET_FILE") && !failure.what.contains("hunter2"), "{failure}");
}
