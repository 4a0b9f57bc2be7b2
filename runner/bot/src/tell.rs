//! Delivers answers to a forge: one comment on a pull request, edited in place, and the commits' statuses. The last
//! state wins; a forge that is down is retried until it has it.

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

/// The state that a forge is to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommentUpdate {
    /// The comment's text; no comment while it is empty.
    pub text: String,
    /// The statuses of commits, by name.
    pub statuses: BTreeMap<(Commit, String), Status>,
    /// The commands whose end this delivers.
    pub ends: Vec<CommentId>,
}

/// A delivered update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub pull: PullId,
    /// The commands whose end it delivered.
    pub ends: Vec<CommentId>,
}

/// Limits how often a comment is edited, and sets the backoff while the forge is down.
#[derive(Debug, Clone, Copy)]
pub struct Debounce {
    /// Minimum time between two edits, while nothing ends.
    pub between: Duration,
    /// Backoff after failures.
    pub pace: Backoff,
    /// Maximum pause after failures that need a person.
    pub unmended: Duration,
}

impl Default for Debounce {
    fn default() -> Self {
        let pace = Backoff { longest: Duration::from_secs(60), ..Backoff::default() };
        Self { between: Duration::from_secs(5), pace, unmended: Duration::from_secs(300) }
    }
}

/// The known state of one forge.
struct Teller<F> {
    forge: Arc<F>,
    pull: PullId,
    comment: Option<CommentId>,
    text: String,
    statuses: BTreeMap<(Commit, String), Status>,
}

/// Delivers all updates for one pull request, until the channel is closed and the last update is delivered.
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
        // An end is delivered at once; progress can wait.
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
                // An error that a person has to fix needs no frequent retries.
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
                // The commit is gone, or a permission is missing: the comment has the same content.
                Err(refused @ ForgeError::Refused { .. }) => tracing::warn!("{refused}"),
                Err(error) => return Err(error),
            }
            self.statuses.insert(key, status.clone());
        }
        Ok(())
    }

    async fn write(&mut self, text: &str) -> Result<(), ForgeError> {
        // A failed attempt may have written the comment all the same; only the forge knows.
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
                // A user deleted it.
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
