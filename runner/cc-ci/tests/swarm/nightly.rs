//! A sweep of a real `cc-ci serve`: due, made with real runs, told to whoever listens, and shown.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use journal::event::Event;

use journal::run_dir::RunDir;
use nightly::{Clock, Shelf, Sweep, SweptHealth};
use serde_json::{Value, json};

use super::support::{Said, cc_ci, own_state, repositories};

const LONG: Duration = Duration::from_secs(120);

/// A repository whose default branch fails before anything is deployed, with no release; and a folder of recipes with
/// this one alone.
fn recipe(dir: &Path) {
    let git = |words: &[&str]| {
        let who = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
        let done =
            Command::new("git").arg("-C").arg(dir.join("sources/custom-html")).args(who).args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    std::fs::create_dir_all(dir.join("sources/custom-html")).unwrap();
    std::fs::create_dir_all(dir.join("recipes")).unwrap();
    git(&[
        "clone",
        "--quiet",
        "--no-tags",
        "--branch=broken/invalid-compose",
        repositories().join("custom-html").to_str().unwrap(),
        ".",
    ]);
    git(&["commit", "--quiet", "--allow-empty", "-m", "a head of its own"]);
    // A pull request with the same fault.
    git(&["commit", "--quiet", "--allow-empty", "-m", "a change"]);
    git(&["update-ref", "refs/pull/7/head", "HEAD"]);
    git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let folder = super::support::root().join("recipes/custom-html");
    assert!(Command::new("cp").arg("-a").arg(folder).arg(dir.join("recipes")).status().unwrap().success());
}

/// The next message, and the answer that it gets.
fn take(listener: &TcpListener) -> (String, Value) {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n").unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

fn page(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_server_tests_every_recipe_at_its_hour_and_tells_what_turned() {
    let (state, dir) = (own_state(), tempfile::tempdir().unwrap());
    recipe(dir.path());
    // It was green two days ago, and yesterday the server was down.
    let then: Date = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().checked_sub(2.days()).unwrap();
    let green = json!({"ended": {"health": "green", "at": "2026-01-01T00:00:00Z", "line": "passed"}});
    let earlier: Sweep = serde_json::from_value(json!({
        "date": then, "hour": "00:00 UTC", "began": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:00:00Z",
        "recipes": [{"recipe": "custom-html", "runs": [{"tested": {"main": true}, "phase": green}]}],
    }))
    .unwrap();
    let shelf = Shelf::below(state.path());
    shelf.put(&earlier).unwrap();
    shelf.put_clock(&Clock { done: then, hour: "00:00 UTC".to_owned() }).unwrap();

    let secret = dir.path().join("secret");
    std::fs::write(&secret, "hunter2-hunter2-hunter2").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut service = cc_ci(state.path())
        .arg("serve")
        .env("CCCI_RECIPES", dir.path().join("recipes"))
        .env("CCCI_SOURCES", dir.path().join("sources"))
        .env("CCCI_LISTEN", "127.0.0.1:0")
        .env("CCCI_NIGHTLY", "00:00 UTC")
        .env("CCCI_NIGHTLY_HOOK", format!("http://{}/", listener.local_addr().unwrap()))
        .env("CCCI_NIGHTLY_HOOK_SECRET_FILE", &secret)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(service.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address =
        lines.find_map(|line| Some(line.strip_prefix("cc-ci listens at http://")?.split(' ').next()?.to_owned()));
    let address = address.unwrap();
    let (head, told) = take(&listener);
    assert!(head.contains("x-hub-signature-256: sha256=") && head.contains("x-cc-ci-event: nightly"), "{head}");
    assert_eq!(
        (&told["red"], &told["turned"][0]["was"], &told["turned"][0]["now"]),
        (&json!(1), &json!("green"), &json!("red"))
    );
    assert!(!told.to_string().contains("hunter2"), "{told}");
    let run = told["turned"][0]["run"].as_str().unwrap().to_owned();

    // The run said of itself that it was the default branch's, so that pull requests can be compared with it.
    let records = journal::read(&RunDir::of(state.path(), &run.parse().unwrap()).journal()).unwrap().records;
    assert!(
        matches!(&records[0].event, Event::RunStarted(started) if started.on_main && started.pull_request.is_none())
    );
    let text = page(&address, "/nightly");
    assert!(text.contains("1 red") && text.contains("1 turned") && text.contains(&run), "{text}");
    assert!(page(&address, "/feed.atom").contains("custom-html, main: red, was green"));

    // What is red on the pull request was red there too.
    let mut run = cc_ci(state.path());
    run.args(["run", "custom-html", "--pr", "7", "--json"]);
    run.env("CCCI_RECIPES", dir.path().join("recipes")).env("CCCI_SOURCES", dir.path().join("sources"));
    let said = Said::of(run.output().unwrap());
    assert_eq!((said.code, said.decided()), (10, "invalid-compose"), "{}", said.stderr);
    let Event::RunStarted(started) = &said.records[0].event else { panic!("it does not begin") };
    let until = Instant::now() + LONG;
    loop {
        let text = page(&address, &format!("/runs/{}", started.run));
        if text.contains("<b>On main</b> red too at commit ") {
            break;
        }
        assert!(Instant::now() < until, "{text}");
        std::thread::sleep(Duration::from_millis(20));
    }

    let stopped = Command::new("kill").args(["-s", "TERM", &service.id().to_string()]).status().unwrap();
    assert!(stopped.success() && service.wait().unwrap().success());
    let said: Vec<String> = lines.collect();
    assert!(said.iter().any(|line| line.contains("nightly: custom-html, main at ")), "{said:?}");
    let sweeps = shelf.sweeps();
    assert_eq!((sweeps.len(), sweeps[0].count(SweptHealth::Red)), (2, 1), "one sweep for all that were missed");
}
