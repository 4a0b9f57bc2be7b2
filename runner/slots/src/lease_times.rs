//! How long things may take.

use std::time::Duration;

/// The times of the protocol. All runners on a swarm use the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTimes {
    /// How often a holder gives a sign of life.
    pub beat: Duration,
    /// A holder that could give none for so long stops by itself. Well under `lease`, so that it has stopped
    /// before anybody takes it for dead.
    pub fence: Duration,
    /// Whoever watched a holder give no sign of life for so long takes it for dead.
    pub lease: Duration,
    /// How long one that was told its turn has for its answer.
    pub answer: Duration,
    /// How long an engine that does not answer is waited for, by one that waits or gives back.
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

/// Looks a second that all who wait may make together, at most. A look at 500 takes the engine some
/// milliseconds, and every sign of life is a write to its disk.
const LOOKS_PER_SECOND: u32 = 3;

impl LeaseTimes {
    /// How often one at a place (from 0) of a queue of `length` looks around and gives a sign of life. The
    /// first ones look often, since they mind the queue for all; the others seldom, since they are told.
    /// Those that came at once are spread by their tickets' numbers.
    pub fn pulse(&self, place: usize, length: usize, number: u64) -> Duration {
        let steps = u32::try_from(place / 2).unwrap_or(u32::MAX).saturating_add(1);
        let most = self.longest(length);
        let spread = u32::try_from(number.wrapping_mul(0x9E37_79B9) % 256).unwrap_or(0);
        self.beat.saturating_mul(steps).min(most) * (768 + spread) / 1024
    }

    /// When one that has just come looks around for the second time, at the latest, and what it promises:
    /// it does not know yet how many wait. Those that come at once are spread by their names.
    pub(super) fn first_pulse(&self, name: &str) -> (Duration, Duration) {
        let spread = name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 512;
        (self.beat * 12 * (512 + spread) / 1024, self.beat * 24)
    }

    fn longest(&self, length: usize) -> Duration {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        (self.beat * 6).max(Duration::from_secs(1) * length / LOOKS_PER_SECOND)
    }
}
