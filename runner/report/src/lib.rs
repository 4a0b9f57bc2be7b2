//! Reports of a run. Each is made only from the run's [records](journal::event::Record): the [journal] stores them,
//! [`fold`] turns them into one view, and the reports render that view. So a report made again from a journal is
//! identical.
//!
//! Records were redacted before: no report looks for secrets.

pub mod card;
pub mod files;
pub mod html;
pub mod junit;
pub mod lines;
pub mod log;
pub mod redo;
pub mod terminal;

pub use files::{say_where, write_all};
