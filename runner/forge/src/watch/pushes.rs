//! What was pushed to pull requests with words that wait. Many words on one pull request, of whose timeline each word
//! is a row, cost its whole timeline once and not once each.

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
    /// None is missing from this moment on …
    from: Timestamp,
    /// … until this one.
    until: Timestamp,
    pushes: BTreeMap<CommentId, Push>,
}

impl KnownPushes {
    /// The pushes to a word's pull request until now; none where the forge does not tell.
    pub(super) async fn read(
        &mut self,
        forge: &impl Forge,
        word: &Waiting,
    ) -> Result<Option<&BTreeMap<CommentId, Push>>, ForgeError> {
        let known = self.0.remove(&word.pull).filter(|read| read.from <= word.created);
        // A row may be there later than its own time says.
        let since = known.as_ref().map_or(word.created, |read| minus(read.until, SETTLED));
        let Some(newer) = forge.pushes(&word.pull, Some(since)).await? else { return Ok(None) };
        let mut read = match known {
            Some(read) => read,
            // The short list comes first: it is the one that nothing may be hidden from.
            None => match forge.pushes(&word.pull, None).await? {
                Some(all) => PushesRead { from: since, until: since, pushes: by_id(all.items).collect() },
                None => return Ok(None),
            },
        };
        read.pushes.extend(by_id(newer.items));
        read.until = newer.newest.map_or(read.until, |newest| newest.max(read.until));
        Ok(Some(&self.0.entry(word.pull.clone()).insert_entry(read).into_mut().pushes))
    }

    /// Forgets the pull requests that no word waits on any more.
    pub(super) fn keep(&mut self, waiting: &[Waiting]) {
        self.0.retain(|pull, _| waiting.iter().any(|word| word.pull == *pull));
    }
}

fn by_id(pushes: Vec<Push>) -> impl Iterator<Item = (CommentId, Push)> {
    pushes.into_iter().map(|push| (push.id, push))
}
