//! Janitors that come two at once, and such as are killed in the middle.

use rand::Rng as _;
use std::process::Stdio;
use std::time::Duration;

use journal::event::Event;

use super::live::Live;
use super::scene::{Scene, chance, rounds, scene};

/// A run that was killed when its app had just been deployed.
fn dead(scene: &Scene, state: &std::path::Path, source: &std::path::Path, branch: &str) {
    let mut live = Live::start(scene.run(state, source, branch, "install"));
    live.until(
        |event| matches!(event, Event::AbraCalled { call, .. } if call.args.iter().any(|word| word == "deploy")),
    );
    live.child.kill().unwrap();
    live.child.wait().unwrap();
}

fn times() -> u64 {
    rounds().map_or(1, |rounds| rounds.div_ceil(10))
}

#[test]
fn two_janitors_at_once() {
    let scene = scene();
    for round in 0..times() {
        let mut chance = chance("janitors", round);
        let (judge, states, source) = scene.begin(1, 2);
        for n in 0..2 {
            dead(&scene, states[0].path(), source.path(), &format!("n/{n}"));
        }
        let janitors: Vec<_> = (0..2)
            .map(|_| {
                std::thread::sleep(Duration::from_millis(chance.random_range(0..50)));
                let mut reap = scene.cc_ci(states[0].path());
                reap.arg("reap").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for janitor in janitors {
            let output = janitor.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
        judge.after(&scene);
    }
}

#[test]
fn janitors_are_killed() {
    let scene = scene();
    for round in 0..times() {
        let mut chance = chance("janitor", round);
        let (judge, states, source) = scene.begin(1, 1);
        dead(&scene, states[0].path(), source.path(), "n/0");
        // One after the other, each a little later.
        for step in 0..4 {
            let mut reap = scene.cc_ci(states[0].path());
            let mut janitor = reap.arg("reap").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(step * 60 + chance.random_range(0..120)));
            janitor.kill().unwrap();
            janitor.wait().unwrap();
        }
        judge.after(&scene);
    }
}
