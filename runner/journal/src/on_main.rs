//! What a run of the default branch says of what is red on a pull request.

use base::names::{Commit, RunId};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::text::one_line;

/// What a run of the default branch says of what is red on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnMain {
    /// The commit of the default branch.
    pub commit: Commit,
    /// When its run began.
    pub at: Timestamp,
    /// Its run.
    pub run: RunId,
    /// What was red there too: checks, and stages. They may hold a stranger's text.
    pub red: Vec<String>,
    /// What was green there.
    pub green: Vec<String>,
}

impl OnMain {
    /// Where and when: `commit 1a2b3c4d on 2026-11-27`.
    pub fn place(&self) -> String {
        let day = self.at.to_zoned(TimeZone::UTC).date();
        format!("commit {} on {day}", self.commit.short())
    }

    /// A line for each of the two.
    pub fn lines(&self) -> Vec<String> {
        let line = |names: &[String], word: &str| {
            let names: Vec<String> = names.iter().map(|name| one_line(name, 120)).collect();
            (!names.is_empty()).then(|| format!("{word} at {}: {}", self.place(), names.join(", ")))
        };
        [line(&self.red, "red too"), line(&self.green, "green")].into_iter().flatten().collect()
    }
}
