//! The cells of the matrix.

use base::names::{Commit, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Rule, Worth};
use journal::event::Stage;
use journal::text::clean;

/// A column of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// A release is deployed and answers.
    Install,
    /// It is upgraded to the tested commit in place, and its data survives.
    Upgrade,
    /// The app's own data is backed up, wiped and restored.
    Backup,
    /// The tested commit starts on empty volumes.
    Fresh,
    /// At least two tests of what the app is for.
    Functional,
    /// Users log in by a provider.
    Sso,
    /// The user interface, in a browser.
    Browser,
    /// The faults that its folder enables.
    Faults,
    /// Every test that PARITY.md names.
    Parity,
    /// The tests have been shown to fail.
    Proven,
}

impl Feature {
    /// In the order of the matrix.
    pub const ALL: [Self; 10] = [
        Self::Install,
        Self::Upgrade,
        Self::Backup,
        Self::Fresh,
        Self::Functional,
        Self::Sso,
        Self::Browser,
        Self::Faults,
        Self::Parity,
        Self::Proven,
    ];

    /// The name in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Backup => "backup",
            Self::Fresh => "fresh",
            Self::Functional => "functional",
            Self::Sso => "sso",
            Self::Browser => "browser",
            Self::Faults => "faults",
            Self::Parity => "parity",
            Self::Proven => "proven",
        }
    }

    /// The stage that shows it; `None` for features of all tests.
    pub fn stage(self) -> Option<Stage> {
        match self {
            Self::Install => Some(Stage::Install),
            Self::Upgrade => Some(Stage::Upgrade),
            Self::Backup => Some(Stage::Backup),
            Self::Fresh => Some(Stage::Fresh),
            Self::Functional | Self::Sso | Self::Browser => Some(Stage::Functional),
            Self::Faults => Some(Stage::Faults),
            Self::Parity | Self::Proven => None,
        }
    }
}

/// A cell's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellState {
    /// It ran, and a failure would have failed the run.
    Gating,
    /// All of it ran in a part of a run (`--only`, `--kept`), which decides nothing about a change.
    Advisory,
    /// A green run showed it, of another commit than the newest, or from before the newest release.
    Stale,
    /// It cannot run, for a stated reason.
    Blocked,
    /// Nothing exists, and nothing claims to.
    Missing,
    /// It looks covered and is not.
    Illusion,
}

impl CellState {
    /// Best first.
    pub const ALL: [Self; 6] =
        [Self::Gating, Self::Advisory, Self::Stale, Self::Blocked, Self::Missing, Self::Illusion];

    /// The name in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gating => "gating",
            Self::Advisory => "advisory",
            Self::Stale => "stale",
            Self::Blocked => "blocked",
            Self::Missing => "missing",
            Self::Illusion => "illusion",
        }
    }

    /// Its symbol, one column wide, so that no report relies on colour alone.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Gating => "✓",
            Self::Advisory => "~",
            Self::Stale => "≈",
            Self::Blocked => "!",
            Self::Missing => "·",
            Self::Illusion => "?",
        }
    }
}

/// The run behind a cell's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellEvidence {
    pub run: RunId,
    pub at: Timestamp,
    /// Seconds since then.
    pub age_s: u64,
    pub head: Commit,
    /// The version in the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<u64>,
}

/// One cell of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    pub feature: Feature,
    pub state: CellState,
    /// The rule that found the illusion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// One line: the reason for the state.
    pub why: String,
    /// The run that shows it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<CellEvidence>,
}

impl Cell {
    pub(super) fn new(feature: Feature, state: CellState, why: impl Into<String>) -> Self {
        // It contains untrusted text, and is written to terminals and programs too.
        Self { feature, state, rule: None, why: clean(&why.into()), shown: None }
    }

    pub(super) fn illusion(feature: Feature, rule: Rule, why: impl Into<String>) -> Self {
        Self { rule: Some(rule), ..Self::new(feature, CellState::Illusion, why) }
    }

    pub(super) fn by(self, shown: CellEvidence) -> Self {
        Self { shown: Some(shown), ..self }
    }

    /// The state and the rule of an illusion: `illusion (never-red)`.
    pub fn word(&self) -> String {
        match self.rule {
            Some(rule) => format!("{} ({})", self.state.name(), rule.code()),
            None => self.state.name().to_owned(),
        }
    }

    /// Its value for the gate.
    pub fn worth(&self) -> Worth {
        Worth::of(self.state, self.rule)
    }
}

/// The age in one unit: `5 min`, `3 h`, `12 days`.
pub fn ago(seconds: u64) -> String {
    let day = 24 * 3600;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ if seconds < 2 * day => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / day),
    }
}
