//! `cc-ci doctor --probe-abra` against abra-lite, as it is and doing the other thing everywhere; and what is left of one
//! that is stopped or killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::abra::{Answer, BEHAVIOURS, Probed};
use harness::names::StackName;
use harness::swarm::{Claim, Swarm};
use runner::exit::Exit;

use super::support::{cc_ci, left, otherwise, own_state};

/// The world's images, one of which the scratch apps are made from.
fn asks(state: &Path) -> Command {
    let mut command = cc_ci(state);
    command.env("CCCI_TRAEFIK_IMAGE", "testbed.invalid/traefik:3.7.15").args(["doctor", "--probe-abra", "--json"]);
    command
}

/// How many snapshots the bot's repository has of scratch apps.
fn snapshots(stack: &StackName) -> usize {
    let bot = "label=com.docker.swarm.service.name=cc-ci-world_backup-bot";
    let container = Command::new("docker").args(["ps", "-q", "--filter", bot]).output().unwrap();
    let container = String::from_utf8(container.stdout).unwrap();
    let words = ["exec", container.trim(), "restic", "--no-lock", "snapshots", "--json", "--host", stack.as_str()];
    let said = Command::new("docker").args(words).output().unwrap();
    serde_json::from_slice::<Option<Vec<serde_json::Value>>>(&said.stdout).unwrap().unwrap_or_default().len()
}

#[test]
fn abra_is_asked_what_it_does_and_the_answers_are_kept() {
    let asked = |does_other: bool| {
        let (dir, state) = (tempfile::tempdir().unwrap(), own_state());
        let mut command = asks(state.path());
        if does_other {
            command.env("CCCI_ABRA", otherwise(dir.path()));
        }
        let start = Instant::now();
        let said = command.output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
        let probed: Probed = serde_json::from_slice(&said.stdout).unwrap();
        for row in BEHAVIOURS {
            let wanted = if does_other && row.otherwise.is_some() { Answer::Otherwise } else { Answer::AsTold };
            assert_eq!(probed.answers.get(row.name), Some(&wanted), "{}: {probed:#?}", row.name);
        }
        assert_eq!(Probed::read(state.path(), &probed.version), Some(probed));
        assert_eq!(std::fs::read_dir(state.path().join("runs")).unwrap().count(), 0, "its folder is gone");
    };
    std::thread::scope(|threads| {
        [false, true].map(|other| threads.spawn(move || asked(other))).map(|one| one.join().unwrap())
    });
}

/// The claims of the only run of a state folder.
fn claims(state: &Path) -> Vec<Claim> {
    let runs = std::fs::read_dir(state.join("runs")).into_iter().flatten();
    let names: Vec<String> = runs.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all = runtime.block_on(async { Swarm::connect().await.unwrap().claims().await.unwrap() });
    all.into_iter().filter(|claim| names.contains(&claim.run.to_string())).collect()
}

/// Begins to ask, and comes back when an app with a short name has a snapshot.
fn until_it_has_a_snapshot(state: &Path) -> (Child, Vec<StackName>) {
    let child = asks(state).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < until, "no backup was made");
        let stacks: Vec<StackName> = claims(state).into_iter().map(|claim| claim.stack).collect();
        // Its id is on record by the time that restic lists it, or a moment later.
        let noted = std::fs::read_dir(state.join("runs")).into_iter().flatten().flatten();
        if noted.map(|entry| entry.path().join("snapshots")).any(|file| file.exists()) {
            assert!(stacks.iter().any(|stack| snapshots(stack) > 0), "{stacks:?}");
            return (child, stacks);
        }
    }
}

#[test]
fn what_is_left_of_one_that_is_killed_goes_with_reap_and_one_that_is_stopped_leaves_nothing() {
    for signal in ["TERM", "KILL"] {
        let state = own_state();
        let (mut child, stacks) = until_it_has_a_snapshot(state.path());
        assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
        let code = child.wait().unwrap().code();
        if signal == "TERM" {
            assert_eq!(code, Some(i32::from(Exit::Cancelled.code())));
        } else {
            assert!(stacks.iter().any(|stack| !left(stack).is_empty()), "it was killed in the middle");
            let reaped = cc_ci(state.path()).args(["reap", "--json"]).output().unwrap();
            assert!(reaped.status.success(), "{}", String::from_utf8_lossy(&reaped.stderr));
        }
        for stack in &stacks {
            assert_eq!((left(stack), snapshots(stack)), (Vec::new(), 0), "{signal}");
        }
        assert_eq!(std::fs::read_dir(state.path().join("runs")).unwrap().count(), 0, "{signal}: its folder is gone");
    }
}
