//! `cc-ci serve` as a service manager sees it.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use journal::event::Event;

use super::support::{cc_ci, copies, left, own_state, start};

/// What a service is told and tells.
struct Manager {
    socket: UnixDatagram,
    dir: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(dir.path().join("notify")).unwrap();
        Self { socket, dir }
    }

    /// Waits until the service says a word.
    fn hears(&self, word: &str, within: Duration) {
        let until = Instant::now() + within;
        let mut bytes = [0; 1_000];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the service never said {word}");
            self.socket.set_read_timeout(Some(left)).unwrap();
            let Ok(length) = self.socket.recv(&mut bytes) else { continue };
            if String::from_utf8_lossy(&bytes[..length]).lines().any(|line| line == word) {
                return;
            }
        }
    }
}

#[test]
fn after_a_reboot_what_is_left_goes_before_the_service_is_ready() {
    let (state, source) = (own_state(), copies(1));
    let source = source.path().to_str().unwrap();
    let words = ["run", "custom-html", "--source", source, "--ref", "n/0", "--json"].map(str::to_owned);
    let (mut child, lines) = start(state.path(), &words);
    let mut stack = None;
    for line in lines {
        match serde_json::from_str::<journal::event::Record>(&line.unwrap()).unwrap().event {
            Event::RunStarted(started) => stack = Some(started.stack),
            Event::AbraCalled { call, .. } if call.args.iter().any(|word| word == "deploy") => break,
            _ => {}
        }
    }
    let stack = stack.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!left(&stack).is_empty(), "a killed run leaves something, or this shows nothing");

    let manager = Manager::new();
    let mut command = cc_ci(state.path());
    command.arg("serve").env("NOTIFY_SOCKET", manager.dir.path().join("notify")).env("WATCHDOG_USEC", "2000000");
    let mut service = command.stdout(Stdio::piped()).spawn().unwrap();
    manager.hears("READY=1", Duration::from_secs(120));
    assert_eq!(left(&stack), Vec::<String>::new());
    for _ in 0..3 {
        manager.hears("WATCHDOG=1", Duration::from_secs(2));
    }
    let stopped = Command::new("kill").args(["-s", "TERM", &service.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    manager.hears("STOPPING=1", Duration::from_secs(10));
    assert!(service.wait().unwrap().success());
    let said = std::io::read_to_string(service.stdout.take().unwrap()).unwrap();
    assert!(said.contains(stack.as_str()) && said.contains("everything of it is removed"), "{said}");
}
