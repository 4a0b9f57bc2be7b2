use std::sync::Mutex;

use base::names::Commit;
use forge::api::StatusState;
use forge::watch::Desk as _;

use super::fake::{Apps, Board, Stage, Started, asked};
use super::*;
use crate::job::End;
use crate::job_queue::JobQueue;
use crate::message::ChildExit;
use journal::emit::Sink as _;
use journal::event::Record;
use journal_fixtures as fixtures;

mod builds;
mod closed;

/// A worker with a forge and runs that the test plays.
struct Scene {
    state: tempfile::TempDir,
    board: Arc<Board>,
    apps: Arc<Apps>,
    starts: mpsc::UnboundedReceiver<Started>,
    desk: JobQueue,
    stop: CancellationToken,
    done: tokio::task::JoinHandle<()>,
}

fn open(state: tempfile::TempDir, board: Arc<Board>) -> Scene {
    let (starting, starts) = mpsc::unbounded_channel();
    let stage = Stage(Arc::new(Mutex::new(starting)));
    open_with(state, board, Box::new(stage), starts)
}

fn open_with(
    state: tempfile::TempDir,
    board: Arc<Board>,
    runs: Box<dyn Runs>,
    starts: mpsc::UnboundedReceiver<Started>,
) -> Scene {
    let recipe = state.path().join("recipes/custom-html");
    std::fs::create_dir_all(&recipe).unwrap();
    std::fs::write(recipe.join("recipe.toml"), "").unwrap();
    let (book, apps) = (JobStore::below(state.path()).unwrap(), Arc::new(Apps::default()));
    let shop = WorkerConfig {
        forge: board.clone(),
        runs,
        kept: apps.clone(),
        book: book.clone(),
        state: state.path().to_owned(),
        recipes: state.path().join("recipes"),
        public_url: None,
        pauses: Debounce { between: Duration::ZERO, ..Debounce::default() },
        restarts: Duration::from_millis(50),
        at_once: 2,
    };
    let (send, came) = mpsc::unbounded_channel();
    let (worker, told) = Worker::new(shop, send.clone()).unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let done = tokio::spawn(async move { worker.work(came, told, &stopped).await });
    Scene { state, board, apps, starts, desk: JobQueue::new(book, send), stop, done }
}

fn scene() -> Scene {
    open(tempfile::tempdir().unwrap(), Arc::default())
}

impl Scene {
    async fn hears(&mut self, comment: u64, pull: u64, text: &str) {
        self.desk.take_on(&asked(comment, pull, text)).await.unwrap();
    }

    async fn started(&mut self) -> Started {
        timeout(Duration::from_secs(30), self.starts.recv()).await.expect("a run is started").unwrap()
    }

