//! Comments on the pull requests of a real Gitea, answered by `cc-ci serve` with builds in a stand-in of Drone
//! (`testbed/drone` says what of it was seen on a real one). What the builds run is real: `cc-ci plugin` with the
//! environment that the repository's `.drone.yml` makes, on the real swarm, with a state folder that `cc-ci serve` does
//! not see. A second `cc-ci serve` without a forge is the janitor of the runner's machine.

mod runner;

use std::time::{Duration, Instant};

use testdrone::StandIn;
use testforge::Proxy;

use self::runner::Runner;
use super::answer::{Pull, Scene, Server, until};

/// A run that was killed is removed within this time.
const CLEAN: Duration = Duration::from_secs(10);
/// And the answer says so within this one.
const TOLD: Duration = Duration::from_secs(15);
/// What runs report with.
const TOKEN: &str = "hunter2-hunter2-hunter2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_starts_a_build_and_is_answered_with_its_verdict() {
    testforge::with(async |gitea| {
        let scene = &mut Scene::new(gitea).await;
        let mut pulls = Vec::new();
        for _ in 0..5 {
            pulls.push(scene.pull().await);
        }
        let drone = StandIn::start().await;
        // One address for whatever server is there: builds go on while there is none.
        let reports = Proxy::start("http://127.0.0.1:1".to_owned()).await;
        let runner = Runner::start(&drone, &[("cc_ci_report_token", TOKEN)], &[("CCCI_REPORT_TO", reports.url())]);

        let state = scene.state.path().to_owned();
        let file = |name: &str, text: &str| {
            let path = state.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (of_drone, of_reports) = (file("drone", testdrone::TOKEN), file("reports", TOKEN));
        let command = || {
            let mut command = scene.command(scene.proxy.url(), &state);
            command
                .env("CCCI_DRONE_URL", drone.url().as_str())
                .env("CCCI_DRONE_REPO", "coop/cc-ci")
                .env("CCCI_DRONE_BRANCH", "main")
                .env("CCCI_DRONE_TOKEN_FILE", &of_drone)
                .env("CCCI_REPORT_TOKEN_FILE", &of_reports)
                .env("CCCI_LISTEN", "127.0.0.1:0");
            command
        };
        let serve = async |mut server: Server| {
            let line = server.says("for runs that report").await;
            let address = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
            reports.aim(address.to_owned());
            server.says("cc-ci answers on").await;
            server
        };

        let mut of_runner = scene.command(scene.proxy.url(), runner.state());
        for name in ["CCCI_FORGE_URL", "CCCI_FORGE_OWNER", "CCCI_FORGE_TOKEN_FILE"] {
            of_runner.env_remove(name);
        }
        let _janitor = Server::start(of_runner);

        let server = serve(Server::start(command())).await;
        a_build_is_told_from_its_beginning_to_its_verdict(&pulls[0], &runner).await;
        stop_ends_the_run(&pulls[1], &runner).await;
        a_cancel_in_drone_is_told_and_cleaned_up(&pulls[2], &runner).await;
        a_cancel_that_never_reaches_the_runner_reaches_the_run(&pulls[3], &runner).await;
        a_killed_server_finds_the_build_again(&pulls[4], &runner, server, async || {
            serve(Server::start(command())).await
        })
        .await;
        a_restarted_build_goes_on_in_the_same_answer(&pulls[4], &runner, async || {
            serve(Server::start(command())).await
        })
        .await;

        assert_eq!(drone.count(), 6, "a build for each comment, and a restart");
        for pull in &pulls {
            assert_eq!(pull.answers().await.len(), 1);
            pull.nothing_is_left().await;
        }
        // The runs were none of this server's: what is here is what they told, and reports of those that told their end.
        let mut whole = 0;
        for run in std::fs::read_dir(state.join("runs")).unwrap().map(|run| run.unwrap().path()) {
            let has = |name: &str| run.join(name).exists();
            let told = std::fs::read_to_string(run.join("journal.jsonl")).unwrap();
            let has_end = told.contains("\"event\":\"run-ended\"");
            assert!(has("reported") && has("report.html") == has_end && !has("alive.lock"), "{run:?}");
            let own = runner.state().join("runs").join(run.file_name().unwrap()).join("journal.jsonl");
            let own = std::fs::read_to_string(own).unwrap();
            assert!(own == told || (!has_end && own.starts_with(&told)), "{run:?}");
            whole += usize::from(has_end);
        }
        assert_eq!(whole, 4, "one was killed, and one had no server to tell");
    })
    .await;
}

