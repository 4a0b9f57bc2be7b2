//! Apps that stay after their runs, and go when their pull request has ended.

use std::fmt;
use std::pin::Pin;

use base::names::RunId;

use journal::event::{Outcome, Stage};
use journal::fold::RunView;

/// How the end of an app comes out; else why it stays.
pub type Ending<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Who ends apps that stay.
pub trait KeptApps: fmt::Debug + Send + Sync {
    /// Ends what a run keeps. Where it keeps nothing any more, that is done.
    fn end<'a>(&'a self, run: &'a RunId) -> Ending<'a>;
}

/// Whether a run's app stayed when the run ended.
pub(super) fn has_kept(view: &RunView) -> bool {
    view.stage(Stage::Teardown).is_some_and(|stage| stage.outcome() == Some(Outcome::Skipped))
}
