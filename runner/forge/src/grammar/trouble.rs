//! Lines that were probably meant as commands, and what to say about them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A word of a comment that may be shown in an answer: at most 40 visible characters, nothing that ends a
/// code span of markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Quoted(String);

impl From<String> for Quoted {
    fn from(text: String) -> Self {
        let fine = |c: char| !c.is_control() && !c.is_whitespace() && c != '`';
        // Letters that turn the direction of writing would turn the rest of the answer too.
        let turns = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        Self(text.chars().filter(|c| fine(*c) && !turns(*c)).take(40).collect())
    }
}
impl From<&str> for Quoted {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}
impl From<Quoted> for String {
    fn from(word: Quoted) -> Self {
        word.0
    }
}
impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

/// Why a line starts nothing. Its `Display` is one sentence of markdown for the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// The first word is nearly a command.
    #[error("{word} is no command: did you mean {meant}?")]
    NearMiss {
        /// What stands there.
        word: Quoted,
        /// What was probably meant.
        meant: Quoted,
    },
    /// An argument that the command does not have.
    #[error("{command} does not take {word}{}", hint(.meant.as_ref(), .takes))]
    Argument {
        /// The command.
        command: Quoted,
        /// The argument.
        word: Quoted,
        /// What was probably meant.
        meant: Option<Quoted>,
        /// What the command takes.
        takes: String,
    },
    /// A value that the argument does not have.
    #[error("{value} is not what {argument} takes: {takes}")]
    Value {
        /// The argument.
        argument: Quoted,
        /// Its value.
        value: Quoted,
        /// What it takes.
        takes: String,
    },
    /// An argument that is there twice, or beside one that excludes it.
    #[error("{word} is one argument too many")]
    Surplus {
        /// The argument.
        word: Quoted,
    },
    /// A line that is too long to be a command.
    #[error("a command of more than {} characters is not read", super::command::LINE)]
    LongLine,
    /// Too many commands in one comment.
    #[error("a comment may have {} commands, the rest is not read", super::COMMANDS)]
    TooMany,
}

fn hint(meant: Option<&Quoted>, takes: &str) -> String {
    match meant {
        Some(meant) => format!(": did you mean {meant}?"),
        None => format!(". It takes {takes}"),
    }
}
