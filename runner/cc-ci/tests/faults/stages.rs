//! The runner is killed in each stage once.

use std::sync::Mutex;
use std::time::Duration;

use journal::event::{Event, Stage};
use rand::Rng as _;

use super::held::Held;
use super::made::Made;
use super::scene::{chance, scene};

/// Where a run is killed.
#[derive(Debug, Clone, Copy)]
struct Place {
    stage: Stage,
    /// The part of a run that comes there soonest.
    only: &'static str,
    /// What the stage says when the place begins; its first event where nothing is said.
    says: Option<&'static str>,
    /// Events that the place has at least, the first one included: behind one of them the run is held.
    events: usize,
    /// The most milliseconds that it has for what comes behind that one.
    ms: u64,
}

const fn place(stage: Stage, only: &'static str, events: usize, ms: u64) -> Place {
    Place { stage, only, says: None, events, ms }
}

/// All of them, in an order that gives both lanes as much to do.
const PLACES: [Place; 10] = [
    place(Stage::Fresh, "upgrade,fresh", 8, 500),
    place(Stage::Upgrade, "upgrade", 9, 1_500),
    place(Stage::Backup, "backup", 9, 1_000),
    place(Stage::Dependencies, "install", 4, 800),
    Place { says: Some("runs browser/"), ..place(Stage::Functional, "browser/", 1, 700) },
    place(Stage::Functional, "functional/", 7, 150),
    place(Stage::Install, "install", 7, 500),
    place(Stage::Teardown, "install", 2, 200),
    place(Stage::Prepare, "install", 12, 100),
    place(Stage::Slot, "install", 4, 40),
];

#[test]
fn a_runner_is_killed_in_each_stage() {
    let scene = scene();
    let (judge, states, source) = scene.begin(2, PLACES.len());
    let with_another =
        Made::new().recipe("custom-html", "custom-html", "requires = [\"store\"]").recipe("store", "custom-html", "");
    let places = Mutex::new(PLACES.iter().enumerate());
    let (scene, with_another, source) = (&*scene, &with_another, source.path());
    std::thread::scope(|threads| {
        // Two hosts with a folder each. What one run left is there when the next of its host begins.
        let lanes: Vec<_> = states
            .iter()
            .map(|state| {
                let places = &places;
                threads.spawn(move || {
                    // The lock goes before the run begins.
                    while let Some((n, place)) = { places.lock().unwrap().next() } {
                        let mut command = scene.run(state.path(), source, &format!("n/{n}"), place.only);
                        if place.stage == Stage::Dependencies {
                            with_another.give_to(&mut command);
                        }
                        kill_in(Held::start(command), *place, n);
                    }
                })
            })
            .collect();
        lanes.into_iter().for_each(|lane| lane.join().unwrap());
    });
    judge.after(scene);
}

/// Kills a run in a place, behind an event of it and a moment later. How loaded the machine is decides what it has done
/// by then, and not whether it is there: it is held.
fn kill_in(mut held: Held, place: Place, n: usize) {
    held.until(|event| match (event, place.says) {
        (Event::StageStarted { stage, .. }, None) => *stage == place.stage,
        (Event::Progress { stage, text }, Some(says)) => *stage == place.stage && text.starts_with(says),
        _ => false,
    });
    let mut chance = chance(&format!("stages {n}"), 0);
    let behind = chance.random_range(0..place.events);
    for _ in 0..behind {
        held.take();
        assert!(held.peek().is_some(), "it ended in {place:?}: {:?}", held.records.last());
    }
    let ms = chance.random_range(0..place.ms);
    std::thread::sleep(Duration::from_millis(ms));
    held.child.kill().unwrap();
    held.child.wait().unwrap();
    // What it said until its last moment is in the pipe.
    while held.peek().is_some() {
        held.take();
    }
    println!("killed {ms} ms behind event {behind} of {} {}", place.stage, place.says.unwrap_or_default());
    let ends = |event: &Event| match (event, place.says) {
        (Event::StageEnded { stage, .. }, _) => *stage == place.stage,
        (Event::CheckEnded { stage, .. }, Some(_)) => *stage == place.stage,
        _ => false,
    };
    let ended = held.records.iter().find(|record| ends(&record.event));
    assert!(ended.is_none(), "it had left {place:?}: {ended:?}");
}
