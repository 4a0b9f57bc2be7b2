//! The appearance of a run, a stage or a check.

use crate::event::Outcome;

/// A word and a symbol, so that no report relies on colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Green.
    Passed,
    /// Red.
    Failed,
    /// Could not run.
    Blocked,
    /// Disabled.
    Skipped,
    /// Stopped by a user.
    Cancelled,
    /// Killed before its end.
    NoEnd,
    /// The run did not reach it.
    NotReached,
}

impl From<Outcome> for Tone {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Passed,
            Outcome::Failed => Self::Failed,
            Outcome::Blocked => Self::Blocked,
            Outcome::Skipped => Self::Skipped,
        }
    }
}

impl Tone {
    pub const ALL: [Self; 7] =
        [Self::Passed, Self::Failed, Self::Blocked, Self::Skipped, Self::Cancelled, Self::NoEnd, Self::NotReached];

    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::NoEnd => "no end",
            Self::NotReached => "not reached",
        }
    }

    /// One column wide.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Passed => "✓",
            Self::Failed => "✗",
            Self::Blocked => "!",
            Self::Skipped => "–",
            Self::Cancelled => "×",
            Self::NoEnd => "?",
            Self::NotReached => "·",
        }
    }
}
