//! Many events at once, and none at all.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use forge::watch::{Backoff, CommandRequest, Desk, keep};
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::scene::{REPO, Scene};

pub(crate) async fn an_idle_cycle_with_one_pull_request(scene: &Scene<'_>) {
    let mut watch = scene.watch().await;
    let (first, _) = scene.pull().await;
    scene.ada.says(REPO, first, "hello").await;
    assert_eq!(pulls(scene).await, 1);
    quiet(scene, &mut watch).await;
    assert_eq!(idle(scene, &mut watch).await, [1; 5]);
    println!("    idle cycles with 1 pull request: 1 request each");
}

pub(crate) async fn an_idle_cycle_with_fifty_pull_requests(scene: &Scene<'_>) {
    let mut watch = scene.watch().await;
    for _ in pulls(scene).await..50 {
        scene.pull().await;
    }
    let all = pulls(scene).await;
    // The newest ones all changed within the overlap of two polls.
    for number in scene.numbers().await {
        scene.ada.says(REPO, number, "hello").await;
    }
    quiet(scene, &mut watch).await;
    assert_eq!(idle(scene, &mut watch).await, [1; 5]);
    println!("    idle cycles with {all} pull requests: 1 request each");
}

async fn pulls(scene: &Scene<'_>) -> usize {
    scene.numbers().await.len()
}

async fn idle(scene: &Scene<'_>, watch: &mut crate::scene::Watch) -> Vec<usize> {
    let mut requests = Vec::new();
    for _ in 0..5 {
        watch.er().cycle().await.unwrap();
        requests.push(scene.proxy.asked().len());
    }
    requests
}

/// Polls until everything written is older than the resolution of Gitea's clock.
pub(crate) async fn quiet(scene: &Scene<'_>, watch: &mut crate::scene::Watch) {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        scene.proxy.asked();
        watch.takes().await;
        if scene.proxy.asked().len() == 1 {
            return;
        }
        assert!(Instant::now() < deadline, "the watcher asks for more all the time");
    }
}

pub(crate) async fn five_hundred_comments(scene: &Scene<'_>) {
    let (number, commit) = scene.pull().await;
    let mut watch = scene.watch().await;
    let begun = Instant::now();
    let made: BTreeSet<u64> = stream::iter(0..500)
        .map(|_| async { scene.ada.says(REPO, number, "!testme").await })
        .buffer_unordered(8)
        .collect()
        .await;
    let written = begun.elapsed();
    scene.proxy.asked();
    let (begun, mut taken, mut looks) = (Instant::now(), Vec::new(), 0);
    loop {
        let found = watch.takes().await;
        looks += 1;
        if found.is_empty() {
            break;
        }
        taken.extend(found);
    }
    let took = begun.elapsed();
    assert!(taken.iter().all(|(_, seen)| *seen == commit));
    assert_eq!(taken.len(), 500);
    assert_eq!(taken.into_iter().map(|(id, _)| id).collect::<BTreeSet<_>>(), made);
    println!(
        "    500 comments, written in {:.1} s: each taken on once, in {:.1} s, {looks} looks and {} requests",
        written.as_secs_f32(),
        took.as_secs_f32(),
        scene.proxy.asked().len()
    );
}

pub(crate) async fn comments_while_it_reads(scene: &Scene<'_>) {
    let (number, _) = scene.pull().await;
    let mut watch = scene.watch().await;
    let writing = async {
        let mut made = BTreeSet::new();
        for round in 0..120 {
            let id = scene.ada.says(REPO, number, "!status").await;
            if round % 7 == 3 {
                scene.ada.deletes(&format!("repos/{REPO}/issues/comments/{id}")).await;
            } else {
                made.insert(id);
            }
        }
        made
    };
    let done = CancellationToken::new();
    let reading = async {
        let mut taken = Vec::new();
        while !done.is_cancelled() {
            taken.extend(watch.takes().await);
        }
        taken.extend(watch.takes().await);
        taken.extend(watch.takes().await);
        taken
    };
    let writing = async {
        let made = writing.await;
        done.cancel();
        made
    };
    let (made, taken) = tokio::join!(writing, reading);
    let ids: Vec<u64> = taken.into_iter().map(|(id, _)| id).collect();
    let set: BTreeSet<u64> = ids.iter().copied().collect();
    assert_eq!(ids.len(), set.len(), "one came twice");
    // One that existed briefly may have been accepted in that time.
    assert!(made.is_subset(&set), "lost: {:?}", made.difference(&set));
}

pub(crate) struct Bell(pub(crate) mpsc::UnboundedSender<u64>);

impl Desk for Bell {
    async fn take_on(&mut self, asked: &CommandRequest) -> Result<(), String> {
        self.0.send(asked.comment.id.0).map_err(|e| e.to_string())
    }
}

pub(crate) async fn a_comment_is_taken_on_within_one_interval(scene: &Scene<'_>) {
    let (number, _) = scene.pull().await;
    let mut watch = scene.watch().await;
    let pace = Backoff { interval: Duration::from_secs(2), longest: Duration::from_secs(2) };
    let (stop, (_hooks, hooks)) = (CancellationToken::new(), mpsc::channel(1));
    let (send, mut bell) = mpsc::unbounded_channel();
    let mut desk = Bell(send);
    let speaking = async {
        let mut times = Vec::new();
        for _ in 0..5 {
            let id = scene.ada.says(REPO, number, "!testme").await;
            let begun = Instant::now();
            assert_eq!(bell.recv().await, Some(id));
            times.push(begun.elapsed().as_secs_f32());
        }
        stop.cancel();
        times
    };
    let (mut times, ()) = tokio::join!(speaking, keep(watch.er(), hooks, &mut desk, pace, &stop));
    println!("    comment to taken on, at an interval of 2 s: {times:.2?} s");
    // The median, since a busy machine may delay any single one.
    times.sort_by(f32::total_cmp);
    assert!(times[2] < 4.0, "{times:?}");
}
