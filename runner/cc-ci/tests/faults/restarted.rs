//! The engine ends and comes again, and the power goes.

use rand::Rng as _;
use std::time::Duration;

use journal::event::{Event, Stage};
use journal::exit::Exit;

use super::judge::honest;
use super::live::Live;
use super::scene::{chance, rounds, scene};

fn times() -> u64 {
    rounds().map_or(1, |rounds| rounds.div_ceil(10))
}

/// Reads until the first app is being deployed.
fn deploys(live: &mut Live) {
    live.until(|event| matches!(event, Event::StageStarted { stage: Stage::Install, .. }));
}

#[test]
fn the_engine_is_restarted_under_runs() {
    let scene = scene();
    for round in 0..times() {
        let mut chance = chance("restarted", round);
        // Asked to end, it takes its containers along; killed, it finds them when it is back.
        let signal = ["TERM", "KILL"][usize::try_from(round % 2).unwrap()];
        let (judge, states, source) = scene.begin(2, 3);
        let start =
            |n: usize| Live::start(scene.run(states[n / 2].path(), source.path(), &format!("n/{n}"), "install"));
        let mut lives: Vec<Live> = (0..2).map(start).collect();
        lives.iter_mut().for_each(Live::until_slot);
        // The third waits for a slot meanwhile.
        let mut waiter = start(2);
        waiter.until_waits();
        deploys(&mut lives[0]);
        std::thread::sleep(Duration::from_millis(chance.random_range(0..2000)));
        scene.engine.signal(signal);
        lives.push(waiter);
        for live in lives {
            let said = live.end();
            println!("restarted by {signal}: exit {}, {}", said.code, said.verdict().line);
            honest(&said, &[Exit::Passed, Exit::Infrastructure]);
        }
        scene.engine.until_it_answers();
        scene.settled();
        judge.after(&scene);
    }
}

#[test]
fn the_power_goes() {
    let mut scene = scene();
    for round in 0..times() {
        let mut chance = chance("power", round);
        let (judge, states, source) = scene.begin(1, 2);
        let start = |n| Live::start(scene.run(states[0].path(), source.path(), &format!("n/{n}"), "install"));
        let mut lives: Vec<Live> = (0..2).map(start).collect();
        deploys(&mut lives[0]);
        std::thread::sleep(Duration::from_millis(chance.random_range(0..3000)));
        // The runners were on the same machine.
        for live in &mut lives {
            live.child.kill().unwrap();
            live.child.wait().unwrap();
        }
        scene.engine.off();
        scene.engine.on();
        scene.settled();
        judge.after(&scene);
    }
}
