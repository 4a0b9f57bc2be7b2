//! The cap on live runs, with whole runs: waiting, cancelling, dying, sleeping.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use journal::event::{Event, Outcome, Record, Stage, Verdict, VerdictKind};
use journal::exit::Exit;
use swarm::Swarm;

use super::live::Live;
use super::support::{Said, cc_ci, copies, left, own_state};

/// Slots that only one test has: one run at a time.
struct Set {
    name: String,
}

impl Set {
    fn new(name: &str) -> Self {
        Self { name: format!("ccci-tests-{name}") }
    }

    fn cc_ci(&self, state: &Path) -> Command {
        let mut command = cc_ci(state);
        command.env("CCCI_SLOTS", &self.name).env("MAX_TESTS", "1");
        command
    }

    /// A run of the install stage alone.
    fn run(&self, state: &Path, source: &Path, branch: &str) -> Command {
        let mut command = self.cc_ci(state);
        let source = source.to_str().unwrap();
        command.args(["run", "custom-html", "--json", "--only", "install", "--source", source, "--ref", branch]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn status(&self, state: &Path) -> serde_json::Value {
        let output = self.cc_ci(state).args(["status", "--json"]).output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let Ok(swarm) = Swarm::connect().await else { return };
            for record in swarm.shared_records(&format!("cc-ci.slots={}", self.name)).await.unwrap_or_default() {
                let _ = swarm.drop_shared_record(&record.id).await;
            }
        });
    }
}

fn progress(said: &Said) -> Vec<&str> {
    let text = |record| match record {
        &Record { event: Event::Progress { stage: Stage::Slot, ref text }, .. } => Some(text.as_str()),
        _ => None,
    };
    said.records.iter().filter_map(text).collect()
}

fn at(said: &Said, wanted: Stage) -> BTreeMap<&'static str, jiff::Timestamp> {
    let mut times = BTreeMap::new();
    for record in &said.records {
        match &record.event {
            Event::StageStarted { stage, .. } if *stage == wanted => times.insert("from", record.at),
            Event::StageEnded { stage, .. } if *stage == wanted => times.insert("to", record.at),
            _ => None,
        };
    }
    times
}

#[test]
fn of_two_runs_one_waits_is_told_its_place_and_goes_when_the_other_has_gone() {
    let (set, states, source) = (Set::new("wait"), [own_state(), own_state()], copies(2));
    let mut first = Live::start(set.run(states[0].path(), source.path(), "n/0"));
    first.until_slot();
    let mut second = Live::start(set.run(states[1].path(), source.path(), "n/1"));
    second.until_waits();
    let status = set.status(states[0].path());
    assert_eq!(status["holders"][0]["ask"]["run"], first.started().0.as_str());
    assert_eq!(status["waiters"][0]["ask"]["run"], second.started().0.as_str());
    let (first, second) = (first.end(), second.end());
    assert_eq!((first.code, second.code), (0, 0), "{} {}", first.stderr, second.stderr);
    assert!(progress(&second)[0].starts_with("place 1 of 1 in the queue, waits for room"), "{:?}", progress(&second));
    assert!(at(&first, Stage::Teardown)["from"] < at(&second, Stage::Slot)["to"], "never more than one at once");
    let status = set.status(states[0].path());
    assert!(status["holders"].as_array().unwrap().is_empty() && status["waiters"].as_array().unwrap().is_empty());
}

/// Publishes a port of the host in this branch's compose file.
fn publish(source: &Path, branch: &str, port: u16) {
    let git = |words: &[&str]| {
        let who = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
        let done = Command::new("git").arg("-C").arg(source).args(who).args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["checkout", "--quiet", branch]);
    let file = source.join("compose.yml");
    let compose = std::fs::read_to_string(&file).unwrap();
    let ports = format!("    ports:\n      - {{ target: 80, published: {port}, protocol: tcp, mode: host }}\n");
    let published = compose.replacen("    healthcheck:\n", &format!("{ports}    healthcheck:\n"), 1);
    assert_ne!(published, compose);
    std::fs::write(file, published).unwrap();
    git(&["commit", "--quiet", "--all", "-m", "Publish the pages on the host"]);
}

#[test]
fn two_runs_that_want_one_port_of_the_host_never_run_at_once_although_there_is_room() {
    let (set, states, source) = (Set::new("port"), [own_state(), own_state(), own_state()], copies(3));
    // Not one that the kernel gives to whoever asks for any.
    let ports = std::iter::repeat_with(|| rand::random_range(10_000..30_000));
    let port = ports.into_iter().find(|port| std::net::TcpListener::bind(("0.0.0.0", *port)).is_ok()).unwrap();
    publish(source.path(), "n/0", port);
    publish(source.path(), "n/1", port);
    let run = |n: usize| {
        let mut command = set.run(states[n].path(), source.path(), &format!("n/{n}"));
        command.env("MAX_TESTS", "3");
        Live::start(command)
    };
    let mut first = run(0);
    first.until_slot();
    let mut second = run(1);
    second.until_waits();
    // One that wants no port passes it.
    let third = run(2).end();
    assert_eq!((third.code, progress(&third)), (0, Vec::new()), "{}", third.stderr);
    let (first, second) = (first.end(), second.end());
    assert_eq!((first.code, second.code), (0, 0), "{} {}", first.verdict().line, second.verdict().line);
    assert!(progress(&second)[0].contains(&format!("port {port}")), "{:?}", progress(&second));
    assert!(at(&first, Stage::Teardown)["from"] < at(&second, Stage::Slot)["to"], "never two of them at once");
}

