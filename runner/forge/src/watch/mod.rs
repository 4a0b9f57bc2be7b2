//! From comments on a forge to words that a run may be started for: each comment once, whatever happens
//! between, and only from those who may.
//!
//! 1. [`Watcher::cycle`] asks the forge what is new and writes it down, in one step with how far it read.
//! 2. [`Watcher::next`] gives the oldest word that waits: the comment is still there, its author is a
//!    member now, and the pull request's head is pinned, with whether it was there when the word was written.
//! 3. The caller takes it on, durably, under the comment's number.
//! 4. [`Watcher::confirm`] writes that down. Whoever dies between 3 and 4 is given the same word again, and
//!    knows it by its number.
//!
//! **What counts is the comment as it was first read.** A later edit starts nothing, takes nothing back and
//! is no new word, since it may be another's. A comment that is deleted before it is taken on has not been
//! said. Comments from before the first start are left alone. The bot's own answers are never words; what a person
//! writes under the bot's account is. A stranger's word gets no answer: an answer would be a way to make the bot write.

mod asked;
mod backoff;
mod error;
mod keep;
mod pin;
mod pushes;
mod state;
mod store;
mod watcher;

pub use self::asked::{CommandRequest, Cycle};
pub use self::backoff::Backoff;
pub use self::error::{StoreError, WatchError};
pub use self::keep::{Desk, keep};
pub use self::pin::{Pin, pin};
pub use self::state::{Fate, Waiting};
pub use self::store::Store;
pub use self::watcher::Watcher;

#[cfg(test)]
mod tests;
