//! The way between a runner and its engine stalls, is cut, and stays cut.

use rand::Rng as _;
use std::time::Duration;

use journal::event::{Event, Stage};
use journal::exit::Exit;

use super::judge::honest;
use super::live::Live;
use super::scene::{chance, rounds, scene};
use super::way::Way;

/// What is done to the way, in one of so many rounds, and then the run goes on.
fn on_the_way(fault: &str, share: u64, trouble: impl Fn(&Way, Duration)) {
    let scene = scene();
    for round in 0..rounds().map_or(1, |rounds| rounds.div_ceil(share)) {
        let mut chance = chance(fault, round);
        let (judge, states, source) = scene.begin(1, 2);
        let way = Way::to(&scene.engine.socket());
        let mut command = scene.run(states[0].path(), source.path(), "n/0", "install");
        command.env("DOCKER_HOST", way.host());
        let mut live = Live::start(command);
        // One beside it, that has its own way.
        let other = Live::start(scene.run(states[0].path(), source.path(), "n/1", "install"));
        live.until(|event| matches!(event, Event::StageStarted { stage: Stage::Install, .. }));
        std::thread::sleep(Duration::from_millis(chance.random_range(0..2500)));
        trouble(&way, Duration::from_millis(chance.random_range(1000..4000)));
        let said = live.end();
        println!("{fault}: exit {}, {}", said.code, said.verdict().line);
        honest(&said, &[Exit::Passed, Exit::Infrastructure]);
        honest(&other.end(), &[Exit::Passed]);
        judge.after(&scene);
    }
}

#[test]
fn the_way_to_the_engine_stalls() {
    on_the_way("stalled", 10, |way, time| {
        way.stall(true);
        std::thread::sleep(time);
        way.stall(false);
    });
}

#[test]
fn the_way_to_the_engine_is_cut_for_a_moment() {
    on_the_way("cut", 10, |way, time| {
        way.close(true);
        std::thread::sleep(time);
        way.close(false);
    });
}

/// It gives its slot up, since others may take it for dead, and a janitor finishes what it could not.
#[test]
#[ignore = "three minutes: ./dev faults; the run waits for its engine as long as it may"]
fn the_way_to_the_engine_stays_cut() {
    on_the_way("gone", 40, |way, _| way.close(true));
}
