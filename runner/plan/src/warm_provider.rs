//! A provider of logins that outlives the run.

use std::collections::BTreeMap;
use std::time::Duration;

use slots::Claim;

use journal::run_dir::{Alive, RunDir};

/// A provider that outlives the run.
#[derive(Debug)]
pub struct Warm {
    /// The folder of the run that it belongs to: its settings are there.
    pub dir: RunDir,
    /// How long it stays after it was last used.
    pub time: Duration,
    /// Labels for its services, where it is made now.
    pub labels: BTreeMap<String, String>,
    /// Its name, where it is made now.
    pub claim: Option<Claim>,
    /// Held while this run makes it; none where it was there.
    pub made: Option<Alive>,
}

impl Warm {
    /// Whether an earlier run made it.
    pub fn was_there(&self) -> bool {
        self.made.is_none()
    }
}
