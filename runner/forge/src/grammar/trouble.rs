//! Lines that were probably meant as commands, and the answer to them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A word of a comment that may be shown in an answer: at most 40 visible characters, none of which ends a code span of
/// markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Quoted(String);

impl From<String> for Quoted {
    fn from(text: String) -> Self {
        let fine = |c: char| !c.is_control() && !c.is_whitespace() && c != '`';
        // Characters that change the writing direction would affect the rest of the answer too.
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
    /// The first word is similar to a command.
    #[error("{word} is no command: did you mean {meant}?")]
    NearMiss {
        /// The word as written.
        word: Quoted,
        /// The probable command.
        meant: Quoted,
    },
    /// An argument that the command does not have.
    #[error("{command} does not take {word}{}", hint(.meant.as_ref(), .takes))]
    Argument {
        command: Quoted,
        word: Quoted,
        /// The probable argument.
        meant: Option<Quoted>,
        /// What the command takes.
        takes: String,
    },
    /// An invalid value of an argument.
    #[error("{value} is not what {argument} takes: {takes}")]
    Value {
        argument: Quoted,
        value: Quoted,
        /// What it takes.
        takes: String,
    },
    /// An argument that is repeated, or excluded by another one.
    #[error("{word} is one argument too many")]
    Surplus { word: Quoted },
    #[error("a command of more than {} characters is not read", super::command::LINE)]
    LongLine,
    #[error("a comment may have {} commands, the rest is ignored", super::COMMANDS)]
    TooMany,
}

fn hint(meant: Option<&Quoted>, takes: &str) -> String {
    match meant {
        Some(meant) => format!(": did you mean {meant}?"),
        None => format!(". It takes {takes}"),
    }
}
