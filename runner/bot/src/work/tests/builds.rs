//! Runs that are builds, in the stand-in of Drone. The test writes the runs' journals.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base::names::RunId;
use forge::drone::{Drone, TESTME_RUN};
use forge::watch::Backoff;
use http_client::{Http, HttpConfig};
use testdrone::{StandIn, TOKEN};

use super::*;
use crate::builds::{Builds, CancelFuture, PollIntervals, SwarmRuns};
use journal::run_dir::Alive;

/// A worker whose runs are builds.
struct InDrone {
    scene: Scene,
    drone: StandIn,
    stopper: Stopper,
}

/// Records which runs are asked to stop; none of them does. It has every run until it loses them.
#[derive(Debug, Clone, Default)]
struct Stopper {
    asked: Arc<Mutex<Vec<String>>>,
    has_lost_them: Arc<AtomicBool>,
    /// How many times it has no ticket of the run yet, and cannot ask it.
    has_none_yet: Arc<AtomicUsize>,
    looked_for: Arc<AtomicUsize>,
}

impl Stopper {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl SwarmRuns for Stopper {
    fn stop<'a>(&'a self, _: &'a RunId, by: &'a str) -> CancelFuture<'a> {
        self.asked.lock().unwrap().push(by.to_owned());
        let one_less = |left: usize| left.checked_sub(1);
        let heard = self.has_none_yet.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_err();
        Box::pin(async move { heard })
    }

    fn has<'a>(&'a self, _: &'a RunId) -> CancelFuture<'a> {
        self.looked_for.fetch_add(1, Ordering::SeqCst);
        let has = !self.has_lost_them.load(Ordering::SeqCst);
        Box::pin(async move { has })
    }
}

async fn in_drone() -> InDrone {
    let (drone, state, stopper) = (StandIn::start().await, tempfile::tempdir().unwrap(), Stopper::default());
    let scene = scene_with(&drone, state, Arc::default(), (TOKEN, "coop/cc-ci"), &stopper);
    InDrone { scene, drone, stopper }
}

fn scene_of(drone: &StandIn, state: tempfile::TempDir, board: Arc<Board>, token: &str, repo: &str) -> Scene {
    scene_with(drone, state, board, (token, repo), &Stopper::default())
}

fn scene_with(
    drone: &StandIn,
    state: tempfile::TempDir,
    board: Arc<Board>,
    (token, repo): (&str, &str),
    stopper: &Stopper,
) -> Scene {
    let short = Duration::from_millis(20);
    let paces = PollIntervals {
        poll: short,
        read: short,
        quiet: short * 10,
        grace: short * 10,
        silent: short,
        missing: short * 20,
        pace: Backoff { interval: short, longest: short * 5 },
    };
    let client = Drone::new(Http::new(&HttpConfig::default()).unwrap(), drone.url(), token.into());
    let builds = Builds::new(client, drone.url(), repo.parse().unwrap(), None, state.path().to_owned())
        .on(Arc::new(stopper.clone()))
        .at(paces);
    open_with(state, board, Box::new(builds), mpsc::unbounded_channel().1)
}

