//! The history with many runs in it: how long it takes to open, to ask and to import, and what memory it takes.

use std::path::Path;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use jiff::Timestamp;

use super::figures::{Figure, millis, seconds};
use super::journals::{RECIPES, ROUND, id, long, run, start, started};
use history::query::{After, Filter};
use history::{Copy, Db, History, HistoryError};
use journal::run_dir::RunDir;

/// How often each question is asked.
const ASKED: u32 = 200;
/// Events of the long journal.
const EVENTS: u32 = 100_000;

/// Measures a history of so many runs in the state folder `state`; the runs that are missing there are made first.
pub fn history(state: &Path, runs: u32) -> Result<Vec<Figure>, Failure> {
    fill(state, runs)?;
    let begin = Instant::now();
    let history = History::open(state).map_err(failed)?;
    history.read_now(|db| db.list(&Filter::default(), None, 1)).map_err(failed)?;
    let open = begin.elapsed();
    let mut figures = vec![
        Figure::new(
            "size of the database",
            format!("{} MB, {runs} runs", size(&history) / 1_000_000),
            "(as it is)",
            true,
        ),
        Figure::new("open, and the first answer", millis(open), "under 1 s", open < Duration::from_secs(1)),
    ];
    figures.extend(asked(&history, runs)?);
    figures.push(Figure::memory("memory after all questions", "self"));
    figures.push(import(&history, runs)?);
    Ok(figures)
}

/// Copies that are written at once; each takes 4 kB of memory until then.
const AT_ONCE: usize = 2_000;

/// Runs that the history does not have are made: those of one round by their journals, as `cc-ci serve` takes them, and
/// the others as copies of these, which takes a tenth of the time.
fn fill(state: &Path, runs: u32) -> Result<(), Failure> {
    let history = History::open(state).map_err(failed)?;
    let there = history.read_now(Db::names).map_err(failed)?;
    let missing = (0..runs).filter_map(|number| Some((number, id(number)?)));
    let missing = missing.filter(|(_, id)| !there.contains(id.as_str()));
    let (whole, copied): (Vec<_>, Vec<_>) = missing.partition(|(number, _)| *number < ROUND);
    let begin = Instant::now();
    for (number, id) in &whole {
        if let Some(journal) = run(*number) {
            history.put(id.clone(), journal).map_err(failed)?;
        }
    }
    eprintln!("{} runs are made of journals, {}", whole.len(), seconds(begin.elapsed()));
    let begin = Instant::now();
    let copy =
        |(number, _): &(u32, _)| Some(Copy { of: id(number % ROUND)?, started: started(*number)?, at: start(*number) });
    for some in copied.chunks(AT_ONCE) {
        history.copy(&some.iter().filter_map(copy).collect::<Vec<_>>()).map_err(failed)?;
    }
    eprintln!("{} runs are copied, {}", copied.len(), seconds(begin.elapsed()));
    Ok(())
}

fn asked(history: &History, runs: u32) -> Result<Vec<Figure>, Failure> {
    let recipe = |n: u32| format!("recipe-{:02}", n % RECIPES).parse().map_err(|_| HistoryError::Bug("a name".into()));
    let some = |n: u32| id(n.wrapping_mul(7919) % runs).ok_or_else(|| HistoryError::Bug("an id".into()));
    let deep = After { at: Timestamp::from_second(1_735_000_000).unwrap_or_default(), run: some(1).map_err(failed)? };
    let of = |n| Ok::<_, HistoryError>(Filter { recipe: Some(recipe(n)?), ..Filter::default() });
    type Question<'a> = (&'a str, u64, Box<dyn Fn(&Db, u32) -> Result<(), HistoryError> + 'a>);
    let questions: Vec<Question<'_>> = vec![
        ("overview", 50, Box::new(|db, _| db.overview().map(drop))),
        ("live", 50, Box::new(|db, _| db.live().map(drop))),
        ("first page of all runs", 50, Box::new(|db, _| db.list(&Filter::default(), None, 50).map(drop))),
        ("a page far behind", 50, Box::new(|db, _| db.list(&Filter::default(), Some(&deep), 50).map(drop))),
        ("first page of a recipe", 50, Box::new(|db, n| db.list(&of(n)?, None, 50).map(drop))),
        ("one run", 50, Box::new(|db, n| db.run(&some(n)?).map(drop))),
        ("one run, all that it told", 50, Box::new(|db, n| db.told(&some(n)?).map(drop))),
        ("a window of a journal", 50, Box::new(|db, n| db.window(&some(n)?, 20, 50).map(drop))),
        ("a recipe's weeks", 200, Box::new(|db, n| db.weeks(&recipe(n)?, Timestamp::UNIX_EPOCH).map(drop))),
        ("a recipe's versions", 200, Box::new(|db, n| db.version_pairs(&recipe(n)?).map(drop))),
        ("a recipe's flakes", 200, Box::new(|db, n| db.flakes(&recipe(n)?).map(drop))),
        ("a recipe's facts", 200, Box::new(|db, n| db.facts(&recipe(n)?).map(drop))),
    ];
    let mut figures = Vec::new();
    for (what, limit, ask) in questions {
        let mut times = Vec::new();
        for n in 0..ASKED {
            let begin = Instant::now();
            history.read_now(|db| ask(db, n)).map_err(failed)?;
            times.push(begin.elapsed());
        }
        times.sort_unstable();
        let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
        let measured = format!("{} / {}", millis(at(50)), millis(at(99)));
        let wanted = format!("p99 under {limit} ms");
        figures.push(Figure::new(
            &format!("{what}, p50 / p99"),
            measured,
            &wanted,
            at(99) < Duration::from_millis(limit),
        ));
    }
    Ok(figures)
}

