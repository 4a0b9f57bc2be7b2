//! The times of the protocol.

use std::time::Duration;

/// All runners on a swarm use the same values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTimes {
    /// Heartbeat interval.
    pub beat: Duration,
    /// A holder that could send no heartbeat for this long stops by itself. Well under `lease`, so that it has stopped
    /// before others expire it.
    pub fence: Duration,
    /// An observer that saw no heartbeat for this long considers the holder dead.
    pub lease: Duration,
    /// How long a notified waiter has to react.
    pub answer: Duration,
    /// How long a waiter, or a run that gives back, waits for an engine that does not answer.
    pub patience: Duration,
}

impl Default for LeaseTimes {
    fn default() -> Self {
        Self {
            beat: Duration::from_secs(5),
            fence: Duration::from_secs(20),
            lease: Duration::from_secs(30),
            answer: Duration::from_secs(5),
            patience: Duration::from_secs(60),
        }
    }
}

/// Upper bound of polls per second over all waiters. A poll of 500 tickets takes the engine some milliseconds, and
/// every heartbeat is a write to its disk.
const LOOKS_PER_SECOND: u32 = 3;

impl LeaseTimes {
    /// The interval of polls and heartbeats at a place (from 0) of a queue of `length`. The first poll often, since
    /// they maintain the queue; the others seldom, since they are notified. Tickets that arrived together are spread by
    /// number.
    pub fn pulse(&self, place: usize, length: usize, number: u64) -> Duration {
        let steps = u32::try_from(place / 2).unwrap_or(u32::MAX).saturating_add(1);
        let most = self.longest(length);
        let spread = u32::try_from(number.wrapping_mul(0x9E37_79B9) % 256).unwrap_or(0);
        self.beat.saturating_mul(steps).min(most) * (768 + spread) / 1024
    }

    /// The latest time of a new waiter's second poll, and its promised heartbeat interval: it does not know yet how
    /// many wait. Runs that arrive together are spread by name.
    pub(super) fn first_pulse(&self, name: &str) -> (Duration, Duration) {
        let spread = name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 512;
        (self.beat * 12 * (512 + spread) / 1024, self.beat * 24)
    }

    fn longest(&self, length: usize) -> Duration {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        (self.beat * 6).max(Duration::from_secs(1) * length / LOOKS_PER_SECOND)
    }
}
