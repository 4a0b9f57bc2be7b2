//! The runner is killed at any moment, while others run beside it.

use journal::exit::Exit;
use rand::Rng as _;

use super::judge::honest;
use super::live::Live;
use super::scene::{chance, rounds, scene};
use super::support::Said;

/// Side by side; one more than may live at once.
const RUNNERS: usize = 3;
/// Rounds of the short form.
const FEW: u64 = 2;

/// When a run is killed: so many events after its start, and so many milliseconds after that.
#[derive(Debug, Clone, Copy)]
struct Moment {
    events: usize,
    ms: u64,
}

/// What a runner that shall be killed went through; none where it ended before.
fn kill_at(mut live: Live, moment: Moment) -> Option<Said> {
    if !live.after(moment.events) {
        // It has said its last word: to kill it now would be to kill what has ended.
        return Some(live.end());
    }
    std::thread::sleep(std::time::Duration::from_millis(moment.ms));
    let ended = live.child.try_wait().unwrap().is_some();
    live.child.kill().unwrap();
    if !ended {
        live.child.wait().unwrap();
        return None;
    }
    Some(live.end())
}

#[test]
fn runners_are_killed_at_any_moment() {
    let scene = scene();
    let (mut killed, mut ended) = (0, 0);
    for round in 0..rounds().unwrap_or(FEW) {
        let (judge, states, source) = scene.begin(2, RUNNERS);
        let mut chance = chance("killed", round);
        let threads: Vec<_> = (0..RUNNERS)
            .map(|n| {
                let parts = ["install", "browser/", "install", "upgrade", "backup"];
                let only = parts[chance.random_range(0..if rounds().is_some() { parts.len() } else { 2 })];
                let events = if only == "install" { 30 } else { 60 };
                let moment = Moment { events: chance.random_range(0..events), ms: chance.random_range(0..400) };
                // The first two share a host, and one of them a folder with what the other left.
                let state = states[n / 2].path();
                let live = Live::start(scene.run(state, source.path(), &format!("n/{n}"), only));
                let spared = n == 0 && chance.random_bool(0.5);
                std::thread::spawn(move || (moment, if spared { Some(live.end()) } else { kill_at(live, moment) }))
            })
            .collect();
        let mut moments = Vec::new();
        for thread in threads {
            let (moment, said) = thread.join().unwrap();
            match said {
                None => {
                    killed += 1;
                    moments.push(format!("{}+{} ms", moment.events, moment.ms));
                }
                Some(said) => {
                    ended += 1;
                    honest(&said, &[Exit::Passed]);
                }
            }
        }
        println!("round {round}: killed at {}", moments.join(", "));
        judge.after(&scene);
    }
    println!("{killed} runners were killed, {ended} ended by themselves");
    assert!(killed > 0, "nothing was killed");
}
