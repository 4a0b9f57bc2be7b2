use std::path::Path;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use forge::token::RequiredToken;
use http_client::HttpConfig;
use tokio::net::TcpListener;

use super::*;
use journal::emit::Sink as _;
use journal_fixtures as fixtures;

use crate::router;

const TOKEN: &str = "hunter2-hunter2-hunter2";

/// A run that writes its journal here, and a receiver with its own state folder.
struct Scene {
    here: tempfile::TempDir,
    there: tempfile::TempDir,
    url: Url,
    /// How many requests are answered with 503, after being forwarded or instead of it.
    fails: Fails,
    served: JoinHandle<()>,
    stop: CancellationToken,
}

type Fails = Arc<Mutex<(usize, bool)>>;

async fn troubled(State(fails): State<Fails>, request: Request, next: Next) -> Result<Response, StatusCode> {
    let (failing, does_it) = {
        let mut fails = fails.lock().unwrap();
        let failing = fails.0 > 0;
        fails.0 = fails.0.saturating_sub(1);
        (failing, fails.1)
    };
    if failing && !does_it {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let answer = next.run(request).await;
    if failing { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(answer) }
}

async fn scene() -> Scene {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let fails = Fails::default();
    let (served, stop) = serve(listener, there.path(), &fails);
    Scene { here, there, url, fails, served, stop }
}

fn serve(listener: TcpListener, state: &Path, fails: &Fails) -> (JoinHandle<()>, CancellationToken) {
    let router: Router = router(state.to_owned(), RequiredToken::new(&TOKEN.into()).unwrap())
        .layer(from_fn_with_state(Arc::clone(fails), troubled));
    let stop = CancellationToken::new();
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    (tokio::spawn(async move { served.await.unwrap() }), stop)
}

impl Scene {
    fn dir(&self) -> RunDir {
        RunDir::of(self.here.path(), &fixtures::started().run)
    }

    fn copy(&self) -> RunDir {
        RunDir::of(self.there.path(), &fixtures::started().run)
    }

    fn reports(&self, token: &str) -> Reporter {
        self.reports_with(token, false)
    }

    fn reports_with(&self, token: &str, pictures: bool) -> Reporter {
        let http = Http::new(&HttpConfig::default()).unwrap();
        let to = Destination { url: self.url.clone(), token: token.into(), http, pictures };
        Reporter::start(to, &fixtures::started().run, self.dir())
    }

    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !holds(self) {
            assert!(Instant::now() < end, "it never came");
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn same(&self) -> bool {
        std::fs::read(self.dir().journal()).ok() == std::fs::read(self.copy().journal()).ok()
    }
}

#[tokio::test]
async fn a_journal_arrives_while_it_is_written() {
    let scene = scene().await;
    let _alive = scene.dir().create().unwrap();
    let reporter = scene.reports(TOKEN);
    let mut writer = journal::Writer::create(&scene.dir().journal()).unwrap();
    let mut records = fixtures::passed();
    let rest = records.split_off(records.len() / 2);
    records.iter().for_each(|record| writer.record(record).unwrap());
    scene.until(|scene| scene.copy().journal().exists() && scene.same()).await;
    // A user there keeps the app: the next response says so.
    scene.copy().hold(Duration::from_secs(1_800)).unwrap();
    rest.iter().for_each(|record| writer.record(record).unwrap());
    reporter.finish().await;
    assert!(scene.same() && scene.copy().is_reported());
    assert_eq!(scene.dir().asked_to_hold(), Some(Duration::from_secs(1_800)));
}

#[tokio::test]
async fn a_receiver_that_is_away_or_whose_answer_is_lost_gets_each_line_once() {
    for does_it in [false, true] {
        let scene = scene().await;
        let _alive = scene.dir().create().unwrap();
        *scene.fails.lock().unwrap() = (2, does_it);
        let reporter = scene.reports(TOKEN);
        let mut writer = journal::Writer::create(&scene.dir().journal()).unwrap();
        fixtures::passed().iter().for_each(|record| writer.record(record).unwrap());
        reporter.finish().await;
        assert!(scene.same(), "{does_it}");
    }
}

#[tokio::test]
async fn a_receiver_that_comes_back_with_less_gets_it_again() {
    let mut scene = scene().await;
    let _alive = scene.dir().create().unwrap();
    let reporter = scene.reports(TOKEN);
    let mut writer = journal::Writer::create(&scene.dir().journal()).unwrap();
    let mut records = fixtures::passed();
    let rest = records.split_off(5);
    records.iter().for_each(|record| writer.record(record).unwrap());
    scene.until(|scene| scene.copy().journal().exists() && scene.same()).await;
    scene.stop.cancel();
    (&mut scene.served).await.unwrap();
    // Simulates a power cut there: the last lines never reached the disk.
    let length = journal::line(&records[0]).unwrap().len() + 3;
    std::fs::File::options().write(true).open(scene.copy().journal()).unwrap().set_len(length as u64).unwrap();
    rest.iter().for_each(|record| writer.record(record).unwrap());
    let address = scene.url.socket_addrs(|| None).unwrap()[0];
    let (_served, _stop) = serve(TcpListener::bind(address).await.unwrap(), scene.there.path(), &scene.fails);
    reporter.finish().await;
    assert!(scene.same());
}

#[tokio::test]
async fn who_is_refused_ends_at_once_and_says_why() {
    let scene = scene().await;
    let _alive = scene.dir().create().unwrap();
    let mut writer = journal::Writer::create(&scene.dir().journal()).unwrap();
    fixtures::passed().iter().for_each(|record| writer.record(record).unwrap());
    let reporter = scene.reports("another-token-of-nobody");
    reporter.over.cancel();
    let why = reporter.task.await.unwrap().unwrap_err();
    assert!(why.contains("401") && why.contains("token") && !why.contains("nobody"), "{why}");
    assert!(!scene.copy().path().exists());
}

/// Writes a run with a picture of a green end, one of a failure, and names that lead elsewhere; returns its journal.
fn with_pictures(dir: &RunDir) -> Vec<journal::event::Record> {
    std::fs::create_dir(dir.artifacts()).unwrap();
    for name in ["green.png", "red.png", "unnamed.png"] {
        std::fs::write(dir.artifacts().join(name), [PNG, name.as_bytes()].concat()).unwrap();
    }
    std::fs::write(dir.artifacts().join("page.html"), "<p>").unwrap();
    std::fs::write(dir.path().join("private.png"), PNG).unwrap();
    std::os::unix::fs::symlink(dir.path().join("private.png"), dir.artifacts().join("link.png")).unwrap();
    let mut records = fixtures::failed_upgrade();
    for record in &mut records {
        if let Event::CheckEnded { check, .. } = &mut record.event {
            let names = ["green.png", "page.html", "link.png", "gone.png", "../private.png"];
            check.shown.files = names.map(|name| format!("artifacts/{name}")).to_vec();
            if let Some(fault) = &mut check.fault {
                fault.failure.files = vec!["artifacts/red.png".to_owned()];
            }
        }
    }
    records
}

#[tokio::test]
async fn pictures_that_records_name_go_before_them_where_the_operator_says_so() {
    for pictures in [true, false] {
        let scene = scene().await;
        let _alive = scene.dir().create().unwrap();
        let records = with_pictures(&scene.dir());
        // It is down for a while, for the first of the pictures too.
        *scene.fails.lock().unwrap() = (3, false);
        let reporter = scene.reports_with(TOKEN, pictures);
        let mut writer = journal::Writer::create(&scene.dir().journal()).unwrap();
        records.iter().for_each(|record| writer.record(record).unwrap());
        reporter.finish().await;
        assert!(scene.same());
        let there = std::fs::read_dir(scene.copy().artifacts());
        let mut names: Vec<_> = there.into_iter().flatten().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, if pictures { vec!["green.png", "red.png"] } else { Vec::new() });
        // The report there is made when the last record has arrived, and shows them.
        let page = std::fs::read_to_string(scene.copy().path().join("report.html")).unwrap();
        assert_eq!(page.contains("data:image/png;base64,"), pictures);
    }
}

#[tokio::test]
async fn a_picture_that_never_gets_there_does_not_hold_up_the_journal() {
    let scene = scene().await;
    let _alive = scene.dir().create().unwrap();
    let records = with_pictures(&scene.dir());
    let mut writer = journal::Writer::create(&scene.dir().journal()).unwrap();
    writer.record(&records[0]).unwrap();
    let reporter = scene.reports_with(TOKEN, true);
    scene.until(|scene| scene.copy().journal().exists() && scene.same()).await;
    // The receiver cannot create files in the folder of pictures, and its response says that a retry may succeed.
    std::fs::write(scene.copy().artifacts(), "").unwrap();
    records[1..].iter().for_each(|record| writer.record(record).unwrap());
    scene.until(Scene::same).await;
    reporter.finish().await;
}

#[tokio::test]
async fn a_receiver_that_wants_no_pictures_gets_the_journal() {
    let scene = scene().await;
    let _alive = scene.dir().create().unwrap();
    let records = with_pictures(&scene.dir());
    std::fs::write(scene.dir().artifacts().join("green.png"), "no picture at all").unwrap();
    std::fs::write(scene.dir().artifacts().join("red.png"), vec![0; BODY + 1]).unwrap();
    let reporter = scene.reports_with(TOKEN, true);
    let mut writer = journal::Writer::create(&scene.dir().journal()).unwrap();
    records.iter().for_each(|record| writer.record(record).unwrap());
    reporter.finish().await;
    assert!(scene.same() && !scene.copy().artifacts().exists());
}
