//! Runs that are builds, in the stand-in of Drone. The runs themselves are journals that the test writes.

use harness::http::{Http, HttpConfig};
use testdrone::{StandIn, TOKEN};
use trigger::drone::{Drone, TESTME_RUN};
use trigger::watch::Pace;

use super::*;
use crate::answer::builds::{Builds, Paces};
use crate::run_dir::Alive;

/// A worker whose runs are builds.
struct InDrone {
    scene: Scene,
    drone: StandIn,
}

async fn in_drone() -> InDrone {
    let (drone, state) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let scene = scene_of(&drone, state, Arc::default(), TOKEN, "coop/cc-ci");
    InDrone { scene, drone }
}

fn scene_of(drone: &StandIn, state: tempfile::TempDir, board: Arc<Board>, token: &str, repo: &str) -> Scene {
    let short = Duration::from_millis(20);
    let paces =
        Paces { poll: short, read: short, quiet: short * 10, pace: Pace { interval: short, longest: short * 5 } };
    let client = Drone::new(Http::new(&HttpConfig::default()).unwrap(), drone.url(), token.into());
    let builds = Builds::new(client, drone.url(), repo.parse().unwrap(), None, state.path().to_owned()).at(paces);
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

    /// The one build is there, and this is its run's folder.
    async fn begins(&self) -> RunDir {
        self.until(|all| all.drone.count() > 0).await;
        let run = self.drone.parameter(1, TESTME_RUN).unwrap().parse().unwrap();
        RunDir::of(self.scene.state.path(), &run)
    }

    /// As after a kill: nobody tears anything down, and another worker comes.
    async fn again(self) -> Self {
        let Self { scene, drone } = self;
        let (state, board) = scene.dies().await;
        Self { scene: scene_of(&drone, state, board, TOKEN, "coop/cc-ci"), drone }
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
    all.drone.set(1, "running");
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
    all.scene.hears(5, 7, "!testme").await;
    let dir = all.begins().await;
    all.drone.set(1, "running");
    let (_alive, mut writer) = writes(&dir, &fixtures::killed());
    all.scene.shows(7, &["under way: backup"]).await;
    for _ in 0..2 {
        all = all.again().await;
        all.scene.shows(7, &["under way: backup"]).await;
    }
    assert_eq!((all.drone.count(), all.drone.status(1).as_str()), (1, "running"));
    // The verdict comes while nobody is there.
    let InDrone { scene, drone } = all;
    let (state, board) = scene.dies().await;
    fixtures::passed()[1..].iter().for_each(|record| writer.record(record).unwrap());
    drone.set(1, "success");
    all = InDrone { scene: scene_of(&drone, state, board, TOKEN, "coop/cc-ci"), drone };
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
    all.drone.set(1, "running");
    all.scene.shows(7, &["the repository is fetched"]).await;
    let InDrone { scene, drone } = all;
    scene.stop.cancel();
    scene.shows(7, &["the build goes on"]).await;
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
    // Nobody could look for it, and then cc-ci dies.
    all.drone.is_down(true);
    let InDrone { scene, drone } = all;
    let (state, board) = scene.dies().await;
    drone.is_down(false);
    let all = InDrone { scene: scene_of(&drone, state, board, TOKEN, "coop/cc-ci"), drone };
    all.scene.shows(7, &["build [coop/cc-ci/1]"]).await;
    assert_eq!(all.drone.count(), 1);
}

#[tokio::test]
async fn a_drone_that_is_down_is_waited_for() {
    let mut all = in_drone().await;
    all.drone.is_down(true);
    all.scene.hears(5, 7, "!testme").await;
    all.scene.shows(7, &["cc-ci waits for Drone", "it answered 503"]).await;
    assert_eq!(all.drone.count(), 0);
    all.drone.is_down(false);
    let dir = all.begins().await;
    all.scene.shows(7, &["build [coop/cc-ci/1]"]).await;
    // In the middle of a build, too; and the verdict needs no Drone.
    all.drone.set(1, "running");
    all.drone.is_down(true);
    all.scene.shows(7, &["cc-ci waits for Drone"]).await;
    let (_alive, _writer) = writes(&dir, &fixtures::passed());
    let text = all.scene.shows(7, &["### ✓ passed"]).await;
    assert!(!text.contains("waits for Drone"), "{text}");
}

#[tokio::test]
async fn stop_stops_the_build_also_where_drone_was_down() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    let dir = all.begins().await;
    all.drone.set(1, "running");
    let (_alive, mut writer) = writes(&dir, &fixtures::killed());
    all.scene.shows(7, &["under way: backup"]).await;
    all.drone.is_down(true);
    all.scene.shows(7, &["cc-ci waits for Drone"]).await;
    all.scene.hears(6, 7, "!stop").await;
    all.scene.shows(7, &["the run is stopped"]).await;
    // Whoever comes next knows of it.
    all = all.again().await;
    all.drone.is_down(false);
    all.until(|all| all.drone.status(1) == "killed").await;
    // It tears down, and says so to the end.
    fixtures::passed()[1..].iter().for_each(|record| writer.record(record).unwrap());
    all.scene.shows(7, &["### ✓ passed"]).await;
    all.scene.all_told().await;
}

