use base::names::Commit;

use super::pin::Pin;
use super::state::Waiting;
use crate::api::{ForgeError, Pull, PullEnd};
use crate::names::{PullId, User};

/// What one look at the forge brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cycle {
    /// Comments that were new.
    pub comments: usize,
    /// Those among them that have a command.
    pub words: usize,
    /// Pull requests that are closed or merged, of those that have changed. One may be told of several times.
    pub ended: Vec<(PullId, PullEnd)>,
    /// Repositories that the bot may not read, in the forge's words. Their comments are not seen.
    pub refused: Vec<ForgeError>,
}

/// A member's word, at the moment when it was authorised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRequest {
    /// The comment, and what it says.
    pub comment: Waiting,
    /// Who it is from, as the forge calls them now.
    pub member: User,
    /// The pull request as it is now. Where its head is pinned, that is the commit that was authorised, and no later one.
    pub pull: Pull,
    /// Whether its head was there when the word was written; only asked for where the word is about a run.
    pub pin: Pin,
}

impl CommandRequest {
    /// The commit that was authorised, where its pin says so.
    pub fn commit(&self) -> &Commit {
        &self.pull.head
    }
}
