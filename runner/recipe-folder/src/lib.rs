//! A recipe's folder in cc-ci's tree: its `recipe.toml`, the lint, the scaffold, and prints of its files.

// `say!` and `note!` end nothing where a screen or a pipe has gone, `println!` does.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod folder;
pub mod lint;
pub mod overlays;
pub mod prints;
pub mod recipe_toml;
pub mod scaffold;
