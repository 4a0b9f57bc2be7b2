//! The loop that keeps watching.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::asked::CommandRequest;
use super::backoff::Backoff;
use super::error::WatchError;
use super::watcher::Watcher;
use crate::api::{Comment, Forge, PullEnd};
use crate::names::PullId;

/// Who takes words on.
pub trait Desk: Send {
    /// Takes a word on. When this is [`Ok`], it is written down under the comment's number and will be done
    /// whatever happens. A word may come a second time, if the machine stopped before its first coming was
    /// confirmed: the same number is the same word, and is taken on once. May be dropped while it works, when
    /// the watcher is told to stop.
    ///
    /// # Errors
    /// When it cannot be taken on now; it comes again later.
    fn take_on(&mut self, asked: &CommandRequest) -> impl Future<Output = Result<(), String>> + Send;

    /// A pull request is closed or merged; perhaps since long ago, and perhaps this was told before. It comes before the
    /// words that were written afterwards.
    fn ended(&mut self, _pull: &PullId, _end: PullEnd) {}

    /// How the last look went, for whoever wants to show it.
    fn looked(&mut self, _result: Result<(), &WatchError>) {}
}

/// Watches until it is told to stop: looks at every interval and takes what comes by webhook at once. A
/// forge that is down is asked again, ever more slowly; nothing else ends the loop.
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
                // What cannot be taken on now waits in the file for the next look.
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
    // What waits from before is handed over also where the look failed for another reason.
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

/// The number of failures in a row after this result.
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
