//! What a cell is worth to the gate.

use super::CellState;
use super::rule::{Rule, Shows};

/// What a cell is worth, the least first: how much of what it promises was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Worth {
    /// An illusion that shows nothing: less than nothing at all, since it says that something is there.
    Pretended,
    /// Nothing is there, and nothing pretends to be.
    Nothing,
    /// Nothing is there, and what blocks it is named.
    Blocked,
    /// It ran to its end, and is not all: a test that is new and not proven yet, or a green run of another commit.
    Shaky,
    /// All of it ran in a part of a run.
    Advisory,
    /// All of it ran, and red would have failed the run.
    Gating,
}

impl Worth {
    /// The worth of a word, and of the rule behind it where that is `illusion`.
    pub(super) fn of(state: CellState, rule: Option<Rule>) -> Self {
        match (state, rule.map(Rule::shows)) {
            (CellState::Gating, _) => Self::Gating,
            (CellState::Advisory, _) => Self::Advisory,
            (CellState::Stale, _) => Self::Shaky,
            (CellState::Blocked, _) => Self::Blocked,
            (CellState::Missing, _) => Self::Nothing,
            (CellState::Illusion, Some(Shows::Something)) => Self::Shaky,
            (CellState::Illusion, Some(Shows::Nothing) | None) => Self::Pretended,
        }
    }
}
