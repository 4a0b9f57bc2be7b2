//! abra's commands that cc-ci calls, in one table: uncertain ones can be changed here, and `cc-ci doctor` checks each
//! against the `--help` of the installed program.

/// How certain it is that the real abra has a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Seen in a working script, program or field note, or in abra's own docs.
    Seen,
    /// Remembered; the authors could not run abra. How a command behaves is in `behaviour`.
    Remembered,
}

/// One command with the flags that cc-ci passes.
#[derive(Debug, Clone, Copy)]
pub struct AbraPhrase {
    /// The command, without the program.
    pub command: &'static [&'static str],
    pub flags: &'static [&'static str],
    /// The certainty of the command and its flags; the weakest part counts.
    pub certainty: Certainty,
}

const fn word(command: &'static [&'static str], flags: &'static [&'static str], certainty: Certainty) -> AbraPhrase {
    AbraPhrase { command, flags, certainty }
}

use Certainty::{Remembered, Seen};

/// Every command that cc-ci calls. `--no-input` and `--offline` are global flags.
pub const WORDS: &[AbraPhrase] = &[
    word(&["server", "add"], &["--local", "--no-input"], Seen),
    word(&["recipe", "lint"], &["--chaos", "--offline", "--no-input"], Seen),
    word(&["app", "new"], &["--server", "--domain", "--chaos", "--offline", "--no-input"], Seen),
    word(
        &["app", "deploy"],
        &["--chaos", "--offline", "--no-input", "--force", "--no-converge-checks", "--no-domain-checks"],
        Seen,
    ),
    word(&["app", "secret", "generate"], &["--all", "--machine", "--chaos", "--offline", "--no-input"], Remembered),
    word(&["app", "secret", "insert"], &["--file", "--chaos", "--offline", "--no-input"], Remembered),
    word(&["app", "cmd"], &["--chaos", "--offline", "--no-input"], Remembered),
    word(&["app", "backup", "create"], &["--chaos", "--offline", "--no-input"], Remembered),
    word(&["app", "backup", "list"], &["--all", "--chaos", "--offline", "--no-input"], Remembered),
    word(&["app", "restore"], &["--chaos", "--offline", "--no-input"], Remembered),
];
