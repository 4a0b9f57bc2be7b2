//! What the service manager wants to know: ready, alive, stopping. Nothing is said where none asks.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// The service manager, if one started this process.
#[derive(Debug)]
pub(super) struct Manager {
    /// How often it wants to hear that the process lives; none where it does not want to.
    every: Option<Duration>,
    last: Option<Instant>,
}

impl Manager {
    /// As the environment of the process says.
    pub(super) fn of_process() -> Self {
        // Twice as often as is asked for, so that one late sign does no harm.
        Self { every: sd_notify::watchdog_enabled().map(|time| time / 2), last: None }
    }

    /// The service is up.
    pub(super) fn ready(&mut self) {
        tell(NotifyState::Ready);
    }

    /// The service ends by itself.
    pub(super) fn stopping(&mut self) {
        tell(NotifyState::Stopping);
    }

    /// The loop that calls this is alive. Told no more often than is asked for.
    pub(super) fn alive(&mut self) {
        let Some(every) = self.every else { return };
        if self.last.is_none_or(|last| last.elapsed() >= every) {
            self.last = Some(Instant::now());
            tell(NotifyState::Watchdog);
        }
    }

    /// How long the loop may be silent at most.
    pub(super) fn longest_silence(&self) -> Duration {
        self.every.unwrap_or(Duration::from_secs(10)).min(Duration::from_secs(10))
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!("the service manager cannot be told: {error}");
    }
}
