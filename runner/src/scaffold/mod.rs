//! `cc-ci new`: a recipe's folder, made from what its repository shows. Pure: the caller reads and
//! writes.

mod data;
mod files;
mod seen;

pub use files::{NewFile, files};
pub use seen::{Database, Engine, Seen, seen};

#[cfg(test)]
mod tests;
