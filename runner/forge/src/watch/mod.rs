//! From comments on a forge to authorized commands: each comment exactly once, whatever happens in between, and only
//! from members.
//!
//! 1. [`Watcher::cycle`] polls the forge for new comments and stores them together with the read position.
//! 2. [`Watcher::next`] returns the oldest waiting command: the comment still exists, its author is a member now, and
//!    the pull request's head is pinned, with whether it existed when the command was written.
//! 3. The caller accepts it, durably, under the comment's number.
//! 4. [`Watcher::confirm`] stores that. After a death between 3 and 4 the same command is returned again, and
//!    recognized by its number.
//!
//! **The comment as it was first read counts.** A later edit starts nothing, cancels nothing and is no new command,
//! since another user may have made it. A comment that is deleted before it is accepted is ignored. Comments from
//! before the first start are ignored. The bot's own answers are never commands; a person's comments under the bot's
//! account are. A non-member's command gets no answer: an answer would be a way to make the bot write.

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
