//! Faults on a real swarm that the suite has to itself: see `docs/dev/faults.md`. One file per kind.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod asleep;
mod authority;
mod clock;
mod disk;
mod engine;
mod held;
mod janitors;
mod judge;
mod killed;
mod leader;
#[path = "../swarm/live.rs"]
#[expect(dead_code, reason = "shared with the tests in ../swarm")]
mod live;
#[path = "../swarm/made.rs"]
#[expect(dead_code, reason = "shared with the tests in ../swarm")]
mod made;
mod network;
mod restarted;
mod scene;
mod servers;
mod stages;
#[path = "../swarm/support.rs"]
#[expect(dead_code, reason = "shared with the tests in ../swarm")]
mod support;
mod tools;
#[path = "../swarm/way.rs"]
#[expect(dead_code, reason = "shared with the tests in ../swarm")]
mod way;
