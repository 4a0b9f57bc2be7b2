use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::*;

/// The next change of this run.
async fn next(changes: &mut Receiver<HistoryChange>, run: &str) -> RunChange {
    let next = async {
        loop {
            if let HistoryChange::Run(change) = changes.recv().await.unwrap()
                && change.run == id(run)
            {
                return change;
            }
        }
    };
    timeout(Duration::from_secs(20), next).await.expect("a change is told")
}

/// Changes of a run until one of this kind; returns all their lines.
async fn until(changes: &mut Receiver<HistoryChange>, run: &str, kind: ChangeKind) -> Vec<RunChange> {
    let mut all = Vec::new();
    loop {
        all.push(next(changes, run).await);
        if all.last().unwrap().kind == kind {
            return all;
        }
    }
}

fn follow(history: &History) -> (CancellationToken, tokio::task::JoinHandle<Result<(), HistoryError>>) {
    let stop = CancellationToken::new();
    let follower = Follower::new(history).unwrap();
    let task = tokio::spawn({
        let stop = stop.clone();
        async move { follower.follow(&stop).await }
    });
    (stop, task)
}

#[tokio::test]
async fn a_run_is_followed_from_its_first_line_to_its_end() {
    let scene = Scene::new();
    let mut changes = scene.history.changes();
    let (stop, task) = follow(&scene.history);
    let all = bytes(&fixtures::passed());
    let lines: Vec<&[u8]> = all.split_inclusive(|byte| *byte == b'\n').collect();
    let dir = RunDir::of(scene.path(), &id("20261121-a"));
    let alive = dir.create().unwrap();
    let mut writer = std::fs::File::options().create_new(true).write(true).open(dir.journal()).unwrap();
    writer.write_all(lines[0]).unwrap();
    let began = next(&mut changes, "20261121-a").await;
    assert_eq!((began.kind, began.lines), (ChangeKind::Began, 0..1));
    for (at, line) in lines.iter().enumerate().skip(1).take(5) {
        writer.write_all(line).unwrap();
        let grew = next(&mut changes, "20261121-a").await;
        assert_eq!((grew.kind, grew.lines), (ChangeKind::Grew, at as u64..at as u64 + 1));
    }
    for line in &lines[6..] {
        writer.write_all(line).unwrap();
    }
    let rest = until(&mut changes, "20261121-a", ChangeKind::Ended).await;
    assert!(rest.windows(2).all(|pair| pair[0].lines.end == pair[1].lines.start), "{rest:?}");
    assert_eq!(rest.last().unwrap().lines.end, lines.len() as u64);
    drop(alive);
    until(&mut changes, "20261121-a", ChangeKind::Sealed).await;
    stop.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_killed_run_is_known_when_the_kernel_drops_its_lock() {
    let scene = Scene::new();
    let mut changes = scene.history.changes();
    let (_dir, alive) = scene.live("20261121-a", &bytes(&fixtures::killed()));
    let (stop, task) = follow(&scene.history);
    assert_eq!(next(&mut changes, "20261121-a").await.kind, ChangeKind::Began);
    drop(alive);
    assert_eq!(next(&mut changes, "20261121-a").await.kind, ChangeKind::NoEnd);
    stop.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_there_before_is_imported_newest_first() {
    let scene = Scene::new();
    for n in 1..6 {
        scene.over(&format!("20261121-{n}"), &fixtures::passed());
    }
    let mut changes = scene.history.changes();
    let (stop, task) = follow(&scene.history);
    for n in (1..6).rev() {
        let Ok(Ok(HistoryChange::Run(change))) = timeout(Duration::from_secs(20), changes.recv()).await else {
            panic!("none")
        };
        assert_eq!(change.run, id(&format!("20261121-{n}")));
    }
    stop.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_busy_is_imported_when_it_is_not_any_more() {
    let scene = Scene::new();
    let other = rusqlite::Connection::open(scene.history.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut changes = scene.history.changes();
    scene.over("20261121-a", &fixtures::passed());
    let (stop, task) = follow(&scene.history);
    let waits = async {
        while scene.history.waiting().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), waits).await.expect("it is told to wait");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(next(&mut changes, "20261121-a").await.kind, ChangeKind::Ended);
    assert!(scene.history.waiting().is_empty());
    stop.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_database_that_breaks_is_made_again_while_it_is_followed() {
    let scene = Scene::new();
    for n in 1..4 {
        scene.imported(&format!("20261121-{n}"), &fixtures::passed());
    }
    let mut changes = scene.history.changes();
    let (stop, task) = follow(&scene.history);
    let other = rusqlite::Connection::open(scene.history.file()).unwrap();
    other.execute_batch("UPDATE chunks SET data = x'00'").unwrap();
    drop(other);
    let told = scene.history.read(|db| db.told(&id("20261121-2"))).await;
    assert!(matches!(told, Err(HistoryError::Corrupt { .. })), "{told:?}");
    let mut missing: Vec<RunId> = (1..4).map(|n| id(&format!("20261121-{n}"))).collect();
    while !missing.is_empty() {
        let change = timeout(Duration::from_secs(20), changes.recv()).await.expect("a change is told").unwrap();
        missing.retain(|run| !matches!(&change, HistoryChange::Run(change) if change.run == *run));
    }
    assert_eq!(scene.history.set_aside().len(), 1);
    assert!(scene.history.read(|db| db.told(&id("20261121-2"))).await.unwrap().is_some());
    stop.cancel();
    task.await.unwrap().unwrap();
}
