use harness::names::Commit;

use super::state::Waiting;
use crate::forge::{ForgeError, Pull};
use crate::names::User;

/// What one look at the forge brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cycle {
    /// Comments that were new.
    pub comments: usize,
    /// Those among them that have a command.
    pub words: usize,
    /// Repositories that the bot may not read, in the forge's words. Their comments are not seen.
    pub refused: Vec<ForgeError>,
}

/// A member's word, at the moment when it was authorised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The comment, and what it says.
    pub comment: Waiting,
    /// Who it is from, as the forge calls them now.
    pub member: User,
    /// The pull request as it is now. Its head is the commit that was authorised, and no later one.
    pub pull: Pull,
}

impl Asked {
    /// The commit that was authorised.
    #[must_use]
    pub fn commit(&self) -> &Commit {
        &self.pull.head
    }
}
