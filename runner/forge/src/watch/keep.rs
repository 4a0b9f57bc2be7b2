//! The loop of the watcher.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::asked::CommandRequest;
use super::backoff::Backoff;
use super::error::WatchError;
use super::watcher::Watcher;
use crate::api::{Comment, Forge, PullEnd};
use crate::names::PullId;

/// Accepts commands.
pub trait Desk: Send {
    /// Accepts a command. [`Ok`] means that it is stored under the comment's number and will be carried out whatever
    /// happens. A command may be repeated if the machine stopped before the first call was confirmed: the same number
    /// is the same command, and is accepted once. Cancel-safe: may be dropped on shutdown.
    ///
    /// # Errors
    /// It cannot be accepted now; it is offered again later.
    fn take_on(&mut self, asked: &CommandRequest) -> impl Future<Output = Result<(), String>> + Send;

    /// A pull request is closed or merged, perhaps long ago, and perhaps reported before. Called before commands that
    /// were written afterwards.
    fn ended(&mut self, _pull: &PullId, _end: PullEnd) {}

    /// The result of the last poll, for display.
    fn looked(&mut self, _result: Result<(), &WatchError>) {}
}

/// Watches until it is cancelled: polls at every interval and takes comments from webhooks at once. A forge that is
/// down is retried with backoff; no other error ends the loop.
pub async fn keep<F: Forge>(
    watcher: &mut Watcher<F>,
    mut hooks: mpsc::Receiver<Comment>,
    desk: &mut impl Desk,
    pace: Backoff,
    stop: &CancellationToken,
) {
    let (mut failures, mut hooks_are_open) = (0_u32, true);
    loop {
        let looked = tokio::select! {
            () = stop.cancelled() => return,
            looked = look(watcher, desk) => looked,
        };
        failures = told(looked, desk, failures);
        let again = tokio::time::Instant::now() + pace.after(failures, rand::random());
        loop {
            let comment = tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(again) => break,
                comment = hooks.recv(), if hooks_are_open => comment,
            };
            let Some(comment) = comment else {
                hooks_are_open = false;
                continue;
            };
            match watcher.offer(&comment) {
                Ok(false) => {}
                // A command that cannot be accepted now stays in the file until the next poll.
                Ok(true) => failures = told(hand_over(watcher, desk).await, desk, failures),
                Err(error) => failures = told(Err(error), desk, failures),
            }
        }
    }
}

async fn look<F: Forge>(watcher: &mut Watcher<F>, desk: &mut impl Desk) -> Result<(), WatchError> {
    let cycle = watcher.cycle().await;
    if let Ok(cycle) = &cycle {
        for refused in &cycle.refused {
            tracing::warn!("{refused}");
        }
        for (pull, end) in &cycle.ended {
            desk.ended(pull, *end);
        }
    }
    // Earlier commands are handed over even if the poll failed for another reason.
    hand_over(watcher, desk).await?;
    cycle.map(|_| ())
}

async fn hand_over<F: Forge>(watcher: &mut Watcher<F>, desk: &mut impl Desk) -> Result<(), WatchError> {
    while let Some(asked) = watcher.next().await? {
        let taken = desk.take_on(&asked).await;
        taken.map_err(|why| WatchError::Desk { pull: asked.pull.id.to_string(), why })?;
        watcher.confirm(asked.comment.id)?;
    }
    Ok(())
}

/// The number of consecutive failures after this result.
fn told(result: Result<(), WatchError>, desk: &mut impl Desk, failures: u32) -> u32 {
    desk.looked(result.as_ref().copied());
    match result {
        Ok(()) => 0,
        Err(error) => {
            tracing::warn!("{error}");
            failures.saturating_add(1)
        }
    }
}
