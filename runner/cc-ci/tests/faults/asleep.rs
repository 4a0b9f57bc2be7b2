//! A runner is stopped for longer than its lease lasts, and woken while another run has its app's name.

use rand::Rng as _;

use journal::event::{Event, Stage};
use journal::exit::Exit;

use super::judge::honest;
use super::live::Live;
use super::scene::{chance, rounds, scene};

#[test]
#[ignore = "a lease lasts half a minute: ./dev faults; in the short form ../swarm/slots.rs has one"]
fn a_runner_sleeps_past_its_lease() {
    let scene = scene();
    for round in 0..rounds().map_or(1, |rounds| rounds.div_ceil(20)) {
        let (judge, states, source) = scene.begin(2, 1);
        let mut sleeper = Live::start(scene.run(states[0].path(), source.path(), "n/0", "install"));
        sleeper.until(|event| matches!(event, Event::StageStarted { stage: Stage::Install, .. }));
        // Not the whole stage: then it would be over.
        sleeper.after(chance("asleep", round).random_range(0..6));
        sleeper.signal("STOP");
        // The same commit, so the same app.
        let mut next = Live::start(scene.run(states[1].path(), source.path(), "n/0", "install"));
        next.until_slot();
        sleeper.signal("CONT");
        let (sleeper, next) = (sleeper.end(), next.end());
        println!("slept: exit {}, {}", sleeper.code, sleeper.verdict().line);
        honest(&sleeper, &[Exit::Infrastructure]);
        assert_eq!(sleeper.decided(), "no-slot");
        honest(&next, &[Exit::Passed]);
        judge.after(&scene);
    }
}
