//! The pushes to pull requests with commands that wait. Each command is a row of its pull request's timeline, so reading the
//! whole timeline for each command would cost the square of their number: it is read once, and then what is new.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::state::{Waiting, minus};
use super::watcher::SETTLED;
use crate::api::{Forge, ForgeError, Push};
use crate::names::{CommentId, PullId};

#[derive(Debug, Default)]
pub(super) struct KnownPushes(HashMap<PullId, PushesRead>);

/// All pushes to one pull request.
#[derive(Debug)]
struct PushesRead {
    /// Complete from this time …
    from: Timestamp,
    /// … to this one.
    until: Timestamp,
    pushes: BTreeMap<CommentId, Push>,
}

impl KnownPushes {
    /// The pushes to a command's pull request until now; `None` if the forge does not report pushes.
    pub(super) async fn read(
        &mut self,
        forge: &impl Forge,
        word: &Waiting,
    ) -> Result<Option<&BTreeMap<CommentId, Push>>, ForgeError> {
        let known = self.0.remove(&word.pull).filter(|read| read.from <= word.created);
        // A row may become visible later than its own time says.
        let since = known.as_ref().map_or(word.created, |read| minus(read.until, SETTLED));
        let Some(newer) = forge.pushes(&word.pull, Some(since)).await? else { return Ok(None) };
        let mut read = match known {
            Some(read) => read,
            // The short list first: nothing can be hidden from it.
            None => match forge.pushes(&word.pull, None).await? {
                Some(all) => PushesRead { from: since, until: since, pushes: by_id(all.items).collect() },
                None => return Ok(None),
            },
        };
        read.pushes.extend(by_id(newer.items));
        read.until = newer.newest.map_or(read.until, |newest| newest.max(read.until));
        Ok(Some(&self.0.entry(word.pull.clone()).insert_entry(read).into_mut().pushes))
    }

    /// Drops the pull requests without a waiting command.
    pub(super) fn keep(&mut self, waiting: &[Waiting]) {
        self.0.retain(|pull, _| waiting.iter().any(|word| word.pull == *pull));
    }
}

fn by_id(pushes: Vec<Push>) -> impl Iterator<Item = (CommentId, Push)> {
    pushes.into_iter().map(|push| (push.id, push))
}
