//! The illusions by name, as one table that the docs print.

use serde::{Deserialize, Serialize};

macro_rules! rules {
    ($($(#[doc = $meaning:literal])+ $name:ident = $code:literal;)+) => {
        /// Why a cell looks covered and is not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Rule {
            $($(#[doc = $meaning])+ #[serde(rename = $code)] $name,)+
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code in every message.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What is seen.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+).trim_ascii(),)+ }
            }
        }
    };
}

rules! {
    /// the stage ended before all of its planned checks had run
    EndedEarly = "ended-early";
    /// a check, or the whole stage, was skipped
    Skipped = "skipped";
    /// recipe.toml opts out of a check, or of the whole stage
    OptedOut = "opted-out";
    /// a test is green against an impostor
    Hollow = "hollow";
    /// a test was never seen red: not in a run, not against an impostor, not on wiped data
    NeverRed = "never-red";
    /// a test was seen red, and was changed since
    ChangedSinceProven = "changed-since-proven";
    /// a test was changed or added after the run that looks like its evidence
    ChangedSinceRun = "changed-since-run";
    /// other tests were proven, and this one was not
    NotProven = "not-proven";
    /// the last green run is older than the newest release, which is something else than what it tested
    OlderThanRelease = "older-than-release";
    /// only a part of a run (`--only`, `--kept`) shows it, and that part left tests out
    OnlyAPart = "only-a-part";
    /// the newest green run is of another commit than the newest of the default branch
    OtherCommit = "other-commit";
    /// fewer than two tests show what the app is for
    FewTests = "few-tests";
    /// files in volumes are backed up and restored, and no data of the app's own
    NoData = "no-data";
    /// the app is wired to a provider, and no test logs in
    SsoUntested = "sso-untested";
    /// a row of PARITY.md names a test that is not there, or none
    ParityGone = "parity-gone";
    /// a row of PARITY.md names a test that did not run
    ParityNotRun = "parity-not-run";
}
