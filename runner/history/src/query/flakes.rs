//! Flaky checks: the same commit with different outcomes.

use std::collections::BTreeMap;

use base::names::{RecipeName, RunId};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::journal::{JournalLine, lines};
use crate::row::{RUN, RUN_COLUMNS, RunRow, run_row, word_of};
use crate::{Db, HistoryError};
use journal::event::{Event, Record, Stage};

/// A check that was red in one run and green in another, with the same commit, base and selection. The red run stays
/// red.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flake {
    pub stage: Stage,
    pub check: String,
    /// The newest red run that has a green counterpart.
    pub red: RunRow,
    /// The line in the red run's journal.
    pub red_line: u64,
    /// The green run nearest in time.
    pub green: RunRow,
    /// The line in the green run's journal.
    pub green_line: u64,
    /// In how many runs it was red while another was green.
    pub times: u64,
}

/// The first point where the records of two runs differ in more than time, names and texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parting {
    /// The line of the first run's journal; `None` if that ended before.
    pub left: Option<JournalLine>,
    /// The line of the second run's journal.
    pub right: Option<JournalLine>,
}

impl Db {
    /// A recipe's flaky checks, by stage and name.
    pub fn flakes(&self, recipe: &RecipeName) -> Result<Vec<Flake>, HistoryError> {
        self.ask(|sql| flakes(sql, recipe))
    }

    /// The first point where two runs differ; `None` if they do not, or one of them is not in the history.
    pub fn parting(&self, left: &RunId, right: &RunId) -> Result<Option<Parting>, HistoryError> {
        self.ask(|sql| {
            let (Some(left), Some(right)) = (events(sql, left)?, events(sql, right)?) else { return Ok(None) };
            let at = (0..left.len().max(right.len()))
                .find(|at| left.get(*at).map(|(_, what)| what) != right.get(*at).map(|(_, what)| what));
            Ok(at.map(|at| {
                let line = |side: &[(JournalLine, String)]| side.get(at).map(|(line, _)| line.clone());
                Parting { left: line(&left), right: line(&right) }
            }))
        })
    }
}

fn flakes(sql: &Connection, recipe: &RecipeName) -> rusqlite::Result<Vec<Flake>> {
    let mut red = sql.prepare_cached(&format!(
        "SELECT {RUN}, r.id, c.stage, c.name, c.line FROM runs r
            JOIN checks c INDEXED BY checks_red ON c.run = r.id AND c.outcome = 'failed'
            WHERE r.recipe = ?1 AND r.word IS NOT 'cancelled' ORDER BY r.at_ms DESC, r.run DESC, c.line"
    ))?;
    let mut green = sql.prepare_cached(&format!(
        "SELECT {RUN}, c.line FROM runs one JOIN runs r ON r.recipe = one.recipe AND r.head = one.head
                AND r.base IS one.base AND r.only_json = one.only_json AND r.id <> one.id
            JOIN checks c ON c.run = r.id AND c.stage = ?2 AND c.name = ?3 AND c.outcome = 'passed'
            WHERE one.id = ?1 AND r.word IS NOT 'cancelled' ORDER BY abs(r.at_ms - one.at_ms), r.run LIMIT 1"
    ))?;
    let mut found: BTreeMap<(Stage, String), Flake> = BTreeMap::new();
    let mut rows = red.query([recipe.as_str()])?;
    while let Some(row) = rows.next()? {
        let (stage, check): (String, String) = (row.get(RUN_COLUMNS + 1)?, row.get(RUN_COLUMNS + 2)?);
        let Some(known) = word_of::<Stage>(&stage) else { continue };
        let id: i64 = row.get(RUN_COLUMNS)?;
        let pair = green
            .query_row(params![id, stage, check], |row| Ok((run_row(row)?, row.get::<_, u64>(RUN_COLUMNS)?)))
            .optional()?;
        let Some((green, green_line)) = pair else { continue };
        let flake = Flake {
            stage: known,
            check: check.clone(),
            red: run_row(row)?,
            red_line: row.get(RUN_COLUMNS + 3)?,
            green,
            green_line,
            times: 0,
        };
        found.entry((known, check)).or_insert(flake).times += 1;
    }
    Ok(found.into_values().collect())
}

/// A run's events without the parts that differ in every run.
fn events(sql: &Connection, run: &RunId) -> rusqlite::Result<Option<Vec<(JournalLine, String)>>> {
    let Some((id, _)) = super::run_detail::by_name(sql, run)? else { return Ok(None) };
    let lines = lines(sql, id, 0, u64::MAX)?;
    let mut names = Vec::new();
    let mut events = Vec::new();
    for line in lines {
        let Some(record) = line.record() else { continue };
        if let Event::RunStarted(started) = &record.event {
            names = vec![started.domain.to_string(), started.stack.to_string(), started.run.to_string()];
        }
        if let Some(what) = essence(&record, &names) {
            events.push((line, what));
        }
    }
    Ok(Some(events))
}

/// The part of a record that is the same for the same commit.
fn essence(record: &Record, names: &[String]) -> Option<String> {
    match &record.event {
        Event::StageStarted { stage, .. } => Some(format!("{stage} begins")),
        Event::AbraCalled { stage, call } => {
            let mut words = call.args.join(" ");
            for name in names {
                words = words.replace(name.as_str(), "_");
            }
            Some(format!("{stage}: abra {words} exits {:?}", call.exit))
        }
        Event::CheckEnded { stage, check } => {
            let kind = check.fault.as_ref().map_or("", |fault| fault.failure.kind.code());
            Some(format!("{stage}: {} {} {kind}", check.name, check.outcome.name()))
        }
        Event::StageEnded { stage, result, .. } => Some(format!("{stage} ends {}", result.outcome.name())),
        Event::ObjectsLeft { objects } => Some(format!("{} objects left", objects.len())),
        Event::RunEnded { verdict } => Some(format!("{:?}", verdict.word)),
        Event::RunStarted(_)
        | Event::Progress { .. }
        | Event::Noted { .. }
        | Event::ServiceLogs { .. }
        | Event::TaskHistory { .. }
        | Event::ComposeDeployed { .. } => None,
    }
}
