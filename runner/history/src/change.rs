//! What is told to those who watch the history.

use std::ops::Range;
use std::path::PathBuf;

use base::names::{RecipeName, RunId};

/// Something in the history is different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryChange {
    /// A run.
    Run(RunChange),
    /// The database was damaged and another one is made: whoever shows something asks again.
    SetAside(SetAside),
}

/// What is different about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunChange {
    /// The run.
    pub run: RunId,
    /// Its recipe.
    pub recipe: RecipeName,
    /// How it is different.
    pub kind: ChangeKind,
    /// The lines of its journal that are new, counted from 0; may be none.
    pub lines: Range<u64>,
}

/// How a run is different. Where several are true, it is the last of them in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Its journal has more lines.
    Grew,
    /// It was not there before.
    Began,
    /// Nobody writes to its journal any more, and all of it is here, with the files that tests left.
    Sealed,
    /// It has a verdict.
    Ended,
    /// It was killed.
    NoEnd,
    /// It is not in the history any more, by the rules of what is kept.
    Dropped,
}

/// A damaged database that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now; none where nothing was left of it.
    pub path: Option<PathBuf>,
    /// What was wrong with it.
    pub why: String,
}

impl std::fmt::Display for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.path {
            Some(path) => write!(f, "was damaged ({}) and is kept as {}", self.why, path.display()),
            None => write!(f, "is gone ({})", self.why),
        }
    }
}

/// A journal that could not be imported yet. It stays in its run's folder, and is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingChange {
    /// The run.
    pub run: RunId,
    /// Why not.
    pub why: String,
    /// Whether it is tried again by itself; a journal that is damaged or from a newer cc-ci is when it changes.
    pub passes: bool,
}
