//! Lists of runs, newest first, page by page.

use std::fmt;
use std::str::FromStr;

use base::names::{RecipeName, RunId};
use jiff::Timestamp;
use rusqlite::types::Value;

use crate::row::{RUN, RunRow, run_row};
use crate::{Db, HistoryError};
use journal::tone::Tone;

/// Filters runs; unset fields match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub recipe: Option<RecipeName>,
    pub pull_request: Option<u64>,
    pub shows: Option<Shows>,
}

/// A run's state in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// It lives and has no verdict yet.
    Live,
    /// It has stopped.
    Tone(Tone),
}

impl Shows {
    fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Tone(tone) => tone.word(),
        }
    }
}

/// The last run of a page. As text: the milliseconds of its start, a dot, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    pub at: Timestamp,
    pub run: RunId,
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.as_millisecond(), self.run)
    }
}

/// The text is no position in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it names no place in a list of runs; begin without it")]
pub struct NoPlace;

impl FromStr for After {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (at, run) = text.split_once('.').ok_or(NoPlace)?;
        let at = at.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).ok_or(NoPlace)?;
        Ok(Self { at, run: run.parse().map_err(|_| NoPlace)? })
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// Newest first.
    pub runs: Vec<RunRow>,
    /// The start of the next page; `None` at the end.
    pub next: Option<After>,
}

impl Db {
    /// The number of runs.
    pub fn count(&self) -> Result<u64, HistoryError> {
        self.ask(|sql| sql.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)))
    }

    /// Runs, newest first: at most `count` (1 to 1000) of those after `after`.
    pub fn list(&self, filter: &Filter, after: Option<&After>, count: u16) -> Result<ListPage, HistoryError> {
        let count = count.clamp(1, 1000);
        let mut wanted = vec!["1"];
        let mut values: Vec<Value> = Vec::new();
        if let Some(recipe) = &filter.recipe {
            wanted.push("r.recipe = ?");
            values.push(recipe.to_string().into());
        }
        if let Some(pull) = filter.pull_request {
            wanted.push("r.pull = ?");
            values.push(i64::try_from(pull).unwrap_or(i64::MAX).into());
        }
        if let Some(shows) = filter.shows {
            wanted.push("r.tone = ?");
            values.push(shows.name().to_owned().into());
        }
        if let Some(after) = after {
            wanted.push("(r.at_ms, r.run) < (?, ?)");
            values.push(after.at.as_millisecond().into());
            values.push(after.run.to_string().into());
        }
        // One extra row shows whether there is another page.
        values.push((i64::from(count) + 1).into());
        let ask = format!(
            "SELECT {RUN} FROM runs r WHERE {} ORDER BY r.at_ms DESC, r.run DESC LIMIT ?",
            wanted.join(" AND ")
        );
        self.ask(|sql| {
            let mut ask = sql.prepare_cached(&ask)?;
            let rows = ask.query_map(rusqlite::params_from_iter(values), run_row)?;
            let mut runs: Vec<RunRow> = rows.collect::<rusqlite::Result<_>>()?;
            let more = runs.len() > usize::from(count);
            runs.truncate(usize::from(count));
            let next = runs.last().filter(|_| more).map(|run| After { at: run.at, run: run.run.clone() });
            Ok(ListPage { runs, next })
        })
    }
}
