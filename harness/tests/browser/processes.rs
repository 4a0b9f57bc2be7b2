use std::io::{BufRead as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::time::Instant;

use coopcloud::abra::ProcessGroup;
use harness::browser::{Browser, Config};

use super::support::{Scene, processes_of};

fn config(scene: &Scene) -> Config {
    Config { ca: Some(scene.path("ca.pem")), scratch: Some(scene.path("work")), ..Config::default() }
}

#[tokio::test]
async fn a_dropped_browser_leaves_no_process_and_no_folder() {
    let scene = Scene::new();
    let browser = Browser::start(&config(&scene)).await.unwrap();
    assert!(processes_of(&scene.path("work")).len() > 1, "the profile's folder names its processes");
    let other = browser.clone();
    drop(browser);
    other.goto("about:blank").await.expect("a clone keeps it");
    drop(other);
    assert_gone(&scene);
}

#[tokio::test]
async fn a_panic_ends_it_too() {
    let scene = Scene::new();
    let config = config(&scene);
    let task = tokio::spawn(async move {
        let _browser = Browser::start(&config).await.unwrap();
        panic!("as meant");
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_gone(&scene);
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_nothing() {
    let scene = Scene::new();
    let config = config(&scene);
    let mut start = Box::pin(Browser::start(&config));
    // Given up as soon as there is a browser's process.
    let given_up = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        loop {
            tokio::select! {
                done = &mut start => panic!("too late to give it up: {done:?}"),
                () = tokio::task::yield_now() => if !processes_of(&scene.path("work")).is_empty() { break },
            }
        }
    });
    given_up.await.unwrap();
    drop(start);
    assert_gone(&scene);
}

#[test]
fn who_kills_the_process_group_kills_the_browser() {
    let scene = Scene::new();
    let this = std::env::current_exe().unwrap();
    let mut child = std::process::Command::new(this)
        .args(["--exact", "--ignored", "processes::a_process_that_has_a_browser"])
        .env(FOLDER, scene.path("work"))
        .env("CA", scene.path("ca.pem"))
        .stdout(std::process::Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut group = ProcessGroup::led_by(Some(child.id()));
    let out = std::io::BufReader::new(child.stdout.take().unwrap());
    assert!(out.lines().any(|line| line.unwrap().contains("it runs")), "it ended before it had a browser");
    assert!(processes_of(&scene.path("work")).len() > 1);
    group.kill();
    child.wait().unwrap();
    wait_until(|| processes_of(&scene.path("work")), Vec::is_empty);
}

const FOLDER: &str = "BROWSER_TEST_FOLDER";

#[tokio::test]
#[ignore = "not a test: the process that the one above kills"]
async fn a_process_that_has_a_browser() {
    // `--include-ignored` starts it on its own.
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let ca = std::env::var_os("CA").map(Into::into);
    let _browser = Browser::start(&Config { ca, scratch: Some(folder.into()), ..Config::default() }).await.unwrap();
    // The harness keeps what a test prints; this goes around it.
    std::io::stdout().write_all(b"it runs\n").unwrap();
    std::future::pending::<()>().await;
}

/// Everything goes by itself, soon: renderers end a moment after the process that they serve.
fn assert_gone(scene: &Scene) {
    wait_until(|| (processes_of(&scene.path("work")), scene.left()), |(a, b)| a.is_empty() && b.is_empty());
}

fn wait_until<T: std::fmt::Debug>(look: impl Fn() -> T, done: impl Fn(&T) -> bool) {
    let start = Instant::now();
    loop {
        let seen = look();
        if done(&seen) {
            return;
        }
        assert!(start.elapsed().as_secs() < 20, "{seen:?}");
        std::thread::yield_now();
    }
}
