use std::io::Write as _;
use std::path::Path;

use base::names::RunId;

use super::*;
use journal::event::{Event, Record};
use journal_fixtures as fixtures;

use journal::run_dir::{Alive, RunDir};

mod failures;
mod following;
mod imports;
mod keeping;
mod questions;
mod versions;

/// A state folder with a history.
struct Scene {
    state: tempfile::TempDir,
    history: History,
}

impl Scene {
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let history = History::open(state.path()).unwrap();
        Self { state, history }
    }

    fn path(&self) -> &Path {
        self.state.path()
    }

    /// A run's folder whose process lives, with these bytes as its journal.
    fn live(&self, run: &str, bytes: &[u8]) -> (RunDir, Alive) {
        live(self.path(), run, bytes)
    }

    /// A run's folder whose process is gone.
    fn over(&self, run: &str, records: &[Record]) -> RunDir {
        self.dead(run, &bytes(records))
    }

    /// The same with these bytes as its journal.
    fn dead(&self, run: &str, bytes: &[u8]) -> RunDir {
        dead(self.path(), run, bytes)
    }

    /// The same, imported.
    fn imported(&self, run: &str, records: &[Record]) -> OneRun {
        self.history.import(&self.over(run, records)).unwrap();
        self.one(run)
    }

    fn one(&self, run: &str) -> OneRun {
        self.find(run).unwrap()
    }

    fn find(&self, run: &str) -> Option<OneRun> {
        self.history.read_now(|db| db.run(&id(run))).unwrap()
    }
}

use super::query::OneRun;

fn live(state: &Path, run: &str, bytes: &[u8]) -> (RunDir, Alive) {
    let dir = RunDir::of(state, &id(run));
    let alive = dir.create().unwrap();
    dir.remove_private().unwrap();
    std::fs::write(dir.journal(), bytes).unwrap();
    (dir, alive)
}

fn dead(state: &Path, run: &str, bytes: &[u8]) -> RunDir {
    let (dir, alive) = live(state, run, bytes);
    end(&dir, alive);
    dir
}

/// Ends a run's process. A child process that another test starts at this moment holds the lock too, until it executes
/// its program.
fn end(dir: &RunDir, alive: Alive) {
    drop(alive);
    let begin = std::time::Instant::now();
    while dir.is_locked() {
        assert!(begin.elapsed().as_secs() < 20, "nobody holds the lock any more");
        std::thread::yield_now();
    }
}

fn id(run: &str) -> RunId {
    run.parse().unwrap()
}

fn bytes(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(|record| journal::line(record).unwrap()).collect()
}

/// Appends to a journal.
fn append(dir: &RunDir, bytes: &[u8]) {
    std::fs::File::options().append(true).open(dir.journal()).unwrap().write_all(bytes).unwrap();
}

/// A run with other facts at its start, this many seconds after the fixture's.
fn told(mut records: Vec<Record>, seconds: i64, change: impl Fn(&mut journal::event::RunStarted)) -> Vec<Record> {
    for record in &mut records {
        record.at += jiff::SignedDuration::from_secs(seconds);
        if let Event::RunStarted(started) = &mut record.event {
            change(started);
        }
    }
    records
}

/// All rows of the database without internal numbers.
fn dump(history: &History) -> Vec<String> {
    history
        .read_now(|db| {
            db.ask(|sql| {
                let mut found = Vec::new();
                for (table, order) in
                    [("runs", "run"), ("stages", "place"), ("checks", "line"), ("chunks", "first"), ("files", "name")]
                {
                    let ask = if table == "runs" {
                        "SELECT * FROM runs ORDER BY run".to_owned()
                    } else {
                        format!("SELECT r.run, t.* FROM {table} t JOIN runs r ON r.id = t.run ORDER BY r.run, t.{order}")
                    };
                    let mut ask = sql.prepare(&ask)?;
                    let names: Vec<String> = ask.column_names().map(str::to_owned).collect();
                    let mut rows = ask.query([])?;
                    while let Some(row) = rows.next()? {
                        let mut text = format!("{table}:");
                        for (at, name) in names.iter().enumerate() {
                            // A run's number in place of its name would depend on the order of imports.
                            if !(name == "id" || name == "run" && at == 1) {
                                let value = match row.get_ref(at)? {
                                    rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                                    rusqlite::types::ValueRef::Blob(blob) => sha(blob),
                                    other => format!("{other:?}"),
                                };
                                text.push_str(&format!(" {name}={value}"));
                            }
                        }
                        found.push(text);
                    }
                }
                let mut ask = sql.prepare(
                    "SELECT l.recipe, (SELECT run FROM runs WHERE id = l.newest), (SELECT run FROM runs WHERE id = l.main),
                        (SELECT run FROM runs WHERE id = l.telling), (SELECT run FROM runs WHERE id = l.verdict),
                        (SELECT run FROM runs WHERE id = l.green), (SELECT run FROM runs WHERE id = l.green_whole)
                        FROM latest l ORDER BY l.recipe",
                )?;
                let mut rows = ask.query([])?;
                while let Some(row) = rows.next()? {
                    let runs: Vec<Option<String>> = (0..7).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
                    found.push(format!("latest: {runs:?}"));
                }
                Ok(found)
            })
        })
        .unwrap()
}

fn sha(blob: &[u8]) -> String {
    use sha2::Digest as _;
    format!("{:x}", sha2::Sha256::digest(blob))
}
