//! The illusions by name, in one table that the docs print.

use serde::{Deserialize, Serialize};

macro_rules! rules {
    ($($(#[doc = $meaning:literal])+ $name:ident = $code:literal, $shows:ident;)+) => {
        /// Why a cell looks covered and is not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Rule {
            $($(#[doc = $meaning])+ #[serde(rename = $code)] $name,)+
        }

        impl Rule {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code in every message.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+).trim_ascii(),)+ }
            }

            /// What is shown nevertheless.
            pub fn shows(self) -> Shows {
                match self { $(Self::$name => Shows::$shows,)+ }
            }
        }
    };
}

/// What an illusion shows nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Something ran to its end, and is too little, too old or not proven.
    Something,
    /// The test for it did not run, or cannot fail.
    Nothing,
}

impl Shows {
    /// The name in the reference.
    pub fn word(self) -> &'static str {
        match self {
            Self::Something => "something",
            Self::Nothing => "nothing",
        }
    }
}

rules! {
    /// the stage ended before all of its planned checks had run
    EndedEarly = "ended-early", Nothing;
    /// a check, or the whole stage, was skipped
    Skipped = "skipped", Nothing;
    /// recipe.toml opts out of a check, or of the whole stage
    OptedOut = "opted-out", Nothing;
    /// a test is green against an impostor
    Hollow = "hollow", Nothing;
    /// a test was never seen red: not in a run, not against an impostor, not on wiped data
    NeverRed = "never-red", Something;
    /// a test was seen red, and was changed since
    ChangedSinceProven = "changed-since-proven", Something;
    /// a test was changed or added after the run that looks like its evidence
    ChangedSinceRun = "changed-since-run", Something;
    /// other tests were proven, and this one was not
    NotProven = "not-proven", Something;
    /// only a part of a run (`--only`, `--kept`) shows it, and that part left tests out
    OnlyAPart = "only-a-part", Something;
    /// fewer than two tests show what the app is for
    FewTests = "few-tests", Something;
    /// files in volumes are backed up and restored, and no data of the app's own
    NoData = "no-data", Something;
    /// the app is wired to a provider, and no test logs in
    SsoUntested = "sso-untested", Nothing;
    /// a row of PARITY.md names a test that is not there, or none
    ParityGone = "parity-gone", Nothing;
    /// a row of PARITY.md names a test that did not run
    ParityNotRun = "parity-not-run", Nothing;
}
