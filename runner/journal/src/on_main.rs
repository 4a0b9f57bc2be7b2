//! Failures of a pull request compared with a run of the default branch.

use base::names::{Commit, RunId};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::text::one_line;

/// Results of a run of the default branch for a pull request's failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnMain {
    pub commit: Commit,
    /// When its run began.
    pub at: Timestamp,
    pub run: RunId,
    /// Checks and stages that were red there too. May contain untrusted text.
    pub red: Vec<String>,
    /// Checks and stages that were green there.
    pub green: Vec<String>,
}

impl OnMain {
    /// The commit and date: `commit 1a2b3c4d on 2026-11-27`.
    pub fn place(&self) -> String {
        let day = self.at.to_zoned(TimeZone::UTC).date();
        format!("commit {} on {day}", self.commit.short())
    }

    /// A line for each of the two lists.
    pub fn lines(&self) -> Vec<String> {
        let line = |names: &[String], word: &str| {
            let names: Vec<String> = names.iter().map(|name| one_line(name, 120)).collect();
            (!names.is_empty()).then(|| format!("{word} at {}: {}", self.place(), names.join(", ")))
        };
        [line(&self.red, "red too"), line(&self.green, "green")].into_iter().flatten().collect()
    }
}
