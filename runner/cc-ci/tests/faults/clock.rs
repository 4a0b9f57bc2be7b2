//! Runners whose clock is an hour off. The swarm's own clock is moved in the simulation.

use std::process::{Command, Stdio};

use journal::event::{Event, Outcome, Stage};
use journal::exit::Exit;

use super::judge::honest;
use super::live::Live;
use super::scene::scene;

/// What Debian's package `libfaketime` brings.
fn library() -> String {
    let found = Command::new("find").args(["/usr/lib", "-name", "libfaketimeMT.so.1"]).output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    found.lines().next().expect("libfaketime, which `./dev faults` installs").to_owned()
}

fn moved(mut command: Command, by: &str) -> Command {
    command.env("LD_PRELOAD", library()).env("FAKETIME", by).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

#[test]
fn a_runners_clock_is_an_hour_off() {
    let scene = scene();
    for by in ["+1h", "-1h"] {
        let (judge, states, source) = scene.begin(2, 2);
        let off = Live::start(moved(scene.run(states[0].path(), source.path(), "n/0", "install"), by));
        let right = Live::start(scene.run(states[1].path(), source.path(), "n/1", "install"));
        for (whose, live) in [("off", off), ("right", right)] {
            let said = live.end();
            println!("{by}, the {whose} one: exit {}, {}", said.code, said.verdict().line);
            honest(&said, &[Exit::Passed]);
        }
        judge.after(&scene);
    }
}

#[test]
fn a_janitor_whose_clock_is_an_hour_ahead_leaves_alone_what_lives_and_what_is_kept() {
    let scene = scene();
    let (judge, states, source) = scene.begin(2, 2);
    let mut keeps = scene.run(states[0].path(), source.path(), "n/0", "install");
    keeps.args(["--keep", "30m"]);
    let kept = Live::start(keeps).end();
    honest_kept(&kept);
    let mut live = Live::start(scene.run(states[0].path(), source.path(), "n/1", "install"));
    live.until(|event| matches!(event, Event::StageStarted { stage: Stage::Install, .. }));
    for state in &states {
        reap(scene.cc_ci(state.path()));
    }
    honest(&live.end(), &[Exit::Passed]);
    let there = scene.engine.lines(&["service", "ls", "--format", "{{.Name}}"]);
    assert!(there.iter().any(|name| name.starts_with(kept.stack().as_str())), "the kept app is gone: {there:?}");
    let mut end = scene.cc_ci(states[0].path());
    assert!(end.args(["reap", "--kept", "custom-html"]).stdout(Stdio::null()).status().unwrap().success());
    judge.after(&scene);
}

fn honest_kept(said: &super::support::Said) {
    assert_eq!((said.code, said.outcome(Stage::Teardown)), (0, Some(Outcome::Skipped)), "{}", said.verdict().line);
}

fn reap(command: Command) {
    let output = moved(command, "+1h").arg("reap").output().unwrap();
    println!("a janitor an hour ahead: {}", String::from_utf8_lossy(&output.stdout).trim());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