impl InDrone {
    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        for _ in 0..3_000 {
            if holds(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never came: {:?} {:#?}", self.drone, self.scene.board.on(7));
    }

    /// One build exists; returns its run's folder.
    async fn begins(&self) -> RunDir {
        self.begun(1).await
    }

    /// `count` builds exist; returns the last one's run's folder.
    async fn begun(&self, count: usize) -> RunDir {
        self.until(|all| all.drone.count() == count).await;
        let run = self.drone.parameter(count, TESTME_RUN).unwrap().parse().unwrap();
        RunDir::of(self.scene.state.path(), &run)
    }

    /// A command is given, its build begins, and its run has reached the backup.
    async fn reaches_backup(&mut self, comment: u64, build: usize) -> (Alive, journal::Writer) {
        self.scene.hears(comment, 7, "!testme").await;
        let dir = self.begun(build).await;
        self.drone.runs(build);
        let written = writes(&dir, &fixtures::killed());
        self.scene.shows(7, &["under way: backup"]).await;
        written
    }

    /// Simulates a kill without teardown, and starts another worker.
    async fn again(self) -> Self {
        let Self { scene, drone, stopper } = self;
        let (state, board) = scene.dies().await;
        Self { scene: scene_with(&drone, state, board, (TOKEN, "coop/cc-ci"), &stopper), drone, stopper }
    }
}

fn writes(dir: &RunDir, records: &[Record]) -> (Alive, journal::Writer) {
    let alive = dir.create().unwrap();
    let mut writer = journal::Writer::create(&dir.journal()).unwrap();
    records.iter().for_each(|record| writer.record(record).unwrap());
    (alive, writer)
}

#[tokio::test]
async fn a_word_becomes_a_build_and_a_verdict() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme only=install from=1.2.0+1.22.1").await;
    let dir = all.begins().await;
    for (name, value) in [
        ("TESTME_RECIPE", "custom-html"),
        ("TESTME_SOURCE", "https://git.example.org/coop/custom-html.git"),
        ("TESTME_PR", "7"),
        ("TESTME_COMMIT", super::super::fake::HEAD),
        ("TESTME_ONLY", "install"),
        ("TESTME_FROM", "1.2.0+1.22.1"),
    ] {
        assert_eq!(all.drone.parameter(1, name).as_deref(), Some(value));
    }
    let link = format!("- build [coop/cc-ci/1](<{}coop/cc-ci/1>)", all.drone.url());
    all.scene.shows(7, &["waits in Drone for a runner", &link]).await;
    all.drone.runs(1);
    all.scene.shows(7, &["the repository is fetched"]).await;
    let (_alive, mut writer) = writes(&dir, &fixtures::killed());
    all.scene.shows(7, &["under way: backup", &link]).await;
    fixtures::passed()[1..].iter().for_each(|record| writer.record(record).unwrap());
    all.scene.shows(7, &["### ✓ passed", &link]).await;
    all.scene.all_told().await;
    assert_eq!(all.drone.count(), 1);
    assert_eq!(all.scene.jobs()[0].build.as_ref().unwrap().number, Some(1));
}

#[tokio::test]
async fn a_restart_finds_the_same_build_again() {
    let mut all = in_drone().await;
    let (_alive, mut writer) = all.reaches_backup(5, 1).await;
    for _ in 0..2 {
        all = all.again().await;
        all.scene.shows(7, &["under way: backup"]).await;
    }
    assert_eq!((all.drone.count(), all.drone.status(1).as_str()), (1, "running"));
    // The verdict arrives while cc-ci is down.
    let InDrone { scene, drone, stopper } = all;
    let (state, board) = scene.dies().await;
    fixtures::passed()[1..].iter().for_each(|record| writer.record(record).unwrap());
    drone.exits(1, 0);
    all = InDrone { scene: scene_with(&drone, state, board, (TOKEN, "coop/cc-ci"), &stopper), drone, stopper };
    let text = all.scene.shows(7, &["### ✓ passed"]).await;
    assert!(!text.contains("begun again"), "{text}");
    all.scene.all_told().await;
    assert_eq!((all.drone.count(), all.scene.jobs()[0].restarts), (1, 0));
}

#[tokio::test]
async fn a_server_that_is_stopped_lets_the_build_be() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    let dir = all.begins().await;
    all.drone.runs(1);
    all.scene.shows(7, &["the repository is fetched"]).await;
    let InDrone { scene, drone, .. } = all;
    scene.stop.cancel();
    scene.shows(7, &["the build continues"]).await;
    scene.done.await.unwrap();
    assert_eq!(drone.status(1), "running");
    let (_alive, _writer) = writes(&dir, &fixtures::passed());
    let scene = scene_of(&drone, scene.state, scene.board, TOKEN, "coop/cc-ci");
    scene.shows(7, &["### ✓ passed"]).await;
    assert_eq!(drone.count(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_build() {
    let mut all = in_drone().await;
    all.drone.loses_the_next_answer();
    all.scene.hears(5, 7, "!testme").await;
    let dir = all.begins().await;
    all.scene.shows(7, &["build [coop/cc-ci/1]"]).await;
    let (_alive, _writer) = writes(&dir, &fixtures::passed());
    all.scene.shows(7, &["### ✓ passed"]).await;
    assert_eq!(all.drone.count(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_before_a_restart_makes_no_second_build() {
    let mut all = in_drone().await;
    all.drone.loses_the_next_answer();
    all.scene.hears(5, 7, "!testme").await;
    all.begins().await;
    // No lookup was possible before cc-ci died.
    all.drone.is_down(true);
    let InDrone { scene, drone, stopper } = all;
    let (state, board) = scene.dies().await;
    drone.is_down(false);
    let all = InDrone { scene: scene_with(&drone, state, board, (TOKEN, "coop/cc-ci"), &stopper), drone, stopper };
    all.scene.shows(7, &["build [coop/cc-ci/1]"]).await;
    assert_eq!(all.drone.count(), 1);
}

#[tokio::test]
async fn a_drone_that_is_down_is_waited_for() {
    let mut all = in_drone().await;
    all.drone.is_down(true);
    all.scene.hears(5, 7, "!testme").await;
    all.scene.shows(7, &["cc-ci cannot query Drone", "it answered 503"]).await;
    assert_eq!(all.drone.count(), 0);
    all.drone.is_down(false);
    let dir = all.begins().await;
    all.scene.shows(7, &["build [coop/cc-ci/1]"]).await;
    // Also in the middle of a build; and the verdict needs no Drone.
    all.drone.runs(1);
    all.drone.is_down(true);
    all.scene.shows(7, &["cc-ci cannot query Drone"]).await;
    let (_alive, _writer) = writes(&dir, &fixtures::passed());
    let text = all.scene.shows(7, &["### ✓ passed"]).await;
    assert!(!text.contains("cannot query Drone"), "{text}");
}

#[tokio::test]
async fn stop_stops_the_build_also_where_drone_was_down() {
    let mut all = in_drone().await;
    let (_alive, _writer) = all.reaches_backup(5, 1).await;
    all.drone.is_down(true);
    all.scene.shows(7, &["cc-ci cannot query Drone"]).await;
    all.scene.hears(6, 7, "!stop").await;
    all.scene.shows(7, &["the run is stopped"]).await;
    // The next process knows it.
    all = all.again().await;
    all.drone.is_down(false);
    // Drone kills: the run writes no more records.
    let text = all.scene.shows(7, &["### × cancelled by `ada`", "| backup | ? no end |"]).await;
    assert!(!text.contains("memory") && !text.contains("no end:"), "{text}");
    assert_eq!(all.drone.status(1), "killed");
    all.scene.all_told().await;
}

#[tokio::test]
async fn a_run_that_can_be_asked_tears_down_before_drone_kills_it() {
    let mut all = in_drone().await;
    let (_alive, mut writer) = all.reaches_backup(5, 1).await;
    all.scene.hears(6, 7, "!stop").await;
    all.until(|all| all.stopper.asked() == ["!stop"]).await;
    fixtures::cancelled()[1..].iter().for_each(|record| writer.record(record).unwrap());
    all.scene.shows(7, &["### × cancelled by `ada`"]).await;
    assert_eq!(all.drone.status(1), "running", "its step ends by itself");
    all.scene.all_told().await;
    // A run that does not end is killed.
    let (_alive, _writer) = all.reaches_backup(7, 2).await;
    all.scene.hears(8, 7, "!stop").await;
    all.until(|all| all.drone.status(2) == "killed").await;
    assert_eq!(all.stopper.asked()[..2], ["!stop", "!stop"], "it was asked first");
    all.scene.shows(7, &["### × cancelled by `ada`"]).await;
}

#[tokio::test]
async fn a_cancel_in_drone_is_told_as_such_and_reaches_the_run_in_any_case() {
    let mut all = in_drone().await;
    let (_alive, _writer) = all.reaches_backup(5, 1).await;
    all.drone.loses_the_next_cancel();
    all.drone.cancel(1);
    all.scene.shows(7, &["### × stopped in Drone"]).await;
    assert_eq!(all.stopper.asked(), ["a cancel in Drone"]);
    all.scene.all_told().await;
    // Also before a runner took it.
    all.scene.hears(6, 7, "!testme").await;
    all.begun(2).await;
    all.drone.cancel(2);
    all.scene.shows(7, &["### × stopped in Drone", "coop/cc-ci/2"]).await;
}

#[tokio::test]
async fn a_cancel_is_repeated_until_the_run_has_a_place_on_the_swarm() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    all.begins().await;
    all.drone.runs(1);
    all.scene.shows(7, &["the repository is fetched"]).await;
    all.stopper.has_none_yet.store(3, Ordering::SeqCst);
    all.drone.loses_the_next_cancel();
    all.drone.cancel(1);
    all.scene.shows(7, &["### × stopped in Drone"]).await;
    all.until(|all| all.stopper.asked().len() == 4).await;
}

#[tokio::test]
async fn the_time_limit_is_told_before_and_after_it_strikes() {
    let mut all = in_drone().await;
    all.drone.repository(|known| known.timeout = 5);
    all.scene.hears(5, 7, "!testme").await;
    let dir = all.begins().await;
    all.drone.runs(1);
    let (_alive, _writer) = writes(&dir, &fixtures::killed());
    all.scene.shows(7, &["under way: backup", "the repository's time limit there is 5 min"]).await;
    all.drone.hits_the_time_limit(1);
    all.scene.shows(7, &["### ! no verdict: Drone's time limit of 5 min", "Settings, Timeout"]).await;
}

#[tokio::test]
async fn a_run_that_a_janitor_found_dead_ends_its_word_whatever_drone_says() {
    let mut all = in_drone().await;
    let (alive, _writer) = all.reaches_backup(5, 1).await;
    // Its runner is gone: Drone reports it running for ever.
    drop(alive);
    let run = all.drone.parameter(1, TESTME_RUN).unwrap().parse().unwrap();
    journal::run_dir::note_found_dead(all.scene.state.path(), &run).unwrap();
    all.scene.shows(7, &["### ! no verdict: its run was found dead"]).await;
    all.until(|all| all.drone.status(1) == "killed").await;
    all.scene.all_told().await;
}

#[tokio::test]
async fn a_run_that_another_machines_janitor_removed_is_missed_on_the_swarm() {
    let mut all = in_drone().await;
    let (_alive, _writer) = all.reaches_backup(5, 1).await;
    let looks = |all: &InDrone| all.stopper.looked_for.load(Ordering::SeqCst);
    all.until(|all| looks(all) > 0).await;
    // Also if cc-ci was restarted meanwhile.
    all.until(|all| all.scene.jobs()[0].build.as_ref().is_some_and(|build| build.on_swarm)).await;
    all = all.again().await;
    all.stopper.has_lost_them.store(true, Ordering::SeqCst);
    all.scene.shows(7, &["### ! no verdict: its run was found dead"]).await;
    // A run that this swarm never had is on another one, and is not missed.
    let (_alive, mut writer) = all.reaches_backup(6, 2).await;
    let before = looks(&all);
    all.until(|all| looks(all) > before + 3).await;
    fixtures::passed()[1..].iter().for_each(|record| writer.record(record).unwrap());
    all.scene.shows(7, &["### ✓ passed"]).await;
}

#[tokio::test]
async fn a_restarted_build_is_a_new_attempt_of_the_same_command() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    let first = all.begins().await;
    all.drone.runs(1);
    let (_alive, _writer) = writes(&first, &fixtures::failed_upgrade());
    all.drone.exits(1, 10);
    all.scene.shows(7, &["### ✗ failed by the recipe"]).await;
    all.scene.all_told().await;
    // Also if cc-ci was restarted meanwhile.
    all = all.again().await;
    assert_eq!(all.drone.restart(1), 2);
    let link = format!("restarted in Drone; before it: build [coop/cc-ci/1](<{}coop/cc-ci/1>), run `", all.drone.url());
    all.scene.shows(7, &["waits in Drone for a runner", "build [coop/cc-ci/2]", &link]).await;
    all.drone.runs(2);
    let run = all.drone.parameter(2, TESTME_RUN).unwrap().parse().unwrap();
    let second = RunDir::of(all.scene.state.path(), &forge::drone::restarted_run_id(&run, 2));
    assert_ne!(second.path(), first.path());
    let (_alive, _writer) = writes(&second, &fixtures::passed());
    all.scene.shows(7, &["### ✓ passed", &link]).await;
    all.scene.all_told().await;
    // A later command, and the older one's build is restarted once more: the answer is about what ended last.
    all.scene.hears(6, 7, "!testme").await;
    all.begun(3).await;
    all.drone.exits(3, 11);
    all.scene.shows(7, &["### ✗ failed by a test, by the exit code"]).await;
    all.scene.all_told().await;
    assert_eq!(all.drone.restart(2), 4);
    all.scene.shows(7, &["waits in Drone for a runner", "build [coop/cc-ci/4]", "[coop/cc-ci/2]", &link]).await;
    all.drone.exits(4, 10);
    all.scene.shows(7, &["### ✗ failed by the recipe, by the exit code", "build [coop/cc-ci/4]"]).await;
    assert_eq!((all.scene.board.on(7).len(), all.drone.count()), (1, 4));
}

#[tokio::test]
async fn what_is_stopped_before_there_is_a_build_never_is_one() {
    let mut all = in_drone().await;
    all.drone.is_down(true);
    all.scene.hears(5, 7, "!testme").await;
    all.scene.shows(7, &["cc-ci cannot query Drone"]).await;
    all.scene.hears(6, 7, "!stop").await;
    all.scene.shows(7, &["### × stopped by `ada`"]).await;
    all.drone.is_down(false);
    all.scene.all_told().await;
    assert_eq!(all.drone.count(), 0);
}

#[tokio::test]
async fn where_no_journal_arrived_the_exit_code_and_the_log_give_the_verdict() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    all.begins().await;
    all.drone.runs(1);
    all.drone.prints(1, &["cc-ci: this run cannot be reported", "✗ failed by the recipe in upgrade"]);
    all.drone.exits(1, 10);
    let link = format!("[coop/cc-ci/1](<{}coop/cc-ci/1>)", all.drone.url());
    let wanted = [
        "### ✗ failed by the recipe, by the exit code of its step",
        "exit code 10",
        "✗ failed by the recipe in upgrade",
        &link,
    ];
    all.scene.shows(7, &wanted).await;
    all.scene.all_told().await;
    assert!(all.scene.board.statuses().iter().any(|(_, state, _)| *state == forge::api::StatusState::Failure));
    // A part, and no log: green as well.
    let (_alive, _writer) = all.reaches_backup(6, 2).await;
    all.drone.exits(2, 0);
    all.scene.shows(7, &["### ✓ passed, by the exit code of its step", "Progress:"]).await;
}

#[tokio::test]
async fn a_step_that_was_killed_is_told_as_killed() {
    let mut all = in_drone().await;
    let (_alive, _writer) = all.reaches_backup(5, 1).await;
    all.drone.exits(1, 137);
    all.scene.shows(7, &["### ! no verdict: its step was killed"]).await;
    all.scene.all_told().await;
    assert!(matches!(all.scene.jobs()[0].phase, Phase::Ended(End::Ran { .. })));
}

#[tokio::test]
async fn a_build_that_drone_cannot_run_is_told_with_the_setting_to_change() {
    for (trusted, file, words) in [
        (false, None, ["untrusted repositories cannot configure network_mode", "the setting Trusted"]),
        (true, Some(": no YAML\n\t-"), ["yaml: line 2", "the pipeline file of the branch"]),
    ] {
        let mut all = in_drone().await;
        all.drone.repository(|known| {
            known.trusted = trusted;
            if let Some(file) = file {
                known.branches.insert("main".to_owned(), Some(file.to_owned()));
            }
        });
        all.scene.hears(5, 7, "!testme").await;
        all.scene.shows(7, &["### ! no run", words[0], words[1]]).await;
        all.scene.all_told().await;
    }
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    all.begins().await;
    all.drone.breaks(1, "Error response from daemon: pull access denied for cc-ci/runner");
    all.scene.shows(7, &["### ! no run", "pull access denied", "it has to be on each runner"]).await;
}

#[tokio::test]
async fn a_build_that_drone_has_forgotten_is_told_as_such() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    all.begins().await;
    all.drone.runs(1);
    all.scene.shows(7, &["build [coop/cc-ci/1]"]).await;
    // A permission that is refused for a moment, as while the forge is down, ends nothing.
    all.drone.repository(|known| known.visible = false);
    all.scene.shows(7, &["cc-ci cannot query Drone"]).await;
    all.drone.repository(|known| known.visible = true);
    all.scene.shows(7, &["the repository is fetched"]).await;
    all.drone.forgets(1);
    all.scene.shows(7, &["### ? no verdict: Drone no longer has the build"]).await;
}

#[tokio::test]
async fn a_run_that_tells_its_end_to_no_one_is_not_dead() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    let dir = all.begins().await;
    all.drone.runs(1);
    let (_alive, _writer) = writes(&dir, &fixtures::killed());
    let looks = |all: &InDrone| all.stopper.looked_for.load(Ordering::SeqCst);
    all.until(|all| looks(all) > 0).await;
    let before = looks(&all);
    all.stopper.has_lost_them.store(true, Ordering::SeqCst);
    all.until(|all| looks(all) > before + 2).await;
    all.drone.exits(1, 10);
    all.scene.shows(7, &["### ✗ failed by the recipe, by the exit code of its step"]).await;
}

#[tokio::test]
async fn a_build_that_waits_for_an_approval_says_so() {
    let mut all = in_drone().await;
    all.drone.repository(|known| known.asks_for_approval = true);
    all.scene.hears(5, 7, "!testme").await;
    all.scene.shows(7, &["waits in Drone for an approval"]).await;
}

#[tokio::test]
async fn what_waiting_does_not_change_ends_the_word_with_the_setting_to_change() {
    type Change = fn(&mut testdrone::RepositorySettings);
    let set = |change: Change| change;
    let cases: [(&str, &str, Change, [&str; 2]); 7] = [
        (
            "hunter2hunter2hunter2",
            "coop/cc-ci",
            set(|_| ()),
            ["Drone does not know the token", "CCCI_DRONE_TOKEN_FILE"],
        ),
        (TOKEN, "coop/none", set(|_| ()), ["shows no repository coop/none to the user cc-ci", "CCCI_DRONE_REPO"]),
        (TOKEN, "coop/cc-ci", set(|known| known.active = false), ["coop/cc-ci is not active", "Activate Repository"]),
        (TOKEN, "coop/cc-ci", set(|known| known.may_write = false), ["the user cc-ci may not start builds", "Sync"]),
        (
            TOKEN,
            "coop/cc-ci",
            set(|known| known.branches.clear()),
            ["coop/cc-ci has no default branch main", "CCCI_DRONE_BRANCH"],
        ),
        (
            TOKEN,
            "coop/cc-ci",
            set(|known| {
                known.branches.insert("main".to_owned(), None);
                known.patience = Duration::ZERO;
            }),
            ["has no file .drone.yml", "push a pipeline"],
        ),
        (
            TOKEN,
            "coop/cc-ci",
            set(|known| {
                known
                    .branches
                    .insert("main".to_owned(), Some("kind: pipeline\ntrigger: { event: [push] }\n".to_owned()));
            }),
            ["no pipeline of coop/cc-ci", "event: [custom]"],
        ),
    ];
    for (token, repo, change, words) in cases {
        let drone = StandIn::start().await;
        drone.repository(change);
        let mut scene = scene_of(&drone, tempfile::tempdir().unwrap(), Arc::default(), token, repo);
        scene.hears(5, 7, "!testme").await;
        let text = scene.shows(7, &["### ! no run", words[0], words[1]]).await;
        assert!(!text.contains("hunter2"), "{text}");
        scene.all_told().await;
        assert_eq!(drone.count(), 0);
    }
}

#[tokio::test]
async fn a_settled_refusal_ends_the_word_also_where_a_build_may_be_there() {
    let mut all = in_drone().await;
    all.drone.is_down(true);
    all.scene.hears(5, 7, "!testme").await;
    all.scene.shows(7, &["cc-ci cannot query Drone"]).await;
    // It is not known whether the first start arrived; the repository is not shown any more.
    all.drone.repository(|known| known.visible = false);
    all = all.again().await;
    all.drone.is_down(false);
    all.scene.shows(7, &["### ! no run", "shows no repository coop/cc-ci"]).await;
}

#[tokio::test]
async fn a_build_that_no_drone_is_known_for_any_more_is_no_second_run() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    all.begins().await;
    all.scene.shows(7, &["build [coop/cc-ci/1]"]).await;
    let (state, board) = all.scene.dies().await;
    let mut scene = open(state, board);
    scene.shows(7, &["### ! no run", "no Drone is configured any more"]).await;
    assert!(scene.starts.try_recv().is_err());
}
