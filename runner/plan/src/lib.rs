//! From a request to the plan of a run: the pinned commit, what its files say, what is refused, the stages.

// `say!` and `note!` end nothing where a screen or a pipe has gone, `println!` does.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod commands;
pub mod dependencies;
pub mod faults;
pub mod foreseen;
pub mod kept;
pub mod links;
pub mod needs;
pub mod override_file;
pub mod peers;
pub mod policy;
pub mod prepared;
pub mod refused;
pub mod revision;
pub mod spec;
pub mod stack_config;
pub mod stages;
pub mod warm_provider;
