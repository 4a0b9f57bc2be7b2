//! A run's results: events, the journal, the verdict, exit codes, and the view that reports render.

// `println!` panics when the terminal or pipe is gone; `say!` and `note!` do not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

// The fixtures are a separate crate for other crates' tests; the tests here include the same file.
extern crate self as journal;

pub mod emit;
pub mod event;
pub mod exit;
pub mod expect;
pub mod file;
pub mod fold;
pub mod markdown;
pub mod number;
pub mod on_main;
pub mod plain_file;
pub mod run_dir;
pub mod run_id;
pub mod selection;
pub mod test_folders;
pub mod text;
pub mod tone;
pub mod verdict;

pub use file::*;

#[cfg(test)]
#[path = "../fixtures/src/lib.rs"]
pub mod fixtures;
