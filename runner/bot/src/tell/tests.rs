use super::*;
use crate::work::fake::{Board, HEAD, asked};
use forge::api::StatusState;

struct Scene {
    board: Arc<Board>,
    wanted: watch::Sender<CommentUpdate>,
    told: mpsc::UnboundedReceiver<Delivered>,
    done: tokio::task::JoinHandle<()>,
}

fn scene() -> Scene {
    let board = Arc::new(Board::default());
    let (wanted, receiver) = watch::channel(CommentUpdate::default());
    let (send, told) = mpsc::unbounded_channel();
    let pull = asked(5, 7, "!testme").pull.id;
    let done = tokio::spawn(tell(board.clone(), pull, receiver, send, Debounce::default()));
    Scene { board, wanted, told, done }
}

fn says(text: &str, ends: &[u64]) -> CommentUpdate {
    let status = Status {
        state: StatusState::Pending,
        context: "cc-ci".to_owned(),
        description: "waits".to_owned(),
        target: None,
    };
    let statuses = BTreeMap::from([((HEAD.parse().unwrap(), "cc-ci".to_owned()), status)]);
    CommentUpdate { text: format!("{MARKER}\n{text}"), statuses, ends: ends.iter().map(|id| CommentId(*id)).collect() }
}

#[tokio::test(start_paused = true)]
async fn one_comment_is_edited_at_most_every_few_seconds_and_the_last_state_wins() {
    let mut scene = scene();
    let start = Instant::now();
    scene.wanted.send_replace(says("queued", &[]));
    scene.told.recv().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "the first is said at once");
    for step in 0..50 {
        scene.wanted.send_replace(says(&format!("step {step}"), &[]));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    scene.told.recv().await.unwrap();
    assert_eq!(scene.board.edits(), 1);
    assert_eq!(scene.board.on(7), [format!("{MARKER}\nstep 49")]);
    // An end is not delayed.
    let now = Instant::now();
    scene.wanted.send_replace(says("verdict", &[5]));
    assert_eq!(scene.told.recv().await.unwrap().ends, [CommentId(5)]);
    assert!(now.elapsed() < Duration::from_secs(1));
    assert_eq!(scene.board.on(7), [format!("{MARKER}\nverdict")]);
    // An unchanged status is not set again.
    assert_eq!(scene.board.statuses().len(), 1);
    drop(scene.wanted);
    scene.done.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_forge_that_is_down_loses_nothing_and_has_one_comment() {
    let mut scene = scene();
    // The last failure is a lost response: the comment exists, and is found again.
    scene.board.fail(9);
    scene.wanted.send_replace(says("queued", &[]));
    tokio::time::sleep(Duration::from_secs(3)).await;
    scene.wanted.send_replace(says("verdict", &[5]));
    let told = scene.told.recv().await.unwrap();
    assert_eq!(told.ends, [CommentId(5)]);
    assert_eq!(scene.board.on(7), [format!("{MARKER}\nverdict")]);
    assert_eq!(scene.board.statuses().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_comment_that_was_deleted_is_written_again() {
    let mut scene = scene();
    scene.wanted.send_replace(says("queued", &[]));
    scene.told.recv().await.unwrap();
    scene.board.delete_all();
    scene.wanted.send_replace(says("verdict", &[5]));
    scene.told.recv().await.unwrap();
    assert_eq!(scene.board.on(7), [format!("{MARKER}\nverdict")]);
}

#[tokio::test(start_paused = true)]
async fn the_last_is_told_after_nobody_sends_any_more() {
    let Scene { board, wanted, mut told, done } = scene();
    board.fail(4);
    wanted.send_replace(says("verdict", &[5]));
    drop(wanted);
    assert_eq!(told.recv().await.unwrap().ends, [CommentId(5)]);
    done.await.unwrap();
    assert_eq!(board.on(7).len(), 1);
}
