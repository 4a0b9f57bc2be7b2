//! The server is killed while it imports: no journal is lost, and none is there twice.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use history::History;
use journal::event::{Event, Record, Stage};
use journal::run_dir::RunDir;

use crate::fixtures;
use crate::scene::{Scene, another};
use crate::stories::{GREEN, hours};

const RECORDS: u64 = 40_000;
const LONGEST: Duration = Duration::from_secs(60);

/// A server that follows the runs of a state folder. It ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts one. Nothing of this machine is its business.
fn serve(state: &Path) -> Server {
    let child = Command::new(env!("CARGO_BIN_EXE_cc-ci"))
        .args(["serve", "--listen", "127.0.0.1:0", "--state"])
        .arg(state)
        .env_clear()
        .env("DOCKER_HOST", format!("unix://{}", state.join("no-engine.sock").display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Server(child.unwrap())
}

/// What of a run is in the history.
fn known(state: &Path, run: &str) -> Vec<Record> {
    let history = History::open(state).unwrap();
    let told = history.read_now(|db| db.told(&run.parse().unwrap())).unwrap();
    told.map(|told| told.records).unwrap_or_default()
}

#[test]
fn a_server_that_is_killed_at_any_moment_of_an_import_loses_nothing() {
    // The history of the scene would have the lock that the server wants.
    let Scene { folder, history } = Scene::new();
    drop(history);
    let state = folder.path();
    let mut records = another(&fixtures::passed(), GREEN, hours(1), |_| {});
    let first = records[0].at;
    records.truncate(1);
    records.extend((1..RECORDS).map(|seq| {
        // Words that are not packed into next to nothing.
        let words = (1..13).map(|n| format!("{:016x} ", (seq * 13 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let event = Event::Noted { stage: Stage::Functional, text: words.collect() };
        Record { seq, at: first, ms: seq, event }
    }));
    let dir = RunDir::of(state, &GREEN.parse().unwrap());
    drop(dir.create().unwrap());
    let lines: Vec<u8> = records.iter().flat_map(|record| journal::line(record).unwrap()).collect();
    std::fs::write(dir.journal(), lines).unwrap();

    let log = state.join("history.sqlite-wal");
    let mut cut = 0;
    for share in [1, 100_000, 500_000, 1_000_000, 2_000_000] {
        let mut server = serve(state);
        let begin = Instant::now();
        while std::fs::metadata(&log).map_or(0, |meta| meta.len()) < share {
            assert!(begin.elapsed() < LONGEST && server.0.try_wait().unwrap().is_none(), "no import of {share} bytes");
            std::thread::yield_now();
        }
        server.0.kill().unwrap();
        assert_eq!(server.0.wait().unwrap().signal(), Some(9));
        let so_far = known(state, GREEN);
        assert!(records.starts_with(&so_far), "{} records", so_far.len());
        if so_far.len() == records.len() {
            break;
        }
        cut += 1;
    }
    assert!(cut > 0, "no kill came in the middle");
    let history = History::open(state).unwrap();
    history.import(&dir).unwrap();
    drop(history);
    assert!(known(state, GREEN) == records, "all of it, and once");
}
