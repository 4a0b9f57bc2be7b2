//! A command on a pull request becomes a run and one comment.

// `say!` and `note!` end nothing where a screen or a pipe has gone, `println!` does.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod answer;

pub mod mirror;
pub mod settings;
