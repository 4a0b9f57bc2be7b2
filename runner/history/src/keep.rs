//! Retention.

use std::num::NonZeroU32;
use std::time::Duration;

use base::names::{RecipeName, RunId};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{TransactionBehavior, params};

use super::change::{ChangeKind, HistoryChange, RunChange};
use super::error::HistoryError;
use super::row::parsed;
use super::store::History;
use super::write;
use journal::number::{from_one, from_zero};
use journal::run_dir::RunDir;

/// Runs removed in one transaction, so that none takes long.
const AT_ONCE: usize = 50;
/// Pages of the file that are returned to the disk after each.
const PAGES: u32 = 2000;

/// Retention settings. The newest run of each recipe with a verdict, the newest green one, and those that the overview
/// and coverage show are kept for ever; a live run is never removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct Keep {
    /// Runs of each recipe that the history keeps
    #[arg(long, env = "CCCI_KEEP_RUNS", value_name = "RUNS", default_value_t = 1000,
        value_parser = |text: &str| from_one(text).map(NonZeroU32::get))]
    pub keep_runs: u32,

    /// Days that the history keeps a run
    #[arg(long, env = "CCCI_KEEP_DAYS", value_name = "DAYS", value_parser = from_zero, default_value_t = 365)]
    pub keep_days: u32,

    /// Days after which a run's folder is removed, if it is completely in the history
    #[arg(long, env = "CCCI_KEEP_FOLDERS", value_name = "DAYS", value_parser = from_zero, default_value_t = 30)]
    pub keep_folders: u32,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Runs removed from the history.
    pub runs: Vec<RunId>,
    /// Runs whose folder was removed.
    pub folders: Vec<RunId>,
}

struct Old {
    id: i64,
    run: RunId,
    recipe: RecipeName,
}

impl History {
    /// Applies retention as of `now`: first to the history, then to folders. Blocking.
    pub fn retain(&self, keep: &Keep, now: Timestamp) -> Result<Dropped, HistoryError> {
        // A replaced database file must not decide about folders.
        self.write(|_| Ok(()))?;
        let mut dropped = Dropped::default();
        let old = self.too_old(keep, now)?;
        for some in old.chunks(AT_ONCE) {
            // A run whose folder stays would be imported again.
            let gone: Vec<&Old> = some.iter().filter(|old| self.end_folder(&old.run, &mut dropped)).collect();
            self.forget(&gone)?;
            for old in gone {
                dropped.runs.push(old.run.clone());
                let (run, recipe) = (old.run.clone(), old.recipe.clone());
                self.tell(HistoryChange::Run(RunChange { run, recipe, kind: ChangeKind::Dropped, lines: 0..0 }));
            }
        }
        for run in self.spare_folders(keep, now)? {
            self.end_folder(&run, &mut dropped);
        }
        Ok(dropped)
    }

    fn too_old(&self, keep: &Keep, now: Timestamp) -> Result<Vec<Old>, HistoryError> {
        let ask = "SELECT id, run, recipe FROM (
                SELECT id, run, recipe, state, at_ms,
                    row_number() OVER (PARTITION BY recipe ORDER BY at_ms DESC, run DESC) AS place FROM runs
            ) r WHERE (place > ?1 OR at_ms < ?2) AND state <> 'live' AND NOT EXISTS (
                SELECT 1 FROM latest l WHERE l.recipe = r.recipe
                    AND r.id IN (l.main, l.telling, l.verdict, l.green, l.green_whole)
            ) ORDER BY at_ms";
        self.read_now(|db| {
            db.ask(|sql| {
                let mut ask = sql.prepare_cached(ask)?;
                let old = ask.query_map(params![keep.keep_runs, before(now, keep.keep_days)], |row| {
                    Ok(Old { id: row.get(0)?, run: parsed(row, 1)?, recipe: parsed(row, 2)? })
                })?;
                old.collect()
            })
        })
    }

    fn forget(&self, gone: &[&Old]) -> Result<(), HistoryError> {
        self.write(|writer| {
            let path = writer.place.file();
            let mut work = || -> rusqlite::Result<()> {
                let tx = writer.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
                for old in gone {
                    write::forget(&tx, old.id)?;
                    write::latest(&tx, &old.recipe)?;
                }
                tx.commit()?;
                writer.db.pragma(None, "incremental_vacuum", PAGES, |_| Ok(()))
            };
            work().map_err(|error| HistoryError::of(&path, &error))
        })
    }

    /// Completely imported runs whose folder is old enough to be removed.
    fn spare_folders(&self, keep: &Keep, now: Timestamp) -> Result<Vec<RunId>, HistoryError> {
        let here = RunDir::all(self.state()).map_err(|error| HistoryError::io(self.state(), &error))?;
        let ask = "SELECT 1 FROM runs WHERE run = ?1 AND sealed = 1 AND left_out = 0 AND at_ms < ?2";
        let before = before(now, keep.keep_folders);
        self.read_now(|db| {
            db.ask(|sql| {
                let mut ask = sql.prepare_cached(ask)?;
                let mut spare = Vec::new();
                for (run, _) in here {
                    if ask.exists(params![run.as_str(), before])? {
                        spare.push(run);
                    }
                }
                Ok(spare)
            })
        })
    }

    /// Removes a run's folder and returns whether it is gone. Skips a run whose process lives, whose app is kept, or
    /// that changed since its import.
    fn end_folder(&self, run: &RunId, dropped: &mut Dropped) -> bool {
        let dir = RunDir::of(self.state(), run);
        if !dir.path().exists() {
            return true;
        }
        // Held to the end, so that the run counts as live meanwhile. A reporting run has no process here.
        let alive = dir.take_over();
        if alive.is_none() && (!dir.is_reported() || dir.may_grow()) {
            return false;
        }
        let length = std::fs::metadata(dir.journal()).map_or(0, |meta| meta.len());
        // Checked in the database at its path, which may have been replaced since the last access.
        let whole = self.write(|writer| {
            write::known(&writer.db, run).map_err(|error| HistoryError::of(&writer.place.file(), &error))
        });
        let whole = whole.is_ok_and(|known| known.is_some_and(|known| known.sealed && known.file_bytes == length));
        if !whole || dir.has_private() {
            return false;
        }
        dir.discard();
        let gone = !dir.path().exists();
        if gone {
            dropped.folders.push(run.clone());
        }
        gone
    }
}

fn before(now: Timestamp, days: u32) -> i64 {
    let age = SignedDuration::try_from(Duration::from_secs(u64::from(days) * 24 * 3600)).unwrap_or(SignedDuration::MAX);
    now.checked_sub(age).unwrap_or(Timestamp::MIN).as_millisecond()
}
