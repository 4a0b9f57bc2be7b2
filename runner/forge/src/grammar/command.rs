//! Parses a line to a command. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::trouble::Trouble;
use super::words::{Hold, Only, Release};
use super::{Parsed, lines};

/// A longer line is no command.
pub(super) const LINE: usize = 600;

/// A command. Its `Display` is a line that parses to the same command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Command {
    /// Run the pull request's head.
    TestMe(TestMe),
    /// Stop the run of this pull request.
    Stop,
    /// Show the run's status.
    Status,
    /// Keep the run's app for a while.
    Hold(Hold),
}

/// The part to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestMe {
    /// What was not green the last time.
    Failed,
    /// Everything, or the named parts.
    Run {
        /// The stages and tests; all if unset.
        only: Option<Only>,
        /// The release that the upgrade starts from; defaults to the one before the head's.
        from: Option<Release>,
    },
}

const NAMES: [&str; 4] = ["testme", "stop", "status", "hold"];
const ONLY: &str = "stages and tests, such as `only=backup,functional/20-content.hurl`, with no space between";
const FROM: &str = "the name of a release, such as `from=1.2.0+3.4.5`";
const HOLD: &str = "minutes or hours up to a day, such as `30m` or `2h`";
const TESTME: &str = "`only=…`, `from=…`, or `failed` alone";

/// Parses a line that begins with `!`; `None` if it is not a command for cc-ci.
pub(super) fn read(line: &str) -> Option<Parsed> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    let name = first.strip_prefix('!')?.to_ascii_lowercase();
    if !NAMES.contains(&name.as_str()) {
        let meant = near(&name)?;
        return Some(Parsed::Trouble(Trouble::NearMiss { word: first.into(), meant: format!("!{meant}").into() }));
    }
    if line.len() > LINE {
        return Some(Parsed::Trouble(Trouble::LongLine));
    }
    let words: Vec<&str> = words.collect();
    let command = match name.as_str() {
        "testme" => testme(&words).map(Command::TestMe),
        "hold" => hold(&words).map(Command::Hold),
        "stop" => alone("!stop", &words).map(|()| Command::Stop),
        _ => alone("!status", &words).map(|()| Command::Status),
    };
    Some(command.map_or_else(Parsed::Trouble, Parsed::Command))
}

fn testme(words: &[&str]) -> Result<TestMe, Trouble> {
    let (mut only, mut from, mut failed) = (None, None, false);
    for word in words {
        let twice = || Trouble::Surplus { word: (*word).into() };
        let wrong = |argument: &str, value: &str, takes: &str| Trouble::Value {
            argument: argument.into(),
            value: value.into(),
            takes: takes.to_owned(),
        };
        match word.split_once('=') {
            Some(("only", _)) if only.is_some() => return Err(twice()),
            Some(("from", _)) if from.is_some() => return Err(twice()),
            Some(("only", value)) => only = Some(value.parse::<Only>().map_err(|()| wrong("only=", value, ONLY))?),
            Some(("from", value)) => from = Some(value.parse::<Release>().map_err(|()| wrong("from=", value, FROM))?),
            None if *word == "failed" && failed => return Err(twice()),
            None if *word == "failed" => failed = true,
            _ => return Err(not_taken(word)),
        }
        if failed && words.len() > 1 {
            let other = words.iter().find(|other| **other != "failed").unwrap_or(word);
            return Err(Trouble::Surplus { word: (*other).into() });
        }
    }
    Ok(if failed { TestMe::Failed } else { TestMe::Run { only, from } })
}

/// An argument that `!testme` does not have.
fn not_taken(word: &str) -> Trouble {
    let (key, value) = word.split_once('=').map_or((word, None), |(key, value)| (key, Some(value)));
    let key = key.trim_start_matches('-').to_ascii_lowercase();
    let meant = ["only", "from", "failed"].into_iter().find(|known| strsim::osa_distance(&key, known) <= 2);
    let meant = match (meant, value) {
        (Some("failed"), _) => Some("failed".to_owned()),
        (Some(meant), value) => Some(format!("{meant}={}", value.unwrap_or("…"))),
        (None, _) => None,
    };
    Trouble::Argument {
        command: "!testme".into(),
        word: word.into(),
        meant: meant.map(Into::into),
        takes: TESTME.to_owned(),
    }
}

fn hold(words: &[&str]) -> Result<Hold, Trouble> {
    let value = words.first().copied().unwrap_or_default();
    if let Some(word) = words.get(1) {
        return Err(Trouble::Surplus { word: (*word).into() });
    }
    value.parse().map_err(|()| Trouble::Value {
        argument: "!hold".into(),
        value: if value.is_empty() { "nothing".into() } else { value.into() },
        takes: HOLD.to_owned(),
    })
}

fn alone(command: &str, words: &[&str]) -> Result<(), Trouble> {
    match words.first() {
        None => Ok(()),
        Some(word) => Err(Trouble::Argument {
            command: command.into(),
            word: (*word).into(),
            meant: None,
            takes: "nothing".to_owned(),
        }),
    }
}

/// The command that a word is similar to, by the rule in the module's documentation.
fn near(name: &str) -> Option<&'static str> {
    let name = name.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
    // No near miss is longer, and comparing long words is slow.
    if name.len() > 12 {
        return None;
    }
    let plain: String = name.chars().filter(|c| !matches!(c, '-' | '_')).collect();
    NAMES.into_iter().find(|known| {
        let changes = if known.len() > 5 { 2 } else { 1 };
        plain.get(..1) == known.get(..1) && strsim::osa_distance(&plain, known) <= changes
    })
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TestMe(TestMe::Failed) => f.write_str("!testme failed"),
            Self::TestMe(TestMe::Run { only, from }) => {
                f.write_str("!testme")?;
                only.iter().try_for_each(|only| write!(f, " only={only}"))?;
                from.iter().try_for_each(|from| write!(f, " from={from}"))
            }
            Self::Stop => f.write_str("!stop"),
            Self::Status => f.write_str("!status"),
            Self::Hold(hold) => write!(f, "!hold {hold}"),
        }
    }
}

/// The text is not exactly one command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not exactly one command of cc-ci")]
pub struct NoCommand;

impl FromStr for Command {
    type Err = NoCommand;
    fn from_str(text: &str) -> Result<Self, NoCommand> {
        match lines::of(text).as_slice() {
            [line] if line.len() == text.len() => match read(line) {
                Some(Parsed::Command(command)) => Ok(command),
                _ => Err(NoCommand),
            },
            _ => Err(NoCommand),
        }
    }
}
impl TryFrom<String> for Command {
    type Error = NoCommand;
    fn try_from(text: String) -> Result<Self, NoCommand> {
        text.parse()
    }
}
impl From<Command> for String {
    fn from(command: Command) -> Self {
        command.to_string()
    }
}
