//! Whether a test was ever seen red: otherwise it may be unable to fail.

use super::Case;
use crate::Evidence;
use base::failure::Kind;
use journal::event::{Outcome, Stage};
use recipe_folder::prints::same_test;

/// When a test was seen red.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Red {
    /// In its current version, or in a run that does not record the version.
    Seen,
    /// Before it was changed.
    Before,
    Never,
}

/// The result of a test's newest proof.
#[derive(Debug, Clone, Copy)]
pub(super) enum Proof<'a> {
    /// It was red against every impostor.
    Bites(&'a Evidence),
    /// It was green against the impostor in the check's text.
    Hollow(&'a Evidence, &'a str),
    /// It could not be proven, for a reason.
    Broken(&'a Evidence, &'a str),
}

impl<'a> Proof<'a> {
    pub(super) fn run(self) -> &'a Evidence {
        match self {
            Self::Bites(run) | Self::Hollow(run, _) | Self::Broken(run, _) => run,
        }
    }
}

impl<'a> Case<'a> {
    /// Whether a run's test is the current version, as far as the run records it.
    pub(super) fn is_same(&self, run: &Evidence, test: &str) -> Option<bool> {
        run.tests.as_ref().map(|tests| same_test(tests, &self.promise.prints, test))
    }

    pub(super) fn red(&self, test: &str) -> Red {
        let shows = |run: &&&Evidence| run.checks().any(|check| check.file() == test && check.shows_red());
        let mut before = false;
        for run in self.runs.iter().filter(shows) {
            match self.is_same(run, test) {
                Some(false) => before = true,
                Some(true) | None => return Red::Seen,
            }
        }
        if before { Red::Before } else { Red::Never }
    }

    /// The newest proof of a test against impostors. A part of a `prove` run counts as well: the proof is about the
    /// single test.
    pub(super) fn proof(&self, test: &str) -> Option<Proof<'a>> {
        self.runs.iter().find_map(|run| {
            let prove = run.stages.iter().find(|seen| seen.stage == Stage::Prove)?;
            let of_test = |check: &&crate::Check| check.file() == test && check.had_to_be_red();
            let checks: Vec<_> = prove.checks.iter().filter(of_test).collect();
            let red = checks.iter().find(|check| check.outcome != Outcome::Passed);
            match red {
                _ if checks.is_empty() => None,
                None => Some(Proof::Bites(run)),
                Some(check) if check.kind == Some(Kind::Hollow) => Some(Proof::Hollow(run, &check.text)),
                Some(check) => Some(Proof::Broken(run, &check.text)),
            }
        })
    }
}
