//! One run: its stages, from prepare to teardown.

// `say!` and `note!` end nothing where a screen or a pipe has gone, `println!` does.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod claims;
pub mod context;
pub mod deploy;
pub mod diagnosis;
mod end_later;
pub mod execute;
pub mod forgetting;
pub mod keep;
pub mod kept_secrets;
mod random_text;
pub mod run_commands;
pub mod slot;
pub mod stage;
pub mod variables;
pub mod warm;
