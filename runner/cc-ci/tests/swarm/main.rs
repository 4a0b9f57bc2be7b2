//! The whole program on the real swarm: every head of the testbed with the verdict that its author
//! expects, runs that are killed, machines that are broken. `./dev test` makes the world beforehand.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod answer;
mod dependencies;
mod documented;
mod drone;
mod enroll;
mod faults;
mod golden;
mod guards;
mod ids;
mod kept;
mod killed;
#[expect(dead_code, reason = "shared with the tests in ../faults")]
mod live;
mod logins;
mod machine;
mod made;
mod nightly;
mod own;
mod plugin;
mod private_images;
mod probe;
mod prove;
mod registry;
mod serve;
mod slots;
mod steps;
mod support;
#[expect(dead_code, reason = "shared with the tests in ../faults")]
mod way;
mod ways;
