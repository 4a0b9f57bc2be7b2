//! Kept apps, and their removal when their pull request has ended.

use std::fmt;
use std::pin::Pin;

use base::names::RunId;

use journal::event::{Outcome, Stage};
use journal::fold::RunView;

/// The result of a removal; the error says why the app stays.
pub type Ending<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Removes kept apps.
pub trait KeptApps: fmt::Debug + Send + Sync {
    /// Removes what a run keeps. Succeeds if it keeps nothing any more.
    fn end<'a>(&'a self, run: &'a RunId) -> Ending<'a>;
}

/// Whether a run's app was kept when the run ended.
pub(super) fn has_kept(view: &RunView) -> bool {
    view.stage(Stage::Teardown).is_some_and(|stage| stage.outcome() == Some(Outcome::Skipped))
}
