//! The history of runs in one SQLite file, built from the runs' journals.
//!
//! The journal is the source of truth: every table except the one with the journals can be rebuilt from it. A
//! [`Follower`] imports changes and [`History::changes`] reports them; queries run through [`History::read`] and are
//! the methods of [`Db`]. Texts from outside are stored uninterpreted; the caller escapes them for display.

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
