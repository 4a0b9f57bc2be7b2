//! Durations of stages.

use std::collections::BTreeMap;

use base::names::RecipeName;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rusqlite::{Connection, Params};

use crate::row::{at, word_of};
use crate::{Db, HistoryError};
use journal::event::Stage;

/// Durations of a stage in the runs that passed it. Other runs say nothing about its duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    pub stage: Stage,
    /// Number of runs.
    pub runs: u64,
    /// The median in milliseconds.
    pub p50_ms: u64,
    /// The 95th percentile in milliseconds.
    pub p95_ms: u64,
}

/// The spreads of one week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// Its Monday, in UTC.
    pub monday: Date,
    /// The stages that passed in it, in order.
    pub stages: Vec<Spread>,
}

impl Db {
    /// Durations of a recipe's stages by week, since `since`; weeks without a run are omitted.
    pub fn weeks(&self, recipe: &RecipeName, since: Timestamp) -> Result<Vec<Week>, HistoryError> {
        let ask = "SELECT r.at_ms, s.stage, s.took_ms FROM runs r JOIN stages s ON s.run = r.id
            WHERE r.recipe = ?1 AND r.at_ms >= ?2 AND s.state = 'passed' AND s.took_ms IS NOT NULL";
        let times = self.ask(|sql| times(sql, ask, (recipe.as_str(), since.as_millisecond())))?;
        let mut weeks: BTreeMap<Date, Vec<(Stage, u64)>> = BTreeMap::new();
        for (at, stage, took) in times {
            weeks.entry(monday(at)).or_default().push((stage, took));
        }
        Ok(weeks.into_iter().map(|(monday, times)| Week { monday, stages: spreads(times) }).collect())
    }

    /// Durations of a recipe's stages in its newest `last` runs.
    pub fn spreads(&self, recipe: &RecipeName, last: u32) -> Result<Vec<Spread>, HistoryError> {
        let ask = "SELECT r.at_ms, s.stage, s.took_ms
            FROM (SELECT id, at_ms FROM runs WHERE recipe = ?1 ORDER BY at_ms DESC, run DESC LIMIT ?2) r
            JOIN stages s ON s.run = r.id WHERE s.state = 'passed' AND s.took_ms IS NOT NULL";
        let times = self.ask(|sql| times(sql, ask, (recipe.as_str(), last)))?;
        Ok(spreads(times.into_iter().map(|(_, stage, took)| (stage, took)).collect()))
    }
}

fn times(sql: &Connection, ask: &str, values: impl Params) -> rusqlite::Result<Vec<(Timestamp, Stage, u64)>> {
    let mut ask = sql.prepare_cached(ask)?;
    let mut rows = ask.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(stage) = word_of(row.get_ref(1)?.as_str()?) {
            found.push((at(row, 0)?, stage, row.get(2)?));
        }
    }
    Ok(found)
}

fn monday(at: Timestamp) -> Date {
    let date = at.to_zoned(TimeZone::UTC).date();
    let since = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(since.days()).unwrap_or(date)
}

fn spreads(times: Vec<(Stage, u64)>) -> Vec<Spread> {
    let mut stages: BTreeMap<Stage, Vec<u64>> = BTreeMap::new();
    for (stage, took) in times {
        stages.entry(stage).or_default().push(took);
    }
    let spread = |(stage, mut times): (Stage, Vec<u64>)| {
        times.sort_unstable();
        let (p50_ms, p95_ms) = (rank(&times, 50), rank(&times, 95));
        Spread { stage, runs: times.len() as u64, p50_ms, p95_ms }
    };
    stages.into_iter().map(spread).collect()
}

/// The nearest-rank percentile.
fn rank(sorted: &[u64], percent: usize) -> u64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_runs_themselves() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!((rank(&hundred, 50), rank(&hundred, 95)), (50, 95));
        assert_eq!((rank(&[7], 50), rank(&[7], 95), rank(&[], 50)), (7, 7, 0));
        assert_eq!(rank(&[1, 2], 95), 2);
    }

    #[test]
    fn a_week_begins_on_its_monday() {
        let of = |text: &str| monday(text.parse().unwrap()).to_string();
        assert_eq!(of("2026-11-22T23:59:59Z"), "2026-11-16");
        assert_eq!(of("2026-11-23T00:00:00Z"), "2026-11-23");
    }
}
