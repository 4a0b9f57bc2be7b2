//! The exit codes of `cc-ci`: one table for the command line, the docs and the callers.

use std::fmt::Write as _;
use std::process::ExitCode;

use base::failure::Cause;

use crate::event::{Verdict, VerdictKind};

macro_rules! exits {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $word:literal;)+) => {
        /// The exit codes of `cc-ci`. They are stable: pipelines may rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Exit {
            $($(#[doc = $doc])+ $name,)+
        }
        impl Exit {
            /// In the order of the docs.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// The process's exit code.
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code),+ }
            }
            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
            /// The meaning for the caller, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii()),+ }
            }
        }
    };
}

exits! {
    /// the run passed, or the command succeeded
    Passed = 0, "passed";
    /// the command line or a setting is wrong; nothing was run
    Usage = 2, "usage";
    /// failed by the recipe at the tested commit
    Recipe = 10, "failed-by-recipe";
    /// failed by a check of cc-ci or of the recipe's folder, or nothing was tested
    Test = 11, "failed-by-test";
    /// failed by the release that the upgrade starts from
    BaseRelease = 12, "failed-by-base-release";
    /// failed by an app that the run deployed for the recipe
    Dependency = 13, "failed-by-dependency";
    /// failed by the machine, the engine, the registry or the world; says nothing about the recipe
    Infrastructure = 14, "failed-by-infrastructure";
    /// no slot: another run holds the app's name, or the cap is reached
    NoSlot = 15, "no-slot";
    /// a bug in cc-ci
    Bug = 70, "bug";
    /// a user stopped the run
    Cancelled = 130, "cancelled";
}

impl From<&Verdict> for Exit {
    fn from(verdict: &Verdict) -> Self {
        match verdict.word {
            VerdictKind::Passed => Self::Passed,
            VerdictKind::Cancelled => Self::Cancelled,
            VerdictKind::Failed(cause) => Self::from(cause),
        }
    }
}

impl From<Cause> for Exit {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Recipe => Self::Recipe,
            Cause::Test => Self::Test,
            Cause::BaseRelease => Self::BaseRelease,
            Cause::Dependency => Self::Dependency,
            Cause::Infrastructure => Self::Infrastructure,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table for the end of `--help`.
pub fn help_table() -> String {
    let mut text = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        let _ = writeln!(text, "  {:>3}  {}", exit.code(), exit.meaning());
    }
    text
}

/// The table for the docs, in Markdown.
pub fn markdown_table() -> String {
    let mut text = String::from("| code | name | meaning |\n|---:|---|---|\n");
    for exit in Exit::ALL {
        let _ = writeln!(text, "| {} | `{}` | {} |", exit.code(), exit.name(), exit.meaning());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_rise() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
        let names: std::collections::HashSet<&str> = Exit::ALL.iter().map(|exit| exit.name()).collect();
        assert_eq!(names.len(), Exit::ALL.len());
    }

    #[test]
    fn only_a_passed_verdict_ends_with_zero() {
        let words = [
            VerdictKind::Passed,
            VerdictKind::Cancelled,
            VerdictKind::Failed(Cause::Recipe),
            VerdictKind::Failed(Cause::Test),
            VerdictKind::Failed(Cause::BaseRelease),
            VerdictKind::Failed(Cause::Dependency),
            VerdictKind::Failed(Cause::Infrastructure),
        ];
        let mut codes = Vec::new();
        for word in words {
            let verdict = Verdict { word, line: String::new(), decided_by: None };
            codes.push(Exit::from(&verdict).code());
        }
        assert_eq!(codes, [0, 130, 10, 11, 12, 13, 14]);
    }

    #[test]
    fn the_help_table_reads_well() {
        insta::assert_snapshot!(help_table());
    }
}
