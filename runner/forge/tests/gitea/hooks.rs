//! Webhooks of the real Gitea to a local listener.

use std::time::{Duration, Instant};

use forge::hook::{HookSecret, router};
use forge::watch::{Backoff, keep};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::bursts::{Bell, quiet};
use crate::scene::{ORG, REPO, Scene};

const SECRET: &str = "a secret of more than 16 signs";

pub(crate) async fn a_webhook_is_quicker(scene: &Scene<'_>) {
    let (number, _) = scene.pull().await;
    let mut watch = scene.watch().await;
    let (hooks, comments) = mpsc::channel(64);
    let secret = HookSecret::new(&SECRET.into()).unwrap();
    let listener = TcpListener::bind((scene.gitea.host.as_str(), 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = router("/hook", secret, hooks);
    let serving = tokio::spawn(async move { axum::serve(listener, served).await });
    let hook = |secret: &str| {
        json!({
            "type": "gitea", "active": true, "events": ["pull_request_comment", "issue_comment"],
            "config": { "url": format!("http://{address}/hook"), "content_type": "json", "secret": secret },
        })
    };
    // With a second webhook that has another secret: its payloads are refused, and the command is still received once.
    let right = scene.root.posts(&format!("orgs/{ORG}/hooks"), hook(SECRET)).await;
    let wrong = scene.root.posts(&format!("orgs/{ORG}/hooks"), hook("another secret of as many signs")).await;

    // What earlier steps wrote is not measured.
    quiet(scene, &mut watch).await;
    let pace = Backoff { interval: Duration::from_secs(600), longest: Duration::from_secs(600) };
    let (stop, (send, mut bell)) = (CancellationToken::new(), mpsc::unbounded_channel());
    let mut desk = Bell(send);
    let speaking = async {
        let mut times = Vec::new();
        for _ in 0..5 {
            let id = scene.ada.says(REPO, number, "!testme").await;
            let begun = Instant::now();
            let rung = tokio::time::timeout(Duration::from_secs(20), bell.recv()).await.expect("a webhook");
            assert_eq!(rung, Some(id));
            times.push(begun.elapsed().as_secs_f32());
        }
        scene.eve.says(REPO, number, "!testme").await;
        stop.cancel();
        times
    };
    let (mut times, ()) = tokio::join!(speaking, keep(watch.er(), comments, &mut desk, pace, &stop));
    println!("    comment to taken on, by webhook: {times:.2?} s");
    // The median, since a busy machine may delay any single one.
    times.sort_by(f32::total_cmp);
    assert!(times[2] < 2.0, "{times:?}");
    // The later poll finds nothing new.
    assert_eq!(watch.takes().await, []);
    assert!(bell.try_recv().is_err());

    for hook in [right, wrong] {
        scene.root.deletes(&format!("orgs/{ORG}/hooks/{}", hook["id"])).await;
    }
    serving.abort();
}
