//! `cc-ci new`: a recipe's folder, made from what its repository shows. Pure, but
//! for `write`: the caller reads.

mod data;
mod door;
mod files;
mod seen;
mod write;

pub use files::{NewFile, files};
pub use seen::{Database, ScaffoldInput, seen};
pub use write::write;

#[cfg(test)]
mod tests;
