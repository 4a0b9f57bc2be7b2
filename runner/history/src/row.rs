//! A run's row, and the conversion of columns to the journal's types.

use base::failure::Cause;
use base::names::{Commit, RecipeName, RunId};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Row;
use rusqlite::types::Type;
use serde::de::IntoDeserializer;
use serde::de::value::Error as Unknown;
use serde::{Deserialize, Serialize};

use journal::event::{Stage, VerdictKind};
use journal::tone::Tone;

/// A run's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Its process lives and it has no verdict yet.
    Live,
    /// It has a verdict.
    Ended,
    /// It was killed before a verdict.
    NoEnd,
}

impl RunState {
    /// The name in the database and in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ended => "ended",
            Self::NoEnd => "no-end",
        }
    }
}

/// One run, without its stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    pub run: RunId,
    pub recipe: RecipeName,
    /// The tested commit.
    pub head: Commit,
    /// The first line of its message; untrusted text.
    pub head_subject: String,
    /// The version in the head's compose file; untrusted text.
    pub head_version: Option<String>,
    /// The release that the upgrade starts from.
    pub base: Option<String>,
    pub pull_request: Option<u64>,
    /// The address of the repository, without credentials.
    pub source: String,
    /// The machine.
    pub host: String,
    /// The version of the cc-ci that ran it.
    pub cc_ci: String,
    /// The requested part; empty for everything.
    pub only: Vec<String>,
    /// When it began.
    pub at: Timestamp,
    /// Its duration, or its time until the last line, in milliseconds.
    pub took_ms: u64,
    /// The same without preparation and waiting, if it passed.
    pub worked_ms: Option<u64>,
    pub state: RunState,
    /// `None` while it lives.
    pub tone: Option<Tone>,
    pub word: Option<VerdictKind>,
    /// The stage that decided the verdict, if it is not green.
    pub stage: Option<Stage>,
    /// The code of the failure that decided the verdict; see `base::failure::Kind`.
    pub kind: Option<String>,
    /// The verdict's line; for a live run its current activity. May contain untrusted text.
    pub line: String,
    /// What to look at, if it is not green.
    pub look_at: Option<String>,
    /// Lines of its journal so far.
    pub lines: u64,
    /// Whether its journal is final and completely imported.
    pub sealed: bool,
    /// Defects of its journal, a line each.
    pub remarks: Vec<String>,
}

impl RunRow {
    /// Whether everything was requested.
    pub fn is_whole(&self) -> bool {
        self.only.is_empty()
    }

    /// Who has to act, if it failed.
    pub fn cause(&self) -> Option<Cause> {
        match self.word {
            Some(VerdictKind::Failed(cause)) => Some(cause),
            _ => None,
        }
    }

    /// The time since it began; zero if the clock was set back.
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.at).max(SignedDuration::ZERO)
    }
}

/// The columns that [`run_row`] reads, of the table or alias `r`.
pub(super) const RUN: &str = "r.run, r.recipe, r.head, r.head_subject, r.head_version, r.base, r.pull, r.source, r.host, \
    r.cc_ci, r.only_json, r.at_ms, r.took_ms, r.worked_ms, r.state, r.tone, r.word, r.cause, r.kind, r.stage, r.line, \
    r.look_at, r.lines, r.sealed, r.remarks_json";
pub(super) const RUN_COLUMNS: usize = 25;

pub(super) fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let word = match (row.get::<_, Option<String>>(16)?.as_deref(), row.get::<_, Option<String>>(17)?) {
        (Some("passed"), _) => Some(VerdictKind::Passed),
        (Some("cancelled"), _) => Some(VerdictKind::Cancelled),
        // A later cc-ci's cause is unknown here, and red all the same.
        (Some(_), cause) => {
            Some(VerdictKind::Failed(cause.and_then(|text| word_of(&text)).unwrap_or(Cause::Infrastructure)))
        }
        (None, _) => None,
    };
    let tone: String = row.get(15)?;
    Ok(RunRow {
        run: parsed(row, 0)?,
        recipe: parsed(row, 1)?,
        head: parsed(row, 2)?,
        head_subject: row.get(3)?,
        head_version: row.get(4)?,
        base: row.get(5)?,
        pull_request: row.get(6)?,
        source: row.get(7)?,
        host: row.get(8)?,
        cc_ci: row.get(9)?,
        only: listed(&row.get::<_, String>(10)?),
        at: at(row, 11)?,
        took_ms: row.get(12)?,
        worked_ms: row.get(13)?,
        state: state(&row.get::<_, String>(14)?),
        tone: Tone::ALL.into_iter().find(|one| one.word() == tone),
        word,
        kind: row.get(18)?,
        stage: row.get::<_, Option<String>>(19)?.and_then(|text| word_of(&text)),
        line: row.get(20)?,
        look_at: row.get(21)?,
        lines: row.get(22)?,
        sealed: row.get(23)?,
        remarks: listed(&row.get::<_, String>(24)?),
    })
}

/// Parses a name from a column.
pub(super) fn parsed<T: std::str::FromStr>(row: &Row<'_>, at: usize) -> rusqlite::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(at)?;
    text.parse().map_err(|error: T::Err| rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error)))
}

/// A time from a column of Unix milliseconds.
pub(super) fn at(row: &Row<'_>, at: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(row.get(at)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(at, Type::Integer, Box::new(error)))
}

/// A name of the journal, such as a stage or an outcome.
pub(super) fn word_of<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    T::deserialize(IntoDeserializer::<'a, Unknown>::into_deserializer(text)).ok()
}

pub(super) fn state(text: &str) -> RunState {
    match text {
        "live" => RunState::Live,
        "ended" => RunState::Ended,
        _ => RunState::NoEnd,
    }
}

/// The name of a cause in the journal.
pub(super) fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::Recipe => "recipe",
        Cause::Test => "test",
        Cause::BaseRelease => "base-release",
        Cause::Dependency => "dependency",
        Cause::Infrastructure => "infrastructure",
    }
}

/// A list's text in a column.
pub(super) fn list(texts: &[String]) -> String {
    serde_json::json!(texts).to_string()
}

fn listed(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}
