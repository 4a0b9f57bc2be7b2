//! The machine and the swarm that runs share: settings, the local world, guards, the janitor, teardown.

// `println!` panics when the terminal or pipe is gone; `say!` and `note!` do not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
pub mod screen;

pub mod address;
pub mod approval;
pub mod backup_content;
pub mod blocking;
pub mod certificate;
pub mod domain;
pub mod engine_watch;
pub mod guard;
pub mod janitor;
pub mod markers;
pub mod orphans;
pub mod provider;
pub mod queue;
pub mod registry;
pub mod repository;
pub mod run_labels;
pub mod settings;
pub mod snapshots;
pub mod teardown;
pub mod weight;
pub mod world;