async fn a_build_is_told_from_its_beginning_to_its_verdict(pull: &Pull, runner: &Runner<'_>) {
    pull.says("!testme").await;
    let link = format!("build [coop/cc-ci/1](<{}>)", runner.link(1));
    let live = pull.answer(&["### ▸ under way: ", "| stage | | time |", &link]).await;
    assert!(live.contains(&pull.head), "{live}");
    runner.shows_no_secret(1, TOKEN);
    let answer = pull.answer(&["### ✓ passed", &link]).await;
    println!("{answer}");
    for wanted in [pull.head.as_str(), "| upgrade | ✓ passed |", "[report](<https://ci.example.org/runs/"] {
        assert!(answer.contains(wanted), "{wanted}: {answer}");
    }
    pull.has_status("cc-ci", "success").await;
    assert_eq!(runner.ended(1).await, Some(0));
}

async fn stop_ends_the_run(pull: &Pull, runner: &Runner<'_>) {
    pull.says("!testme").await;
    pull.is_deployed().await;
    let begin = Instant::now();
    pull.says("!stop").await;
    let answer = pull.answer(&["### × cancelled by `ada`"]).await;
    println!("    !stop to the answer: {:.1} s", begin.elapsed().as_secs_f32());
    assert!(begin.elapsed() < TOLD, "{:?}", begin.elapsed());
    assert!(answer.contains("the run is stopped"), "{answer}");
    // It was asked, and tore down by itself.
    assert_eq!(runner.ended(2).await, Some(130));
    pull.nothing_is_left().await;
}

async fn a_cancel_in_drone_is_told_and_cleaned_up(pull: &Pull, runner: &Runner<'_>) {
    pull.says("!testme").await;
    pull.is_deployed().await;
    let begin = Instant::now();
    runner.drone.cancel(3);
    assert_eq!(runner.ended(3).await, None, "SIGKILL");
    until("the janitor", async || pull.left().await.is_empty()).await;
    println!("    kill to nothing left: {:.1} s", begin.elapsed().as_secs_f32());
    assert!(begin.elapsed() < CLEAN, "{:?}", begin.elapsed());
    let answer = pull.answer(&["### × stopped in Drone"]).await;
    println!("    kill to the answer: {:.1} s", begin.elapsed().as_secs_f32());
    assert!(begin.elapsed() < TOLD, "{:?}", begin.elapsed());
    assert!(!answer.contains("memory"), "{answer}");
}

async fn a_cancel_that_never_reaches_the_runner_reaches_the_run(pull: &Pull, runner: &Runner<'_>) {
    pull.says("!testme").await;
    pull.is_deployed().await;
    runner.drone.loses_the_next_cancel();
    runner.drone.cancel(4);
    pull.answer(&["### × "]).await;
    assert_eq!(runner.ended(4).await, Some(130), "it tore down by itself");
    pull.nothing_is_left().await;
}

/// No `cc-ci serve` is there while the build ends: its exit code and its log tell the verdict. Then it is restarted.
async fn a_restarted_build_goes_on_in_the_same_answer(
    pull: &Pull,
    runner: &Runner<'_>,
    serve: impl AsyncFnOnce() -> Server,
) {
    assert_eq!(runner.drone.restart(5), 6);
    assert_eq!(runner.ended(6).await, Some(0));
    assert!(runner.tells_now(6, "not all of this run was reported"), "the step did not wait for long");
    let _server = serve().await;
    let by_code =
        ["### ✓ passed, by the exit code of its step", "build [coop/cc-ci/6]", "before it: build [coop/cc-ci/5]"];
    pull.answer(&by_code).await;
}

async fn a_killed_server_finds_the_build_again(
    pull: &Pull,
    runner: &Runner<'_>,
    server: Server,
    serve: impl AsyncFnOnce() -> Server,
) {
    pull.says("!testme").await;
    pull.is_deployed().await;
    drop(server);
    // What happens meanwhile is not lost.
    tokio::time::timeout(Duration::from_secs(300), runner.tells(5, "upgraded from")).await.unwrap();
    let _server = serve().await;
    let answer = pull.answer(&["### ✓ passed", "build [coop/cc-ci/5]"]).await;
    assert!(answer.contains(&pull.head) && !answer.contains("begun again"), "{answer}");
    assert_eq!(runner.ended(5).await, Some(0));
}
