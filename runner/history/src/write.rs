//! Writes rows. Every function works within its caller's transaction.

use base::names::{RecipeName, RunId};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::chunk::{Chunk, pack};
use super::row::{self, RunState};
use super::tally::Tally;
use base::failure::Cause;
use journal::event::{Outcome, VerdictKind};
use journal::fold::{StageProgress, StageView};

/// The database's data about a run's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) state: RunState,
    pub(super) lines: u64,
    pub(super) bytes: u64,
    pub(super) file_bytes: u64,
    pub(super) sealed: bool,
}

pub(super) fn known(db: &Connection, run: &RunId) -> rusqlite::Result<Option<Known>> {
    let sql = "SELECT id, state, lines, bytes, file_bytes, sealed FROM runs WHERE run = ?1";
    db.prepare_cached(sql)?
        .query_row([run.as_str()], |row| {
            Ok(Known {
                id: row.get(0)?,
                state: row::state(&row.get::<_, String>(1)?),
                lines: row.get(2)?,
                bytes: row.get(3)?,
                file_bytes: row.get(4)?,
                sealed: row.get(5)?,
            })
        })
        .optional()
}

pub(super) fn live(db: &Connection) -> rusqlite::Result<Vec<RunId>> {
    let mut ask = db.prepare_cached("SELECT run FROM runs INDEXED BY runs_live WHERE state = 'live'")?;
    let runs = ask.query_map([], |row| row::parsed(row, 0))?;
    runs.collect()
}

/// A run's state, and the length of its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) state: RunState,
    pub(super) file_bytes: u64,
    pub(super) sealed: bool,
}

/// Writes the rows of the run and its stages; returns the run's number in the database.
pub(super) fn run(db: &Connection, run: &RunId, tally: &Tally, extent: Extent) -> rusqlite::Result<i64> {
    let view = &tally.view;
    let started = &view.started;
    let decided = view.verdict.as_ref().and_then(|verdict| verdict.decided_by.as_ref());
    let (word, cause) = match view.verdict.as_ref().map(|verdict| verdict.word) {
        None => (None, None),
        Some(VerdictKind::Passed) => (Some("passed"), None),
        Some(VerdictKind::Cancelled) => (Some("cancelled"), None),
        Some(VerdictKind::Failed(cause)) => (Some("failed"), Some(cause)),
    };
    let about_the_recipe = match word {
        Some("passed") => true,
        Some("failed") => cause != Some(Cause::Infrastructure),
        _ => false,
    };
    let live = extent.state == RunState::Live;
    let (line, look_at) = if live { (busy(tally), None) } else { (view.line(), view.look_at()) };
    let sql = "INSERT INTO runs (run, recipe, head, head_subject, head_version, base, pull, source, host, cc_ci, only_json,
            at_ms, took_ms, worked_ms, state, tone, word, cause, kind, stage, line, look_at, telling, lines, bytes,
            file_bytes, sealed, remarks_json)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
            ?23, ?24, ?25, ?26, ?27, ?28)
        ON CONFLICT (run) DO UPDATE SET took_ms = ?13, worked_ms = ?14, state = ?15, tone = ?16, word = ?17, cause = ?18,
            kind = ?19, stage = ?20, line = ?21, look_at = ?22, telling = ?23, lines = ?24, bytes = ?25,
            file_bytes = ?26, sealed = ?27, remarks_json = ?28
        RETURNING id";
    let id = db.prepare_cached(sql)?.query_row(
        params![
            run.as_str(),
            started.recipe.as_str(),
            started.head.as_str(),
            started.head_subject,
            started.head_version,
            started.base,
            started.pull_request.map(|pull| i64::try_from(pull).unwrap_or(i64::MAX)),
            started.source,
            started.host.name,
            started.cc_ci,
            row::list(&started.only),
            view.at.as_millisecond(),
            ms(view.took_ms),
            view.worked_ms().map(ms),
            extent.state.name(),
            if live { "live" } else { view.tone().word() },
            word,
            cause.map(row::cause_name),
            decided.map(|decision| decision.fault.failure.kind.code()),
            decided.map(|decision| decision.stage.name()),
            line,
            look_at,
            started.only.is_empty() && about_the_recipe,
            ms(tally.lines),
            ms(tally.bytes),
            ms(extent.file_bytes),
            extent.sealed,
            row::list(&tally.remarks),
        ],
        |row| row.get(0),
    )?;
    for (place, view) in view.stages.iter().enumerate() {
        stage(db, id, place, view)?;
    }
    Ok(id)
}

