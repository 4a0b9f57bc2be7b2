use jiff::Timestamp;

use super::{Evidence, Promise, Repository};

/// One recipe, with all that is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What its folder promises.
    pub promise: &'a Promise,
    /// Its runs, newest first.
    pub runs: &'a [&'a Evidence],
    /// Its repository, where that was read.
    pub repository: Option<&'a Repository>,
    /// Now.
    pub now: Timestamp,
}