#[tokio::test]
async fn what_is_stopped_before_there_is_a_build_never_is_one() {
    let mut all = in_drone().await;
    all.drone.is_down(true);
    all.scene.hears(5, 7, "!testme").await;
    all.scene.shows(7, &["cc-ci waits for Drone"]).await;
    all.scene.hears(6, 7, "!stop").await;
    all.scene.shows(7, &["### × stopped by `ada`"]).await;
    all.drone.is_down(false);
    all.scene.all_told().await;
    assert_eq!(all.drone.count(), 0);
}

#[tokio::test]
async fn a_build_that_ends_without_a_word_is_told_with_its_link() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    all.begins().await;
    all.drone.set(1, "failure");
    let link = format!("[coop/cc-ci/1](<{}coop/cc-ci/1>)", all.drone.url());
    all.scene.shows(7, &["### ! no run", "build coop/cc-ci/1 failed before its run told anything here", &link]).await;
    all.scene.all_told().await;
    all.scene.hears(6, 7, "!testme").await;
    all.until(|all| all.drone.count() == 2).await;
    all.drone.set(2, "success");
    all.scene.shows(7, &["build coop/cc-ci/2 passed, and its run told nothing here", "report-to"]).await;
}

#[tokio::test]
async fn a_build_that_was_killed_has_no_end() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    let dir = all.begins().await;
    all.drone.set(1, "running");
    let (_alive, _writer) = writes(&dir, &fixtures::killed());
    all.scene.shows(7, &["under way: backup"]).await;
    all.drone.set(1, "killed");
    let link = format!("[coop/cc-ci/1](<{}coop/cc-ci/1>), which was stopped without a verdict", all.drone.url());
    all.scene.shows(7, &["### ? no end", &link]).await;
    all.scene.all_told().await;
    assert!(matches!(all.scene.jobs()[0].phase, Phase::Ended(End::Ran { .. })));
}

#[tokio::test]
async fn what_nobody_mends_by_waiting_ends_the_word() {
    for (token, repo, words) in [
        ("hunter2hunter2hunter2", "coop/cc-ci", "CCCI_DRONE_TOKEN_FILE"),
        (TOKEN, "coop/none", "is coop/none active in Drone?"),
    ] {
        let drone = StandIn::start().await;
        let mut scene = scene_of(&drone, tempfile::tempdir().unwrap(), Arc::default(), token, repo);
        scene.hears(5, 7, "!testme").await;
        let text = scene.shows(7, &["### ! no run", words]).await;
        assert!(!text.contains("hunter2"), "{text}");
        scene.all_told().await;
        assert_eq!(drone.count(), 0);
    }
}

#[tokio::test]
async fn a_build_that_no_drone_is_known_for_any_more_is_no_second_run() {
    let mut all = in_drone().await;
    all.scene.hears(5, 7, "!testme").await;
    all.begins().await;
    all.scene.shows(7, &["build [coop/cc-ci/1]"]).await;
    let (state, board) = all.scene.dies().await;
    let mut scene = open(state, board);
    scene.shows(7, &["### ! no run", "knows no Drone any more"]).await;
    assert!(scene.starts.try_recv().is_err());
}
