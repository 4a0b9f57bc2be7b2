//! The judgement.
use super::seen::{Before, Snapshot};
use crate::failure::Failure;

/// What a snapshot means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Everything runs that should.
    Settled(Vec<Up>),
    /// Not yet: one line with what is awaited.
    Going(String),
    /// It never will.
    Never(Failure),
}

/// A service in which everything runs that should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up {
    /// Its short name.
    pub service: String,
    /// The containers that run, by id.
    pub containers: Vec<String>,
}

/// Judges a snapshot.
#[must_use]
pub fn judge(now: &Snapshot, before: &Before) -> Judgement {
    let _ = (now, before);
    Judgement::Going("not written yet".to_owned())
}
