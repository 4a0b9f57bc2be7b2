//! Programs that a run has started are killed under it.

use std::process::Command;
use std::time::{Duration, Instant};

use journal::event::{Event, Stage};
use journal::exit::Exit;

use super::judge::{honest, processes_below};
use super::live::Live;
use super::scene::{chance, rounds, scene};

/// Kills the first process below a runner whose words have all of these, when it is there.
fn kill(runner: u32, words: &[&str]) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let mut found = processes_below(runner, &[]).into_iter();
        if let Some((pid, _)) = found.find(|(_, line)| words.iter().all(|word| line.contains(word))) {
            assert!(Command::new("kill").args(["-s", "KILL", &pid.to_string()]).status().unwrap().success());
            return;
        }
        assert!(Instant::now() < until, "no process with {words:?} came");
        std::thread::yield_now();
    }
}

/// Runs a part, and kills a program of it when a stage has begun.
fn killed_in(fault: &str, only: &str, stage: Stage, words: &[&str], allowed: &[Exit], decided: &[&str]) {
    let scene = scene();
    for round in 0..rounds().map_or(1, |rounds| rounds.div_ceil(10)) {
        let (judge, states, source) = scene.begin(1, 1);
        let mut live = Live::start(scene.run(states[0].path(), source.path(), "n/0", only));
        live.until(|event| matches!(event, Event::StageStarted { stage: begun, .. } if *begun == stage));
        // At the first moment in the first round, so that it is always hit once; then at any.
        if round > 0 {
            let ms = rand::Rng::random_range(&mut chance(fault, round), 0..200);
            std::thread::sleep(Duration::from_millis(ms));
        }
        kill(live.child.id(), words);
        let said = live.end();
        println!("{fault}: exit {}, {}", said.code, said.verdict().line);
        honest(&said, allowed);
        assert!(decided.contains(&said.decided()), "{} is not among {decided:?}", said.decided());
        judge.after(&scene);
    }
}

#[test]
fn abra_is_killed_while_it_deploys() {
    killed_in("abra", "install", Stage::Install, &["abra-lite", " deploy "], &[Exit::Infrastructure], &["abra-killed"]);
}

#[test]
fn a_test_is_killed() {
    killed_in("test", "browser/", Stage::Functional, &["recipe-tests"], &[Exit::Test], &["check-broken"]);
}

#[test]
fn chromium_is_killed_under_its_test() {
    // The browser itself is found before the processes that it starts.
    let words = ["/chromium ", "--user-data-dir"];
    killed_in("chromium", "browser/", Stage::Functional, &words, &[Exit::Test], &["check-broken", "check-failed"]);
}
