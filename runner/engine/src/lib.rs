//! One run: its stages, from prepare to teardown.

// `say!` and `note!` end nothing where a screen or a pipe has gone, `println!` does.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod app;
pub mod claims;
pub mod deploy;
pub mod diagnosis;
pub mod execute;
pub mod forgetting;
pub mod holdings;
pub mod keep;
pub mod kept_secrets;
pub mod logins;
pub mod markers;
pub mod neighbours;
pub mod override_file;
pub mod run;
pub mod run_commands;
pub mod slot;
pub mod stack_config;
pub mod stage;
pub mod stage_run;
pub mod usage;
pub mod variables;
pub mod warm;
