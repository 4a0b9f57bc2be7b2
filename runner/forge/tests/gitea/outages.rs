//! A Gitea that is down for a while. Last, since it has another address afterwards.

use std::time::Duration;

use forge::api::ForgeError;
use forge::watch::{Backoff, CommandRequest, Desk, WatchError, keep};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::scene::{REPO, Scene};

pub(crate) async fn a_gitea_that_is_frozen(scene: &Scene<'_>) {
    let (number, commit) = scene.pull().await;
    let mut watch = scene.watch().await;
    let word = scene.ada.says(REPO, number, "!testme").await;
    scene.gitea.freeze().await;
    let looked = watch.er().cycle().await;
    scene.gitea.thaw().await;
    assert!(matches!(looked, Err(WatchError::Forge(ForgeError::Unreachable { .. }))), "{looked:?}");
    assert_eq!(watch.takes().await, [(word, commit)]);
}

/// Reports the result of each poll, and each accepted command.
struct Log(mpsc::UnboundedSender<Result<u64, bool>>);

impl Desk for Log {
    async fn take_on(&mut self, asked: &CommandRequest) -> Result<(), String> {
        self.0.send(Ok(asked.comment.id.0)).map_err(|e| e.to_string())
    }

    fn looked(&mut self, result: Result<(), &WatchError>) {
        let _ = self.0.send(Err(result.is_ok()));
    }
}

pub(crate) async fn a_gitea_that_is_stopped_for_a_while(scene: &Scene<'_>) {
    let (number, _) = scene.pull().await;
    let mut watch = scene.watch().await;
    let pace = Backoff { interval: Duration::from_millis(500), longest: Duration::from_secs(1) };
    let (stop, (_hooks, hooks)) = (CancellationToken::new(), mpsc::channel(1));
    let (send, mut log) = mpsc::unbounded_channel();
    let mut desk = Log(send);
    let outage = async {
        let mut words = Vec::new();
        for _ in 0..5 {
            words.push(scene.ada.says(REPO, number, "!testme").await);
        }
        scene.gitea.stop().await;
        // Some requests fail.
        let (mut failed, mut taken) = (0, Vec::new());
        while failed < 5 {
            match log.recv().await.unwrap() {
                Err(true) => failed = 0,
                Err(false) => failed += 1,
                Ok(id) => taken.push(id),
            }
        }
        scene.gitea.start().await;
        scene.proxy.aim(scene.gitea.url().await);
        words.push(scene.ada.says(REPO, number, "!testme").await);
        while taken.len() < words.len() {
            if let Ok(id) = log.recv().await.unwrap() {
                taken.push(id);
            }
        }
        stop.cancel();
        (words, taken)
    };
    let ((words, taken), ()) = tokio::join!(outage, keep(watch.er(), hooks, &mut desk, pace, &stop));
    assert_eq!(taken, words);
    assert_eq!(watch.takes().await, []);
}
