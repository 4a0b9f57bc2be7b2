//! A cell's value for the gate.

use super::CellState;
use super::rule::{Rule, Shows};

/// A cell's value, lowest first: how much of its promise was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Worth {
    /// An illusion that shows nothing: worth less than nothing, since it claims to exist.
    Pretended,
    /// Nothing exists, and nothing claims to.
    Nothing,
    /// Nothing exists, and the blocker is named.
    Blocked,
    /// It ran to its end, and is incomplete: a new test that is not proven yet, or a green run of another commit.
    Shaky,
    /// All of it ran in a part of a run.
    Advisory,
    /// All of it ran, and a failure would have failed the run.
    Gating,
}

impl Worth {
    /// The value of a state, and of the rule behind `illusion`.
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
