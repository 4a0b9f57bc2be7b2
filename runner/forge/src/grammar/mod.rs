//! What a comment asks for. Pure.
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
//! What stands in a quote, in code, in a table, in a footnote or in HTML is talked about and not asked
//! for. Upper and lower case of the first word are the same.
//!
//! **Near misses.** `!` and a word that is no command is a near miss of one that begins with the same
//! letter, when it takes at most two changes to become `testme` or `status`, or one to become `stop` or
//! `hold`. A change is a letter too many, too few, another one, or two neighbours swapped; hyphens and
//! what ends a sentence are not counted. A near miss is [`Parsed::Trouble`] with the word that was probably
//! meant, and starts nothing. Any other word, such as `!testmexyz`, is somebody's own and is nothing at all.
//! Behind a command there are no own words: what is not understood there is trouble, so that a run is
//! never another one than was asked for.

mod command;
mod lines;
mod trouble;
mod words;

pub use self::command::{Command, NoCommand, TestMe};
pub use self::trouble::{Quoted, Trouble};
pub use self::words::{Hold, Only, Release};

use serde::{Deserialize, Serialize};

/// A longer comment is not read: it is no command with a word beside it, and half of it can be read
/// differently from the whole.
pub const COMMENT_BYTES: usize = 64 * 1024;

/// More commands in one comment are not read.
pub const COMMANDS: usize = 10;

/// One line of a comment that is meant for cc-ci.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parsed {
    /// A command.
    Command(Command),
    /// A line that was probably meant as one.
    Trouble(Trouble),
}

/// Reads a comment's markdown: its commands, in their order. Empty where it has none.
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
