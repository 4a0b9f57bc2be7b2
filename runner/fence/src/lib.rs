//! Tests of a recipe's own repository behind a fence, and the impostors that prove tests.

// `say!` and `note!` end nothing where a screen or a pipe has gone, `println!` does.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod impostor;
pub mod own_tests;
