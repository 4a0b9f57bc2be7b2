//! The program: its commands, `cc-ci serve`, the plugin, and the generated reference.

// `say!` and `note!` end nothing where a screen or a pipe has gone, `println!` does.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod exec;
pub mod recipes_page;
pub mod reference;
pub mod serve;
pub mod table;
pub mod verdicts;
