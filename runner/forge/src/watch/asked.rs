use base::names::Commit;

use super::pin::Pin;
use super::state::Waiting;
use crate::api::{ForgeError, Pull, PullEnd};
use crate::names::{PullId, User};

/// The result of one poll of the forge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cycle {
    /// New comments.
    pub comments: usize,
    /// New comments with a command.
    pub words: usize,
    /// Pull requests that are closed or merged, among those that changed. A pull request may be reported repeatedly.
    pub ended: Vec<(PullId, PullEnd)>,
    /// Errors of repositories that the bot may not read. Their comments are not seen.
    pub refused: Vec<ForgeError>,
}

/// A member's command, at the moment of its authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRequest {
    pub comment: Waiting,
    /// The author, with the current name.
    pub member: User,
    /// The current state of the pull request. If its head is pinned, that is the authorized commit.
    pub pull: Pull,
    /// Whether the head existed when the command was written; only queried if the command is about a run.
    pub pin: Pin,
}

impl CommandRequest {
    /// The authorized commit, if its pin says so.
    pub fn commit(&self) -> &Commit {
        &self.pull.head
    }
}