/// A long journal from its run's folder.
fn import(history: &History, runs: u32) -> Result<Figure, Failure> {
    let bug = |what: &str| Failure::new(Kind::Bug, what, "please report it");
    let run = format!("long-{}", Timestamp::now().as_second()).parse().map_err(|_| bug("an id"))?;
    let dir = RunDir::of(history.state(), &run);
    let io = |error: std::io::Error| base::failure::Failure::disk("write", dir.path(), &error);
    drop(dir.create().map_err(io)?);
    let journal = long(runs, EVENTS).ok_or_else(|| bug("a journal"))?;
    let length = journal.len();
    std::fs::write(dir.journal(), journal).map_err(io)?;
    let begin = Instant::now();
    history.import(&dir).map_err(failed)?;
    let took = begin.elapsed();
    dir.discard();
    let what = format!("import {EVENTS} events, {} MB", length / 1_000_000);
    Ok(Figure::new(&what, millis(took), "under 2 s", took < Duration::from_secs(2)))
}

fn size(history: &History) -> u64 {
    std::fs::metadata(history.file()).map_or(0, |meta| meta.len())
}

fn failed(error: HistoryError) -> Failure {
    Failure::new(Kind::Bug, error.to_string(), "the state folder that is measured")
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::query::OneRun;

    #[test]
    fn a_copy_is_the_run_that_its_journal_would_have_made() {
        let (copied, made) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // One that is red, one of a pull request, and what both say of what they tested.
        for number in [ROUND + 4, 3 * ROUND + 117] {
            let (first, name) = (number % ROUND, id(number).unwrap());
            let history = History::open(copied.path()).unwrap();
            history.put(id(first).unwrap(), run(first).unwrap()).unwrap();
            let one = Copy { of: id(first).unwrap(), started: started(number).unwrap(), at: start(number) };
            history.copy(&[one]).unwrap();
            let is = history.read_now(|db| db.run(&name)).unwrap().unwrap();
            let overview = history.read_now(Db::overview).unwrap();
            let newest = overview.iter().find(|row| row.recipe == is.run.recipe).unwrap();
            assert_eq!(newest.standing.as_ref().unwrap().run.run, name);
            drop(history);

            let history = History::open(made.path()).unwrap();
            history.put(name.clone(), run(number).unwrap()).unwrap();
            let wanted = history.read_now(|db| db.run(&name)).unwrap().unwrap();
            // Only how long it took comes by chance.
            let mut row = is.run.clone();
            (row.took_ms, row.worked_ms) = (wanted.run.took_ms, wanted.run.worked_ms);
            assert_eq!(row, wanted.run);
            let outcomes =
                |one: &OneRun| one.checks.iter().map(|check| (check.name.clone(), check.outcome)).collect::<Vec<_>>();
            assert_eq!(outcomes(&is), outcomes(&wanted));
            assert_eq!(is.stages.len(), wanted.stages.len());
        }
    }

    #[test]
    fn a_small_history_answers_every_question() {
        let state = tempfile::tempdir().unwrap();
        let figures = history(state.path(), 250).unwrap();
        assert!(figures.iter().any(|figure| figure.what.starts_with("overview")), "{figures:?}");
        let history = History::open(state.path()).unwrap();
        let rows = history.read_now(Db::overview).unwrap();
        assert_eq!(rows.len(), RECIPES as usize);
        assert!(rows.iter().all(|row| row.standing.as_ref().is_some_and(|standing| standing.stages.len() == 9)));
        let one = history.read_now(|db| db.run(&id(3).unwrap())).unwrap().unwrap();
        assert!(one.run.remarks.is_empty() && one.checks.len() == 45, "{one:?}");
        let names: Vec<_> = (0..RECIPES).map(|n| format!("recipe-{n:02}").parse().unwrap()).collect();
        assert!(names.iter().any(|name| !history.read_now(|db| db.flakes(name)).unwrap().is_empty()));
    }
}
