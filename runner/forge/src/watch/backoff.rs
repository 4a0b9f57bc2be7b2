use std::time::Duration;

/// The poll interval of the forge. Pure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause between two polls without failures.
    pub interval: Duration,
    /// The maximum pause after failures.
    pub longest: Duration,
}

impl Default for Backoff {
    /// Every 30 s; at most every 5 min.
    fn default() -> Self {
        Self { interval: Duration::from_secs(30), longest: Duration::from_secs(300) }
    }
}

impl Backoff {
    /// The pause after this many consecutive failures: exponential from one second on, so that a short outage costs
    /// little and a long one is no burden. `spread`, between 0 and 1, is jitter that subtracts up to a quarter, so that
    /// many watchers of a forge do not return at the same moment.
    pub fn after(&self, failures: u32, spread: f64) -> Duration {
        if failures == 0 {
            return self.interval;
        }
        let doubled = Duration::from_secs(1).saturating_mul(1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX));
        let spread = if spread.is_finite() { spread.clamp(0.0, 1.0) } else { 0.0 };
        doubled.min(self.longest).mul_f64(1.0 - spread / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_make_it_slower_up_to_a_limit() {
        let pace = Backoff::default();
        let seconds: Vec<u64> = (0..12).map(|failures| pace.after(failures, 0.0).as_secs()).collect();
        assert_eq!(seconds, [30, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pace.after(u32::MAX, 0.0), pace.longest);
    }

    #[test]
    fn the_spread_takes_off_a_quarter_at_most() {
        let pace = Backoff::default();
        assert_eq!(pace.after(4, 1.0), Duration::from_secs(6));
        assert_eq!(pace.after(4, f64::NAN), Duration::from_secs(8));
        assert_eq!(pace.after(4, 9.0), Duration::from_secs(6));
    }
}
