//! Parses the commands of a comment. Pure.
//!
//! One command a line, at the beginning of a line of ordinary text:
//!
//! ```text
//! !testme                          the whole run
//! !testme only=backup,functional   a part of it
//! !testme from=1.2.0+3.4           from another release
//! !testme failed                   what was red the last time
//! !stop    !status    !hold 30m
//! ```
//!
//! Text in a quote, in code, in a table, in a footnote or in HTML is not parsed. The command's name is
//! case-insensitive.
//!
//! **Near misses.** `!` and a word that is no command is a near miss of a command with the same first letter, if at
//! most two changes turn it into `testme` or `status`, or one into `stop` or `hold`. A change inserts, removes or
//! replaces a letter, or swaps two adjacent ones; hyphens and punctuation at the end are ignored. A near miss is
//! [`Parsed::Trouble`] with the probable command, and starts nothing. Any other word, such as `!testmexyz`, belongs to
//! other bots and is ignored. After a command nothing is ignored: unknown text is [`Parsed::Trouble`], so that a run
//! never differs from the request.

mod command;
mod lines;
mod trouble;
mod words;

pub use self::command::{Command, NoCommand, TestMe};
pub use self::trouble::{Quoted, Trouble};
pub use self::words::{Hold, Only, Release};

use serde::{Deserialize, Serialize};

/// A longer comment is not parsed: it is no command with some text, and a part of it can parse differently from the
/// whole.
pub const COMMENT_BYTES: usize = 64 * 1024;

/// Maximum number of commands in a comment; the rest is not parsed.
pub const COMMANDS: usize = 10;

/// One line of a comment that is addressed to cc-ci.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parsed {
    Command(Command),
    /// A line that was probably meant as one.
    Trouble(Trouble),
}

/// The commands of a comment's markdown, in order.
pub fn parse(markdown: &str) -> Vec<Parsed> {
    if markdown.len() > COMMENT_BYTES || !markdown.contains('!') {
        return Vec::new();
    }
    let mut said: Vec<Parsed> = lines::of(markdown).into_iter().filter_map(command::read).collect();
    if said.len() > COMMANDS {
        said.truncate(COMMANDS);
        said.push(Parsed::Trouble(Trouble::TooMany));
    }
    said
}

#[cfg(test)]
mod mutations;
#[cfg(test)]
mod tests;
