//! Change events of the history.

use std::ops::Range;
use std::path::PathBuf;

use base::names::{RecipeName, RunId};

/// A change of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryChange {
    Run(RunChange),
    /// The database was damaged and a new one created: readers have to query everything again.
    SetAside(SetAside),
}

/// A change of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunChange {
    pub run: RunId,
    pub recipe: RecipeName,
    pub kind: ChangeKind,
    /// The new lines of its journal, counted from 0; may be empty.
    pub lines: Range<u64>,
}

/// Kinds of changes. If several apply, it is the last in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Its journal has more lines.
    Grew,
    /// It is new.
    Began,
    /// Its journal is final and completely imported, including the files of tests.
    Sealed,
    /// It has a verdict.
    Ended,
    /// It was killed.
    NoEnd,
    /// The retention rules removed it.
    Dropped,
}

/// A damaged database that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its new path; `None` if nothing was left of it.
    pub path: Option<PathBuf>,
    /// The damage.
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

/// A journal that could not be imported yet. It stays in its run's folder, and is retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingChange {
    pub run: RunId,
    pub why: String,
    /// Whether it is retried automatically; a damaged journal, or one of a newer cc-ci, is retried when it changes.
    pub passes: bool,
}
