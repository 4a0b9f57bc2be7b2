//! Runs that are stopped: politely, twice, and not at all politely.

use std::process::Command;
use std::time::{Duration, Instant};

use base::names::StackName;
use coopcloud::snapshot_id::SnapshotId;
use journal::event::{Event, Outcome, Record, Stage, VerdictKind};
use journal::exit::Exit;

use super::live::Live;
use super::support::{Said, arguments, cc_ci, kill_run, left, own_state, repositories, start};

/// Starts a run and waits until its app is being deployed.
fn running(state: &std::path::Path, reference: &str) -> (std::process::Child, impl Iterator<Item = Record>, StackName) {
    let source = repositories().join("custom-html");
    let (child, lines) = start(state, &arguments("custom-html", &source, reference));
    let mut records = lines.map(|line| serde_json::from_str::<Record>(&line.unwrap()).unwrap());
    let mut stack = None;
    for record in records.by_ref() {
        match record.event {
            Event::RunStarted(started) => stack = Some(started.stack),
            Event::AbraCalled { call, .. } if call.args.iter().any(|word| word == "deploy") => break,
            _ => {}
        }
    }
    (child, records, stack.expect("the run has started"))
}

fn signal(child: &std::process::Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_signal_tears_everything_down_first() {
    // Each at a commit of its own: two runs never share an app.
    for (name, reference) in [("INT", "1.0.0+1.22.1"), ("TERM", "1.1.0+1.22.1-2"), ("HUP", "broken/restore-nothing")] {
        let state = own_state();
        let (mut child, records, stack) = running(state.path(), reference);
        signal(&child, name);
        let records: Vec<Record> = records.collect();
        assert_eq!(child.wait().unwrap().code(), Some(i32::from(Exit::Cancelled.code())), "{name}");
        let Some(Event::RunEnded { verdict }) = records.last().map(|record| &record.event) else {
            panic!("no verdict")
        };
        assert_eq!(verdict.word, VerdictKind::Cancelled);
        let torn = |record: &Record| matches!(&record.event, Event::StageEnded { stage: Stage::Teardown, result, .. } if result.outcome == Outcome::Passed);
        assert!(records.iter().any(torn));
        assert_eq!(left(&stack), Vec::<String>::new());
    }
}

#[test]
fn what_a_killed_run_leaves_is_reaped_and_its_journal_makes_a_report() {
    let state = own_state();
    let (child, _records, stack) = running(state.path(), "1.2.0+1.22.1-2");
    kill_run(child, state.path());
    assert!(!left(&stack).is_empty(), "a killed run leaves something, or this shows nothing");

    let reaped = cc_ci(state.path()).args(["reap", "--json"]).output().unwrap();
    assert!(reaped.status.success(), "{}", String::from_utf8_lossy(&reaped.stderr));
    let done: serde_json::Value = serde_json::from_slice(&reaped.stdout).unwrap();
    let ours = done.as_array().unwrap().iter().find(|one| one["stack"] == stack.as_str()).expect("it was found");
    assert_eq!(ours["what"], "removed");
    assert_eq!(left(&stack), Vec::<String>::new());

    let runs = std::fs::read_dir(state.path().join("runs")).unwrap();
    let folder = runs.map(|entry| entry.unwrap().path()).next().unwrap();
    assert!(!folder.join("abra").exists(), "the env file goes with the run");
    let report = cc_ci(state.path()).arg("report").arg(folder.join("journal.jsonl")).output().unwrap();
    let text = String::from_utf8(report.stdout).unwrap();
    assert!(report.status.success() && text.contains("killed"), "{text}");
}

/// The ids of an app's snapshots, asked of restic in the bot itself.
fn snapshots(stack: &StackName) -> Vec<String> {
    let docker = |words: &[&str]| {
        let output = Command::new("docker").args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let service = docker(&["service", "ls", "-q", "--filter", "label=coop-cloud.backupbot.enabled=true"]);
    let id = docker(&["service", "inspect", "--format", "{{.ID}}", service.trim()]);
    let of_bot = format!("label=com.docker.swarm.service.id={}", id.trim());
    let bot = docker(&["ps", "-q", "--filter", &of_bot]);
    let told = docker(&["exec", bot.trim(), "restic", "snapshots", "--json", "--host", stack.as_str()]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    told.as_array().into_iter().flatten().map(|one| one["short_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_run_forgets_its_own_snapshots_and_a_janitor_those_of_one_that_was_killed() {
    let (state, source) = (own_state(), super::support::copies(2));
    let run = |branch: &str| {
        let mut command = cc_ci(state.path());
        command.args(["run", "custom-html", "--json", "--only", "backup", "--ref", branch, "--source"]);
        command.arg(source.path()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        Live::start(command)
    };
    let backed_up = |event: &Event| matches!(event, Event::AbraCalled { call, .. } if call.args.iter().any(|word| word == "create"));
    let mut killed = run("n/0");
    killed.until(backed_up);
    let (_, stack_of_killed) = killed.started();
    killed.signal("KILL");
    killed.child.wait().unwrap();
    let before = snapshots(&stack_of_killed);
    assert_eq!(before.len(), 1, "a killed run leaves its snapshot, or this shows nothing");

    // What the bot said of the snapshot is in the run's events: to ask the repository now would be a race with the run,
    // which forgets it as soon as it is restored.
    let mut whole = run("n/1");
    whole.until(backed_up);
    let (_, stack) = whole.started();
    let made = whole.records.iter().any(|record| {
        matches!(&record.event, Event::AbraCalled { call, .. } if !SnapshotId::saved_in(&call.output).is_empty())
    });
    let said = whole.end();
    assert!(made, "it made a snapshot, or this shows nothing");
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(snapshots(&stack), Vec::<String>::new());

    // The run before has done it already where its janitor came first; either way nothing is left.
    assert!(cc_ci(state.path()).arg("reap").output().unwrap().status.success());
    assert_eq!(snapshots(&stack_of_killed), Vec::<String>::new());
}

#[test]
fn two_runs_never_share_an_app_and_a_live_one_is_not_reaped() {
    let state = own_state();
    let (mut child, records, stack) = running(state.path(), "broken/no-backup");
    let source = repositories().join("custom-html");
    let mut waits = cc_ci(state.path());
    waits.args(arguments("custom-html", &source, "broken/no-backup")).args(["--max-wait", "1s"]);
    let second = Said::of(waits.output().unwrap());
    drop(records);
    assert_eq!(second.code, i32::from(Exit::NoSlot.code()), "{}", second.stderr);
    let line = &second.verdict().line;
    assert!(line.contains("no slot in 1 s") && line.contains(stack.as_str()), "{line}");
    assert_eq!(second.outcome(Stage::Install), Some(Outcome::Blocked));
    let reaped = cc_ci(state.path()).args(["reap", "--json"]).output().unwrap();
    let done: serde_json::Value = serde_json::from_slice(&reaped.stdout).unwrap();
    let ours = done.as_array().unwrap().iter().find(|one| one["stack"] == stack.as_str()).expect("it was found");
    assert_eq!(ours["what"], "alive");
    signal(&child, "TERM");
    child.wait().unwrap();
    assert_eq!(left(&stack), Vec::<String>::new());
}

/// What a dead run had on a node that only its own engine reaches is removed there. This swarm has one node,
/// so the note is written by hand: on this node, as the janitor of another one would have left it.
#[test]
fn a_volume_that_another_node_could_not_reach_is_removed_here() {
    let stack = format!("of-another-node-{}_ci_localhost", std::process::id());
    let docker = |words: &[&str]| {
        let output = Command::new("docker").args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let node = docker(&["info", "--format", "{{.Swarm.NodeID}}"]);
    let volume = format!("{stack}_data");
    docker(&["volume", "create", "--label", &format!("com.docker.stack.namespace={stack}"), &volume]);
    let (on, of) = (format!("cc-ci.left-on={node}"), format!("cc-ci.stack={stack}"));
    let name = format!("ccci_left_{stack}_{}", &node[..8]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "-").unwrap();
    docker(&["config", "create", "--label", &on, "--label", &of, &name, file.path().to_str().unwrap()]);
    let reaped = cc_ci(own_state().path()).arg("reap").output().unwrap();
    let said = String::from_utf8_lossy(&reaped.stdout).into_owned();
    // The janitor of another test's run may have come first: then this one has nothing to say of it.
    let of_it: Vec<&str> = said.lines().filter(|line| line.contains(&format!("({stack})"))).collect();
    assert!(of_it.iter().all(|line| line.ends_with("its owner is gone: everything of it was removed")), "{said}");
    let is_there = || {
        docker(&["volume", "ls", "-q"]).lines().any(|one| one == volume)
            || docker(&["config", "ls", "--format", "{{.Name}}"]).contains(&name)
    };
    let until = Instant::now() + Duration::from_secs(60);
    while is_there() {
        assert!(Instant::now() < until, "{volume} or {name} is still there: {said}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
