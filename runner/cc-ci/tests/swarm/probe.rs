//! `cc-ci doctor --probe-abra` against abra-lite, as it is and doing the other thing everywhere; and what is left of one
//! that is stopped or killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base::names::StackName;
use coopcloud::abra::{BEHAVIOURS, Point, ProbeAnswer, Probed};
use journal::exit::Exit;
use slots::{Claim, Claims};
use swarm::Swarm;

use super::support::{cc_ci, kill_run, left, otherwise, own_state};

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

fn asked(does_other: bool) {
    let (dir, state) = (tempfile::tempdir().unwrap(), own_state());
    let mut command = asks(state.path());
    if does_other {
        command.env("CCCI_ABRA", otherwise(dir.path()));
    }
    let said = command.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let probed: Probed = serde_json::from_slice(&said.stdout).unwrap();
    // No name with a dot reaches abra, so that is not asked.
    for row in BEHAVIOURS.iter().filter(|row| row.point != Point::NameWithoutDots) {
        let wanted = if does_other && row.otherwise.is_some() { ProbeAnswer::Otherwise } else { ProbeAnswer::AsTold };
        assert_eq!(probed.answers.get(row.name), Some(&wanted), "{}: {probed:#?}", row.name);
    }
    assert_eq!(Probed::read(state.path(), &probed.version), Some(probed));
    assert_eq!(std::fs::read_dir(state.path().join("runs")).unwrap().count(), 0, "its folder is gone");
}

#[test]
fn abra_is_asked_what_it_does_and_the_answers_are_kept() {
    asked(false);
}

#[test]
fn an_abra_that_does_the_other_thing_everywhere_is_told_from_it() {
    asked(true);
}

/// The claims of the only run of a state folder.
fn claims(state: &Path) -> Vec<Claim> {
    let runs = std::fs::read_dir(state.join("runs")).into_iter().flatten();
    let names: Vec<String> = runs.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all = runtime.block_on(async { Claims(&Swarm::connect().await.unwrap()).all().await.unwrap() });
    all.into_iter().filter(|claim| names.contains(&claim.run.to_string())).collect()
}

/// Waits until something of what is asked is so far; its stacks.
fn until(state: &Path, is_so_far: impl Fn(&StackName) -> bool) -> Vec<StackName> {
    let until = Instant::now() + Duration::from_secs(100);
    loop {
        let stacks: Vec<StackName> = claims(state).into_iter().map(|claim| claim.stack).collect();
        if stacks.len() == 2 && stacks.iter().any(&is_so_far) {
            return stacks;
        }
        assert!(Instant::now() < until, "it did not come so far");
    }
}

fn begun(state: &Path) -> Child {
    asks(state).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Whether a snapshot is on record, of whatever run of a state folder.
fn is_noted(state: &Path) -> bool {
    let mut runs = std::fs::read_dir(state.join("runs")).unwrap();
    runs.any(|run| run.unwrap().path().join("snapshots").exists())
}

#[test]
fn one_that_is_stopped_leaves_nothing() {
    let state = own_state();
    let has_service = |stack: &StackName| left(stack).iter().any(|object| object.starts_with("service"));
    let mut child = begun(state.path());
    let stacks = until(state.path(), has_service);
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(i32::from(Exit::Cancelled.code())));
    nothing_is_left(state.path(), &stacks);
}

#[test]
fn what_one_that_is_killed_leaves_goes_with_reap_its_snapshots_too() {
    let state = own_state();
    let child = begun(state.path());
    let stacks = until(state.path(), |_| is_noted(state.path()));
    kill_run(child, state.path());
    assert!(stacks.iter().any(|stack| snapshots(stack) > 0) && stacks.iter().any(|stack| left(stack).len() > 1));
    let reaped = cc_ci(state.path()).args(["reap", "--json"]).output().unwrap();
    assert!(reaped.status.success(), "{}", String::from_utf8_lossy(&reaped.stderr));
    nothing_is_left(state.path(), &stacks);
}

#[track_caller]
fn nothing_is_left(state: &Path, stacks: &[StackName]) {
    for stack in stacks {
        assert_eq!((left(stack), snapshots(stack)), (Vec::new(), 0));
    }
    assert_eq!(std::fs::read_dir(state.join("runs")).unwrap().count(), 0, "its folder is gone");
}