#[test]
fn a_run_that_waits_and_one_that_holds_are_cancelled_from_elsewhere() {
    let (set, states, source) = (Set::new("cancel"), [own_state(), own_state()], copies(2));
    let mut holder = Live::start(set.run(states[0].path(), source.path(), "n/0"));
    holder.until_slot();
    let mut waiter = Live::start(set.run(states[1].path(), source.path(), "n/1"));
    waiter.until_waits();
    for run in [waiter, holder] {
        let (id, stack) = run.started();
        let cancelled = set.cc_ci(states[0].path()).args(["cancel", id.as_str()]).output().unwrap();
        assert!(cancelled.status.success(), "{}", String::from_utf8_lossy(&cancelled.stderr));
        let said = run.end();
        assert_eq!(said.code, i32::from(Exit::Cancelled.code()));
        assert_eq!(said.verdict().word, VerdictKind::Cancelled);
        let reason = |record: &Record| match &record.event {
            Event::StageEnded { result, .. } => {
                result.reason.as_ref().is_some_and(|why| why.contains("by cc-ci cancel"))
            }
            _ => false,
        };
        assert!(said.records.iter().any(reason), "who cancelled it is told");
        assert_eq!(left(&stack), Vec::<String>::new());
    }
    let nobody = set.cc_ci(states[0].path()).args(["cancel", "20200101-nobody"]).output().unwrap();
    assert!(!nobody.status.success() && String::from_utf8_lossy(&nobody.stderr).contains("cc-ci status"));
}

#[test]
fn a_killed_holder_is_torn_down_by_the_one_that_waits_although_it_knows_nothing_of_its_state() {
    let (set, states, source) = (Set::new("killed"), [own_state(), own_state()], copies(2));
    let mut holder = Live::start(set.run(states[0].path(), source.path(), "n/0"));
    holder.until(
        |event| matches!(event, Event::AbraCalled { call, .. } if call.args.iter().any(|word| word == "deploy")),
    );
    let (_, stack) = holder.started();
    holder.signal("KILL");
    holder.child.wait().unwrap();
    assert!(!left(&stack).is_empty(), "a killed run leaves something, or this shows nothing");
    let second = Live::start(set.run(states[1].path(), source.path(), "n/1")).end();
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(left(&stack), Vec::<String>::new());
}

#[test]
fn one_that_slept_past_its_lease_stops_when_it_wakes_and_leaves_the_next_run_alone() {
    let (set, states, source) = (Set::new("asleep"), [own_state(), own_state()], copies(1));
    let mut sleeper = Live::start(set.run(states[0].path(), source.path(), "n/0"));
    sleeper.until(
        |event| matches!(event, Event::AbraCalled { call, .. } if call.args.iter().any(|word| word == "deploy")),
    );
    sleeper.signal("STOP");
    // The same commit, so the same app: what the sleeper wakes up to is not its own any more.
    let mut next = Live::start(set.run(states[1].path(), source.path(), "n/0"));
    next.until_slot();
    sleeper.signal("CONT");
    let (sleeper, next) = (sleeper.end(), next.end());
    assert_eq!(next.code, 0, "{:?}", next.records.iter().rev().take(3).collect::<Vec<_>>());
    assert_eq!((sleeper.code, sleeper.decided()), (i32::from(Exit::Infrastructure.code()), "no-slot"));
    let Verdict { line, .. } = sleeper.verdict();
    assert!(line.contains("heartbeat"), "{line}");
    assert_eq!(sleeper.outcome(Stage::Teardown), Some(Outcome::Passed));
    assert_eq!(left(&next.stack()), Vec::<String>::new());
}

#[test]
fn a_run_opens_the_caps_and_changes_none_that_are_there() {
    let (set, state, source) = (Set::new("caps"), own_state(), copies(2));
    let caps = |words: &[&str]| {
        let output = set.cc_ci(state.path()).args(["caps", "--json"]).args(words).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["tests"].as_u64().unwrap()
    };
    let none = set.cc_ci(state.path()).args(["--max-tests", "0", "status"]).output().unwrap();
    assert_eq!(none.status.code(), Some(i32::from(Exit::Usage.code())));
    assert_eq!(caps(&["--runs", "3"]), 3);
    // MAX_TESTS is 1 here: it keeps others out of this run's time, and says nothing about the time after.
    let mut first = Live::start(set.run(state.path(), source.path(), "n/0"));
    first.until_slot();
    let mut second = set.run(state.path(), source.path(), "n/1");
    second.env_remove("MAX_TESTS");
    let mut second = Live::start(second);
    second.until_waits();
    assert_eq!(caps(&[]), 3);
    let (first, second) = (first.end(), second.end());
    assert_eq!((first.code, second.code), (0, 0), "{} {}", first.stderr, second.stderr);
    assert_eq!(caps(&[]), 3);
}

#[test]
fn one_that_can_never_go_is_told_so_at_once() {
    let (set, state, source) = (Set::new("never"), own_state(), copies(1));
    let mut command = set.run(state.path(), source.path(), "n/0");
    command.env("CCCI_MAX_MEMORY", "100");
    let said = Live::start(command).end();
    assert_eq!((said.code, said.decided()), (i32::from(Exit::NoSlot.code()), "no-slot"), "{}", said.stderr);
    assert!(said.verdict().line.contains("the swarm may give 100"), "{}", said.verdict().line);
    assert_eq!(said.outcome(Stage::Install), Some(Outcome::Blocked));
}
