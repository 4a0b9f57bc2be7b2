use jiff::Timestamp;

use super::{Evidence, Promise, Repository};

/// One recipe with all its data.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The promises of its folder.
    pub promise: &'a Promise,
    /// Its runs, newest first.
    pub runs: &'a [&'a Evidence],
    /// Its repository, if it was read.
    pub repository: Option<&'a Repository>,
    pub now: Timestamp,
}
