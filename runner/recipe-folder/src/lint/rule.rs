//! The rules, as one table that the docs print.

use serde::{Serialize, Serializer};

macro_rules! rules {
    ($($(#[doc = $meaning:literal])+ $name:ident = $code:literal;)+) => {
        /// A rule of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code in every message.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What it asks for.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+).trim_ascii(),)+ }
            }
        }
    };
}

rules! {
    /// recipe.toml has known keys, and values that can be meant
    Schema = "schema";
    /// every file is run by something, or used by a file that is
    NeverRuns = "never-runs";
    /// `data/` has all of seed, wipe and check
    DataIncomplete = "data-incomplete";
    /// a test can run: it parses, it has its run bit, it asserts more than status 200, and nothing in it is skipped
    CannotRun = "cannot-run";
    /// every row of PARITY.md names a test that is there, or a blocker in recipe.toml's `[missing]`
    ParityRow = "parity-row";
    /// every test is named in PARITY.md
    ParityTest = "parity-test";
    /// two tests or more show what the app is for, beside its health
    FewTests = "few-tests";
    /// no test leaves out a part of itself
    Skipped = "skipped";
    /// a test that is commented out is deleted, or works
    CommentedOut = "commented-out";
    /// versions are read from the run, not written down
    FixedVersion = "fixed-version";
    /// a wait has a condition and an end
    BareSleep = "bare-sleep";
    /// a script stops at its first failing command
    NoErrexit = "no-errexit";
    /// a command in a container is run by `$CCCI_EXEC`, and not by `abra app run`
    AppRun = "app-run";
    /// a command that `[health]` waits for can fail
    HollowHealth = "hollow-health";
    /// nothing is left of the scaffold that has to be filled in
    Unfilled = "unfilled";
    /// all shell can be parsed: scripts, and the blocks in compose files, entrypoints and pipelines
    ShellSyntax = "shell-syntax";
}

impl Rule {
    /// Whether a run that breaks it would show less than it seems to.
    pub fn stops_a_run(self) -> bool {
        matches!(self, Self::NeverRuns | Self::DataIncomplete | Self::CannotRun | Self::ShellSyntax)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
