//! The runner is killed in each stage once.

use std::sync::Mutex;
use std::time::Duration;

use rand::Rng as _;
use runner::event::{Event, Record, Stage};

use super::live::Live;
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
    /// Fewer milliseconds than the place takes on any machine.
    ms: u64,
}

const fn place(stage: Stage, only: &'static str, ms: u64) -> Place {
    Place { stage, only, says: None, ms }
}

/// All of them, in an order that gives both lanes as much to do.
const PLACES: [Place; 10] = [
    place(Stage::Fresh, "upgrade,fresh", 1_000),
    place(Stage::Upgrade, "upgrade", 3_000),
    place(Stage::Backup, "backup", 1_000),
    place(Stage::Dependencies, "install", 800),
    Place { says: Some("runs browser/"), ..place(Stage::Functional, "browser/", 700) },
    place(Stage::Functional, "functional/", 150),
    place(Stage::Install, "install", 1_000),
    place(Stage::Teardown, "install", 200),
    place(Stage::Prepare, "install", 150),
    place(Stage::Slot, "install", 40),
];

/// How often a moment is drawn for one place: on a busy machine the stage may be over when the signal comes.
const DRAWS: u64 = 3;

#[test]
fn a_runner_is_killed_in_each_stage() {
    let scene = scene();
    let (judge, states, source) = scene.begin(2, PLACES.len());
    let with_another =
        Made::new().recipe("custom-html", "custom-html", "requires = [\"store\"]").recipe("store", "custom-html", "");
    let places = Mutex::new(PLACES.iter().enumerate());
    let (scene, with_another, source) = (&*scene, &with_another, source.path());
    let missed: Vec<String> = std::thread::scope(|threads| {
        // Two hosts with a folder each. What one run left is there when the next of its host begins.
        let lanes: Vec<_> = states
            .iter()
            .map(|state| {
                let places = &places;
                threads.spawn(move || {
                    let mut missed = Vec::new();
                    // The lock goes before the run begins.
                    while let Some((n, place)) = { places.lock().unwrap().next() } {
                        let run = || {
                            let mut command = scene.run(state.path(), source, &format!("n/{n}"), place.only);
                            if place.stage == Stage::Dependencies {
                                with_another.give_to(&mut command);
                            }
                            Live::start(command)
                        };
                        if !(0..DRAWS).any(|draw| is_killed_there(run(), *place, n, draw)) {
                            missed.push(format!("{place:?}"));
                        }
                    }
                    missed
                })
            })
            .collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    judge.after(scene);
    assert_eq!(missed, Vec::<String>::new(), "no run was killed there");
}

/// Kills a run in a place. Whether it was there when it died.
fn is_killed_there(mut live: Live, place: Place, n: usize, draw: u64) -> bool {
    let begins = |event: &Event| match (event, place.says) {
        (Event::StageStarted { stage, .. }, None) => *stage == place.stage,
        (Event::Progress { stage, text }, Some(says)) => *stage == place.stage && text.starts_with(says),
        _ => false,
    };
    live.until(begins);
    let ms = chance(&format!("stages {n}"), draw).random_range(0..place.ms);
    std::thread::sleep(Duration::from_millis(ms));
    live.child.kill().unwrap();
    live.child.wait().unwrap();
    // What it said until its last moment is in the pipe.
    while live.after(1) {}
    let there = is_there(&live.records, place);
    println!(
        "killed {ms} ms after {:?} of {} began: {}",
        place.says,
        place.stage,
        if there { "there" } else { "too late" }
    );
    there
}

fn is_there(records: &[Record], place: Place) -> bool {
    let ends = |event: &Event| match (event, place.says) {
        (Event::StageEnded { stage, .. }, _) => *stage == place.stage,
        (Event::CheckEnded { stage, .. }, Some(_)) => *stage == place.stage,
        _ => false,
    };
    !records.iter().any(|record| ends(&record.event))
}