    /// Waits until the one answer on a pull request contains all these texts.
    async fn shows(&self, pull: u64, words: &[&str]) -> String {
        let mut seen = Vec::new();
        for _ in 0..3_000 {
            seen = self.board.on(pull);
            assert!(seen.len() < 2, "{seen:#?}");
            if let Some(text) = seen.first().filter(|text| words.iter().all(|word| text.contains(word))) {
                return text.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{words:?} never came: {seen:#?}");
    }

    fn jobs(&self) -> Vec<Job> {
        JobStore::below(self.state.path()).unwrap().all(Timestamp::now()).unwrap()
    }

    /// Waits until all ends are delivered.
    async fn all_told(&self) {
        for _ in 0..3_000 {
            if self.jobs().iter().all(|job| job.told) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not told: {:#?}", self.jobs());
    }

    /// Waits until the ends of one pull request are delivered.
    async fn all_told_on(&self, pull: u64) {
        for _ in 0..3_000 {
            if self.jobs().iter().filter(|job| job.pull.number == pull).all(|job| job.told) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not told: {:#?}", self.jobs());
    }

    /// Simulates a kill: the process is gone at once, without teardown.
    async fn dies(self) -> (tempfile::TempDir, Arc<Board>) {
        self.done.abort();
        let _ = self.done.await;
        (self.state, self.board)
    }

    fn dir(&self, started: &Started) -> RunDir {
        RunDir::of(self.state.path(), &started.order.run)
    }
}

impl Started {
    fn plays(&self, records: Vec<Record>) {
        for record in records {
            self.came.send(WorkerMessage::Record(self.order.comment, Box::new(record))).unwrap();
        }
    }

    fn ends(&self, code: i32, said: &[&str]) {
        let said = said.iter().map(|&line| line.to_owned()).collect();
        self.came.send(WorkerMessage::Ended(self.order.comment, ChildExit { code: Some(code), said })).unwrap();
    }
}

#[tokio::test]
async fn a_word_becomes_a_run_and_a_verdict() {
    let mut scene = scene();
    scene.hears(5, 7, "!testme only=install from=1.2.0+1.22.1").await;
    let run = scene.started().await;
    let order = &run.order;
    assert_eq!((order.recipe.as_str(), order.pull, order.commit.as_str()), ("custom-html", 7, super::fake::HEAD));
    assert_eq!((order.only.join(","), order.from.as_deref()), ("install".to_owned(), Some("1.2.0+1.22.1")));
    assert_eq!(order.source.as_str(), "https://git.example.org/coop/custom-html.git");
    // It was on disk before.
    assert_eq!(scene.jobs()[0].phase, Phase::Running { run: order.run.clone() });
    scene.shows(7, &["under way", super::fake::HEAD]).await;
    run.plays(fixtures::passed());
    run.ends(0, &[]);
    scene.shows(7, &["### ✓ passed"]).await;
    scene.all_told().await;
    let states: Vec<StatusState> = scene.board.statuses().into_iter().map(|(_, state, _)| state).collect();
    assert_eq!((states.first(), states.last()), (Some(&StatusState::Pending), Some(&StatusState::Success)));
}

#[tokio::test]
async fn a_pull_request_has_one_run_at_a_time_and_others_run_beside_it() {
    let mut scene = scene();
    scene.hears(1, 7, "!testme").await;
    scene.hears(2, 7, "!testme only=backup").await;
    scene.hears(3, 7, "!testme").await;
    scene.hears(4, 8, "!testme").await;
    scene.hears(5, 9, "!testme").await;
    let (first, other) = (scene.started().await, scene.started().await);
    assert_eq!((first.order.comment, other.order.comment), (CommentId(1), CommentId(4)));
    scene.shows(7, &["Then: `!testme only=backup`", "in progress already", "waits for the run"]).await;
    scene.shows(9, &["### … queued", "place 3 in the queue"]).await;
    first.plays(fixtures::failed_upgrade());
    first.ends(10, &[]);
    let second = scene.started().await;
    assert_eq!((second.order.comment, second.order.only.len()), (CommentId(2), 1));
    second.plays(fixtures::passed());
    second.ends(0, &[]);
    assert_eq!(scene.started().await.order.comment, CommentId(5));
    // Both commits' results were delivered, the red one too.
    scene.shows(7, &["### ✓ passed"]).await;
    let has = |name: &str, wanted| scene.board.statuses().iter().any(|(of, state, _)| of == name && *state == wanted);
    assert!(has("cc-ci", StatusState::Failure) && has("cc-ci (in part)", StatusState::Success));
}

#[tokio::test]
async fn stop_ends_what_runs_and_what_waits() {
    let mut scene = scene();
    scene.hears(1, 7, "!testme").await;
    scene.hears(2, 7, "!testme only=backup").await;
    let run = scene.started().await;
    scene.hears(3, 7, "!stop").await;
    run.let_go.cancelled().await;
    scene.shows(7, &["2 runs are stopped", "`ada` stopped it"]).await;
    run.ends(130, &[]);
    scene.shows(7, &["### × stopped by `ada`"]).await;
    scene.all_told().await;
    assert!(scene.starts.try_recv().is_err());
    scene.hears(4, 7, "!stop").await;
    scene.shows(7, &["nothing waits or runs here"]).await;
}

#[tokio::test]
async fn stop_and_a_new_run_in_one_comment() {
    let mut scene = scene();
    scene.hears(1, 7, "!testme").await;
    let first = scene.started().await;
    scene.hears(2, 7, "!stop\n!testme\n!testme only=backup").await;
    first.let_go.cancelled().await;
    first.ends(130, &[]);
    assert_eq!(scene.started().await.order.comment, CommentId(2));
    scene.shows(7, &["one run a comment"]).await;
}

#[tokio::test]
async fn what_ran_begins_again_after_a_restart_and_not_for_ever() {
    let mut scene = scene();
    scene.hears(5, 7, "!testme").await;
    let mut runs = vec![scene.started().await.order.run];
    for restarts in 1..=3 {
        let (state, board) = scene.dies().await;
        scene = open(state, board);
        let again = scene.started().await;
        assert!(!runs.contains(&again.order.run), "each attempt is a run of its own");
        runs.push(again.order.run.clone());
        scene.shows(7, &["began again after a restart"]).await;
        assert_eq!(scene.jobs()[0].restarts, restarts);
    }
    let (state, board) = scene.dies().await;
    let mut scene = open(state, board);
    scene.shows(7, &["### ! no run", "restarted 4 times"]).await;
    assert!(scene.starts.try_recv().is_err());
}

#[tokio::test]
async fn a_verdict_that_nobody_was_told_is_told() {
    let mut scene = scene();
    scene.hears(5, 7, "!testme").await;
    let run = scene.started().await;
    let dir = scene.dir(&run);
    let alive = dir.create().unwrap();
    let mut writer = journal::Writer::create(&dir.journal()).unwrap();
    fixtures::passed().iter().for_each(|record| writer.record(record).unwrap());
    let (state, board) = scene.dies().await;
    let mut scene = open(state, board);
    // The process is alive, and could write more.
    assert!(!scene.board.on(7).iter().any(|text| text.contains("✓ passed")));
    drop(alive);
    scene.shows(7, &["### ✓ passed"]).await;
    scene.all_told().await;
    assert!(scene.starts.try_recv().is_err());
    assert!(matches!(scene.jobs()[0].phase, Phase::Ended(End::Ran { .. })));
}

#[tokio::test]
async fn what_was_stopped_does_not_begin_again() {
    let mut scene = scene();
    scene.hears(5, 7, "!testme").await;
    scene.started().await;
    scene.hears(6, 7, "!stop").await;
    scene.shows(7, &["the run is stopped"]).await;
    let (state, board) = scene.dies().await;
    let mut scene = open(state, board);
    scene.shows(7, &["### × stopped by `ada`"]).await;
    assert!(scene.starts.try_recv().is_err());
}

#[tokio::test]
async fn a_word_that_was_only_written_down_is_done_after_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let book = JobStore::below(state.path()).unwrap();
    book.save(&Job::new(&asked(5, 7, "!testme"), Timestamp::now())).unwrap();
    let mut scene = open(state, Arc::default());
    assert_eq!(scene.started().await.order.comment, CommentId(5));
}

#[tokio::test]
async fn a_server_that_is_stopped_says_so_and_goes_on_later() {
    let mut scene = scene();
    scene.hears(5, 7, "!testme").await;
    let run = scene.started().await;
    scene.stop.cancel();
    run.let_go.cancelled().await;
    scene.shows(7, &["cc-ci is shutting down; this run begins again"]).await;
    run.ends(130, &[]);
    scene.done.await.unwrap();
    let mut scene = open(scene.state, scene.board);
    assert_eq!(scene.started().await.order.commit, super::fake::HEAD.parse::<Commit>().unwrap());
}

#[tokio::test]
async fn an_app_is_held_while_its_run_is_under_way() {
    let mut scene = scene();
    scene.hears(1, 7, "!hold 30m").await;
    scene.shows(7, &["no run is under way here"]).await;
    scene.hears(2, 7, "!testme\n!hold 30m").await;
    let run = scene.started().await;
    scene.shows(7, &["Its app stays for 30 min 00 s"]).await;
    let dir = scene.dir(&run);
    let _alive = dir.create().unwrap();
    run.plays(fixtures::killed());
    scene.shows(7, &["under way: backup"]).await;
    assert_eq!(dir.asked_to_hold(), Some(Duration::from_secs(1_800)));
    scene.hears(3, 7, "!hold 2h").await;
    scene.shows(7, &["Its app stays for 2 h 00 min"]).await;
    assert_eq!(dir.asked_to_hold(), Some(Duration::from_secs(7_200)));
    run.plays(fixtures::passed().split_off(1));
    scene.hears(4, 7, "!hold 1h").await;
    scene.shows(7, &["`!hold 60m`: no run is under way here"]).await;
}

#[tokio::test]
async fn what_starts_nothing_says_why() {
    let mut scene = scene();
    scene.hears(1, 7, "!testme failed").await;
    scene.shows(7, &["no run of this pull request is known here"]).await;
    scene.hears(2, 7, "!tesme").await;
    scene.shows(7, &["did you mean `!testme`?"]).await;
    let mut elsewhere = asked(3, 8, "!testme");
    elsewhere.pull.id.repo.name = "ghost".parse().unwrap();
    scene.desk.take_on(&elsewhere).await.unwrap();
    scene.shows(8, &["`ghost is not a recipe that this cc-ci knows`"]).await;
    let mut odd = asked(5, 10, "!testme");
    odd.pull.id.repo.name = "docs.example".parse().unwrap();
    scene.desk.take_on(&odd).await.unwrap();
    scene.shows(10, &["is not a recipe name: abra keeps a recipe with a dot"]).await;
    scene.hears(6, 9, "!testme").await;
    let run = scene.started().await;
    run.ends(2, &["some log", "cc-ci: the commit is gone @eve", "look at: a new word"]);
    scene.shows(9, &["### ! no run", "`the commit is gone @eve`", "`a new word`"]).await;
    scene.all_told().await;
}

#[tokio::test]
async fn failed_runs_what_was_red() {
    let mut scene = scene();
    let dir = RunDir::of(scene.state.path(), &"20261121-091403-kxqv".parse().unwrap());
    let _alive = dir.create().unwrap();
    let mut writer = journal::Writer::create(&dir.journal()).unwrap();
    fixtures::failed_upgrade().iter().for_each(|record| writer.record(record).unwrap());
    scene.hears(1, 7, "!testme failed").await;
    let only = scene.started().await.order.only;
    assert_eq!(only.first().map(String::as_str), Some("upgrade"), "{only:?}");
}

#[tokio::test]
async fn a_forge_that_is_down_hears_the_verdict_later() {
    let mut scene = scene();
    scene.board.fail(3);
    scene.hears(5, 7, "!testme").await;
    let run = scene.started().await;
    run.plays(fixtures::passed());
    run.ends(0, &[]);
    scene.shows(7, &["### ✓ passed"]).await;
    scene.all_told().await;
}

#[tokio::test]
async fn an_answer_says_what_was_red_on_main_too() {
    use history::History;
    use journal::event::Event;

    let mut scene = scene();
    // The same failure on the default branch of the same repository, a day before.
    let mut of_main = fixtures::failed_upgrade();
    for record in &mut of_main {
        record.at -= jiff::SignedDuration::from_hours(24);
        if let Event::RunStarted(started) = &mut record.event {
            started.run = "20261120-091403-main".parse().unwrap();
            (started.pull_request, started.on_main) = (None, true);
        }
    }
    let dir = RunDir::of(scene.state.path(), &"20261120-091403-main".parse().unwrap());
    drop(dir.create().unwrap());
    let lines: Vec<u8> = of_main.iter().flat_map(|record| journal::line(record).unwrap()).collect();
    std::fs::write(dir.journal(), lines).unwrap();
    let history = History::open(scene.state.path()).unwrap();
    history.import(&dir).unwrap();

    scene.hears(5, 7, "!testme").await;
    let run = scene.started().await;
    run.plays(fixtures::failed_upgrade());
    run.ends(10, &[]);
    let text = scene.shows(7, &["failed by the recipe", "On main"]).await;
    assert!(text.contains("by run `20261120-091403-main` of commit 1a2b3c4d on 2026-11-20"), "{text}");
    assert!(text.contains("- red on main too: `upgrade.converged`"), "{text}");
}
