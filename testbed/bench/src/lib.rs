//! Measures cc-ci: against a floor (the same docker operations by hand, each ended by the event that
//! ends it), against a plain shell script, and its own reaction, teardown, memory and planning. And
//! the history with many runs in it, which needs no docker.

mod figures;
mod fleet;
mod floor;
mod history;
mod journals;
mod measured;
mod pages;
mod plain;
mod reaction;
mod rounds;

pub use figures::{Figure, render, seconds};
pub use fleet::{Fleet, FleetRun, fleet};
pub use floor::{Trees, floor};
pub use history::history;
pub use measured::{CcCiRun, cc_ci_run, plan_ms};
pub use pages::pages;
pub use plain::plain;
pub use reaction::{reaction_ms, teardown_ms};
pub use rounds::{Bounds, GATE, Round, Turn, WANTED, are_decided, ratios, turns};

use std::time::Duration;

/// The middle of some times; zero of none.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
