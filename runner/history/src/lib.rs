//! Everything that cc-ci knows of runs, in one SQLite file that is made of the runs' journals.
//!
//! The journal is the truth: every table but the one that holds the journals can be made again from it. A
//! [`Follower`] imports what grows and [`History::changes`] tells of it; questions go through [`History::read`] and
//! are the methods of [`Db`]. Texts of strangers are texts: nothing here reads them, and whoever shows them escapes
//! them.

mod broken;
mod change;
mod chunk;
mod copies;
mod error;
mod files;
mod follow;
mod import;
mod keep;
pub mod on_main;
mod open;
pub mod query;
mod resume;
mod row;
mod rows;
mod steps;
mod store;
mod tally;
mod write;

pub use change::{ChangeKind, HistoryChange, RunChange, SetAside, WaitingChange};
pub use copies::Copy;
pub use error::HistoryError;
pub use follow::{Follower, catch_up};
pub use keep::{Dropped, Keep};
pub use row::{RunRow, RunState};
pub use rows::{CheckRow, StageRow, StageState};
pub use steps::VERSION;
pub use store::{Db, History};

#[cfg(test)]
mod tests;
