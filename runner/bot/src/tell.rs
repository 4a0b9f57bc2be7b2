//! Telling a forge: one comment on a pull request, edited in place, and the commits' statuses beside it. The last
//! state wins; a forge that is down is asked again until it has it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::names::Commit;
use forge::api::{Forge, ForgeError, Status};
use forge::names::{CommentId, PullId};
use forge::watch::Backoff;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::render::MARKER;

/// What a forge is to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommentUpdate {
    /// The comment's text; nothing is said while it is empty.
    pub text: String,
    /// The statuses of commits, by name.
    pub statuses: BTreeMap<(Commit, String), Status>,
    /// The words whose end this tells.
    pub ends: Vec<CommentId>,
}

/// A telling that the forge has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The pull request.
    pub pull: PullId,
    /// The words whose end it told.
    pub ends: Vec<CommentId>,
}

/// How often a pull request's comment is edited, and how a forge that is down is asked again.
#[derive(Debug, Clone, Copy)]
pub struct Debounce {
    /// Between two edits, while nothing ends.
    pub between: Duration,
    /// After failures.
    pub pace: Backoff,
    /// At most, after failures that are not over by themselves.
    pub unmended: Duration,
}

impl Default for Debounce {
    fn default() -> Self {
        let pace = Backoff { longest: Duration::from_secs(60), ..Backoff::default() };
        Self { between: Duration::from_secs(5), pace, unmended: Duration::from_secs(300) }
    }
}

/// What one forge has, as far as that is known.
struct Teller<F> {
    forge: Arc<F>,
    pull: PullId,
    /// Our comment there.
    comment: Option<CommentId>,
    text: String,
    statuses: BTreeMap<(Commit, String), Status>,
}

/// Tells one pull request everything that comes, until nobody can send any more and the last one is told.
pub async fn tell<F: Forge>(
    forge: Arc<F>,
    pull: PullId,
    mut wanted: watch::Receiver<CommentUpdate>,
    told: mpsc::UnboundedSender<Delivered>,
    pauses: Debounce,
) {
    let mut teller =
        Teller { forge, pull: pull.clone(), comment: None, text: String::new(), statuses: BTreeMap::new() };
    let mut next = Instant::now();
    let mut failures = 0_u32;
    loop {
        if failures == 0 && wanted.changed().await.is_err() {
            return;
        }
        // What ends is told at once; only what goes on has time.
        while Instant::now() < next && (failures > 0 || wanted.borrow().ends.is_empty()) {
            tokio::select! {
                () = sleep_until(next) => {}
                changed = wanted.changed(), if failures == 0 => if changed.is_err() { break },
            }
        }
        let telling = wanted.borrow_and_update().clone();
        match teller.bring(&telling).await {
            Ok(()) => {
                failures = 0;
                next = Instant::now() + pauses.between;
                if told.send(Delivered { pull: pull.clone(), ends: telling.ends }).is_err() {
                    return;
                }
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                // What a person has to mend is not mended sooner for being asked more often.
                let longest = if error.is_passing() { pauses.pace.longest } else { pauses.unmended };
                next = Instant::now() + Backoff { longest, ..pauses.pace }.after(failures, rand::random());
                tracing::warn!("the answer on {pull} waits: {error}");
            }
        }
    }
}

impl<F: Forge> Teller<F> {
    async fn bring(&mut self, telling: &CommentUpdate) -> Result<(), ForgeError> {
        if !telling.text.is_empty() && telling.text != self.text {
            self.write(&telling.text).await?;
            self.text.clone_from(&telling.text);
        }
        for ((commit, name), status) in &telling.statuses {
            let key = (commit.clone(), name.clone());
            if self.statuses.get(&key) == Some(status) {
                continue;
            }
            match self.forge.set_status(&self.pull.repo, commit, status).await {
                Ok(()) => {}
                // A commit that is gone, or a right that is missing: the comment says it all the same.
                Err(refused @ ForgeError::Refused { .. }) => tracing::warn!("{refused}"),
                Err(error) => return Err(error),
            }
            self.statuses.insert(key, status.clone());
        }
        Ok(())
    }

    async fn write(&mut self, text: &str) -> Result<(), ForgeError> {
        // Whether an attempt that failed wrote it all the same, only the forge knows.
        let known = match self.comment {
            Some(comment) => Some(comment),
            None => self.forge.own_comment(&self.pull, MARKER).await?,
        };
        if let Some(comment) = known {
            match self.forge.edit(&self.pull.repo, comment, text).await {
                Ok(()) => {
                    self.comment = Some(comment);
                    return Ok(());
                }
                // Somebody deleted it.
                Err(ForgeError::Refused { status: 404, .. }) => self.comment = None,
                Err(error) => return Err(error),
            }
        }
        self.comment = Some(self.forge.say(&self.pull, text).await?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