/// A live run's current activity.
fn busy(tally: &Tally) -> String {
    match tally.view.running() {
        Some(stage) => {
            let busy = stage.busy_with.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
            format!("in {}{busy}", stage.stage)
        }
        None => "between two stages".to_owned(),
    }
}

fn stage(db: &Connection, id: i64, place: usize, view: &StageView) -> rusqlite::Result<()> {
    let fault = view.result().and_then(|result| result.fault.as_ref());
    let state = match &view.state {
        StageProgress::Waiting => "waiting",
        StageProgress::Running => "running",
        StageProgress::Ended(result) => result.outcome.name(),
    };
    let used = view.used.as_ref();
    let sql = "INSERT OR REPLACE INTO stages (run, stage, place, state, cause, kind, what, reason, busy_with, from_ms,
            took_ms, expected_ms, memory_peak, disk)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    db.prepare_cached(sql)?.execute(params![
        id,
        view.stage.name(),
        i64::try_from(place).unwrap_or(i64::MAX),
        state,
        fault.map(|fault| row::cause_name(fault.cause)),
        fault.map(|fault| fault.failure.kind.code()),
        fault.map(|fault| fault.failure.what.as_str()),
        view.reason(),
        view.busy_with,
        view.from_ms.map(ms),
        view.took_ms.map(ms),
        view.expected_ms.map(ms),
        used.and_then(|used| used.memory_peak).map(ms),
        used.and_then(|used| used.disk).map(ms),
    ])?;
    Ok(())
}

/// Writes checks and chunks that no table has yet.
pub(super) fn rest(db: &Connection, id: i64, tally: &mut Tally) -> rusqlite::Result<()> {
    let sql = "INSERT INTO checks (run, line, stage, name, origin, outcome, cause, kind, text, took_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let mut insert = db.prepare_cached(sql)?;
    for (line, stage, check) in tally.checks.drain(..) {
        let fault = check.fault.as_ref();
        // A red check's text is its fault's; others have their own.
        let text = fault.filter(|_| check.text.is_empty() && check.outcome != Outcome::Passed);
        insert.execute(params![
            id,
            ms(line),
            stage.name(),
            check.name,
            check.origin.name(),
            check.outcome.name(),
            fault.map(|fault| row::cause_name(fault.cause)),
            fault.map(|fault| fault.failure.kind.code()),
            text.map_or(check.text.as_str(), |fault| fault.failure.what.as_str()),
            ms(check.took_ms),
        ])?;
    }
    for full in tally.full.drain(..) {
        chunk(db, id, &full)?;
    }
    Ok(())
}

/// Writes a chunk, replacing its shorter version.
pub(super) fn chunk(db: &Connection, id: i64, chunk: &Chunk) -> rusqlite::Result<()> {
    if chunk.lines == 0 {
        return Ok(());
    }
    let data = pack(&chunk.raw).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let sql = "INSERT INTO chunks (run, first, lines, bytes, data) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (run, first) DO UPDATE SET lines = ?3, bytes = ?4, data = ?5";
    db.prepare_cached(sql)?.execute(params![id, ms(chunk.first), ms(chunk.lines), ms(chunk.raw.len() as u64), data])?;
    Ok(())
}

/// Removes all rows of a run.
pub(super) fn forget(db: &Connection, id: i64) -> rusqlite::Result<()> {
    for table in ["stages", "checks", "chunks", "files"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1"))?.execute([id])?;
    }
    db.prepare_cached("DELETE FROM runs WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Updates the recipe's row for the overview.
pub(super) fn latest(db: &Connection, recipe: &RecipeName) -> rusqlite::Result<()> {
    let newest = "ORDER BY at_ms DESC, run DESC LIMIT 1";
    let of = |wanted: &str| format!("(SELECT id FROM runs WHERE recipe = ?1 {wanted} {newest})");
    let sql = format!(
        "INSERT OR REPLACE INTO latest (recipe, newest, main, telling, verdict, green, green_whole)
            VALUES (?1, {}, {}, {}, {}, {}, {})",
        of(""),
        of("AND telling = 1 AND pull IS NULL"),
        of("AND telling = 1"),
        of("AND word IS NOT NULL"),
        of("AND word = 'passed'"),
        of("AND word = 'passed' AND telling = 1"),
    );
    let any: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM runs WHERE recipe = ?1)")?
        .query_row([recipe.as_str()], |row| row.get(0))?;
    if any {
        db.prepare_cached(&sql)?.execute([recipe.as_str()])?;
    } else {
        db.prepare_cached("DELETE FROM latest WHERE recipe = ?1")?.execute([recipe.as_str()])?;
    }
    Ok(())
}

/// SQLite's numbers are signed.
fn ms(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
