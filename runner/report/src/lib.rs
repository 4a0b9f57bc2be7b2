//! Reports of a run. Each is made of the run's [records](journal::event::Record) alone: the
//! [journal] keeps them, [`fold`] turns them into one view, and every other report renders that view.
//! So a report made again from a journal is the same as the first one.
//!
//! Records have passed the redactor before they come here: no report looks for secrets.

pub mod card;
pub mod files;
pub mod html;
pub mod junit;
pub mod lines;
pub mod log;
pub mod redo;
pub mod terminal;

pub use files::{say_where, write_all};
