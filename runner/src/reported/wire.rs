//! What both sides know.

use harness::names::RunId;
use serde::{Deserialize, Serialize};

/// The largest batch that is taken, in bytes. A line of a journal is at most some ten thousand.
pub const BODY: usize = 1024 * 1024;

/// What the receiver answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Answer {
    /// The line that it wants next, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// How long somebody wants the run's app to stay, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_s: Option<u64>,
    /// The run's own folder is the receiver's: it has all of it already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub here: bool,
    /// Why nothing was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Where a run's records go, below the server's address.
#[must_use]
pub fn path(run: &RunId) -> String {
    format!("/api/runs/{run}/records")
}
