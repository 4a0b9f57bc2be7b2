use std::time::Duration;

use base::names::RunId;

/// What becomes of the app when the stages are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// It is torn down.
    No,
    /// It stays this long.
    For(Duration),
    /// Another run keeps it, and this one only looks at it.
    ByRun(RunId),
}
