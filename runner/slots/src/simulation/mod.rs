//! The production code on a model of the swarm, in virtual time: thousands of runs, hosts that die, sleep and wake, a
//! swarm that loses answers and events. One seed gives one history.

mod bugs;
mod client;
mod fleet;
mod judge;
mod model;
mod page;
mod process;
mod scenario;
mod tests;
mod troubles;

use base::failure::{Failure, Kind};

fn unknown(what: &str) -> Failure {
    Failure::new(Kind::EngineUnreachable, what, "")
}
