use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base::failure::Failure;
use tokio::sync::Notify;

use super::*;
use crate::sources::FoundSource;
use crate::sweep::tests::commit;
use journal::event::{Event, Record};
use journal_fixtures as fixtures;
use source::{Heads, Tag};

fn evening() -> Timestamp {
    "2026-11-27T18:00:00Z".parse().unwrap()
}

fn night() -> Timestamp {
    "2026-11-28T03:30:00Z".parse().unwrap()
}

fn next_night() -> Timestamp {
    "2026-11-29T03:31:00Z".parse().unwrap()
}

/// How a run behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Green,
    Red,
    /// Runs until it is stopped.
    Hangs,
    /// Writes no journal and exits with a code.
    Mute(i32),
}

/// Stand-in for repositories and runs.
#[derive(Debug, Clone, Default)]
struct World(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// The recipes. `None` means that the folder is gone by the time the recipe is queried.
    recipes: BTreeMap<String, Option<Result<Heads, Kind>>>,
    /// By first digit of the commit; green by default.
    fates: BTreeMap<char, Fate>,
    asked: Vec<String>,
    started: Vec<SweepOrder>,
    at_once: usize,
    most_at_once: usize,
    begun: Arc<Notify>,
}

impl World {
    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap())
    }

    fn recipe(&self, name: &str, main: char, release: Option<char>) {
        let tag = |digit| Tag { name: "1.0.0+1".to_owned(), annotated: true, commit: commit(digit).to_string() };
        let heads = Heads { main: commit(main), tags: release.map(tag).into_iter().collect() };
        self.with(|inner| inner.recipes.insert(name.to_owned(), Some(Ok(heads))));
    }

    fn fate(&self, digit: char, fate: Fate) {
        self.with(|inner| inner.fates.insert(digit, fate));
    }

    /// The runs started since the last call: recipe and first digit of the commit.
    fn started(&self) -> Vec<String> {
        let word = |order: SweepOrder| format!("{} {}", order.recipe, &order.commit.as_str()[..1]);
        self.with(|inner| inner.started.drain(..).map(word).collect())
    }
}

impl Sources for World {
    fn recipes(&self) -> Result<Vec<RecipeName>, Failure> {
        self.with(|inner| Ok(inner.recipes.keys().map(|name| name.parse().unwrap()).collect()))
    }

    async fn newest(&self, recipe: &RecipeName) -> Result<Option<FoundSource>, Failure> {
        self.with(|inner| {
            inner.asked.push(recipe.to_string());
            match inner.recipes[recipe.as_str()].clone() {
                None => Ok(None),
                Some(Ok(heads)) => {
                    Ok(Some(FoundSource { source: format!("https://git.example.org/coop/{recipe}.git"), heads }))
                }
                Some(Err(kind)) => Err(Failure::new(kind, "no answer", "the network")),
            }
        })
    }
}

/// Starts runs of a `World`, with journals below a state folder.
#[derive(Debug)]
struct Runs(World, PathBuf);

impl RunStarter for Runs {
    fn start(&self, order: &SweepOrder) -> io::Result<(Leash, BoxFuture<'static, ChildExit>)> {
        let (leash, let_go) = Leash::new();
        let (world, state, order) = (self.0.clone(), self.1.clone(), order.clone());
        let fate = world.with(|inner| {
            inner.started.push(order.clone());
            inner.at_once += 1;
            inner.most_at_once = inner.most_at_once.max(inner.at_once);
            inner.begun.notify_one();
            inner.fates.get(&order.commit.as_str().chars().next().unwrap()).copied()
        });
        let end = async move {
            tokio::task::yield_now().await;
            let (code, records) = match fate.unwrap_or(Fate::Green) {
                Fate::Green => (0, fixtures::passed()),
                Fate::Red => (10, fixtures::failed_upgrade()),
                Fate::Mute(code) => (code, Vec::new()),
                Fate::Hangs => {
                    let_go.cancelled().await;
                    (130, fixtures::killed())
                }
            };
            journal(&state, &order.run, records);
            world.with(|inner| inner.at_once -= 1);
            ChildExit { code: Some(code), said: vec!["cc-ci: it is said so".to_owned()] }
        };
        Ok((leash, end.boxed()))
    }
}

fn journal(state: &Path, run: &RunId, mut records: Vec<Record>) {
    if let Some(Event::RunStarted(started)) = records.first_mut().map(|record| &mut record.event) {
        started.run = run.clone();
    }
    let dir = RunDir::of(state, run);
    drop(dir.create().unwrap());
    let lines: Vec<u8> = records.iter().flat_map(|record| journal::line(record).unwrap()).collect();
    std::fs::write(dir.journal(), lines).unwrap();
}

fn sweeper(world: &World, state: &Path, now: fn() -> Timestamp) -> Sweeper<World, Runs> {
    Sweeper {
        hour: "03:30 UTC".parse().unwrap(),
        only_changed: false,
        sources: world.clone(),
        runs: Runs(world.clone(), state.to_owned()),
        state: state.to_owned(),
        hook: None,
        pages: None,
        now,
    }
}

async fn look(world: &World, state: &Path, now: fn() -> Timestamp) {
    sweeper(world, state, now).look(&CancellationToken::new()).await;
}

fn newest(state: &Path) -> Sweep {
    Shelf::below(state).sweeps().into_iter().next().unwrap()
}

fn turned(state: &Path) -> Vec<String> {
    newest(state).turned().map(|turned| turned.words()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_sweep_tests_everything_once_a_night_and_tells_what_turned() {
    let (state, world) = (tempfile::tempdir().unwrap(), World::default());
    world.recipe("a", '2', Some('1'));
    world.recipe("b", '3', Some('3'));
    // The time was configured just now: nothing begins in the evening.
    look(&world, state.path(), evening).await;
    assert_eq!((world.started(), Shelf::below(state.path()).days().len()), (vec![], 0));
    look(&world, state.path(), night).await;
    assert_eq!(world.started(), ["a 1", "a 2", "b 3"]);
    let first = newest(state.path());
    assert_eq!(
        (first.count(SweptHealth::Green), first.ended, first.date.to_string().as_str()),
        (3, Some(night()), "2026-11-28")
    );
    assert_eq!(turned(state.path()), Vec::<String>::new(), "nothing is known of before");
    look(&world, state.path(), night).await;
    assert_eq!(world.started(), Vec::<String>::new(), "once a night");

    world.fate('2', Fate::Red);
    world.recipe("c", '4', None);
    world.fate('4', Fate::Red);
    look(&world, state.path(), next_night).await;
    assert_eq!(world.started(), ["a 1", "a 2", "b 3", "c 4"]);
    assert_eq!(turned(state.path()), ["a, main at 22222222: red by the recipe in upgrade, was green"]);
    assert!(world.with(|inner| inner.most_at_once) <= AT_ONCE);
    // The arguments name the commit, and the run yields.
    let order = SweepOrder {
        recipe: "a".parse().unwrap(),
        source: "https://git.example.org/coop/a.git".to_owned(),
        commit: commit('2'),
        run: "20261128-a".parse().unwrap(),
    };
    let words = format!(
        "run a --source=https://git.example.org/coop/a.git --ref={} --run-id=20261128-a --yields --leash --json",
        commit('2')
    );
    assert_eq!(order.words().join(" "), words);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_was_stopped_goes_on_and_tests_nothing_twice() {
    let (state, world) = (tempfile::tempdir().unwrap(), World::default());
    for (name, digit) in [("a", '1'), ("b", '2'), ("c", '3')] {
        world.recipe(name, digit, None);
    }
    world.fate('2', Fate::Hangs);
    world.fate('3', Fate::Hangs);
    look(&world, state.path(), evening).await;
    let (stop, begun) = (CancellationToken::new(), world.with(|inner| inner.begun.clone()));
    let stopping = async {
        while world.with(|inner| inner.started.len()) < 3 {
            begun.notified().await;
        }
        stop.cancel();
    };
    let sweeper = sweeper(&world, state.path(), night);
    tokio::join!(sweeper.look(&stop), stopping);
    assert_eq!(world.started(), ["a 1", "b 2", "c 3"]);
    let open = newest(state.path());
    assert_eq!((open.ended, open.count(SweptHealth::Green), open.open()), (None, 1, 2));

    world.fate('2', Fate::Green);
    world.fate('3', Fate::Red);
    look(&world, state.path(), night).await;
    // Both were in progress at once; the order in which they end is not defined.
    let mut again = world.started();
    again.sort();
    assert_eq!(again, ["b 2", "c 3"]);
    let over = newest(state.path());
    assert_eq!((over.ended, over.count(SweptHealth::Green), over.count(SweptHealth::Red)), (Some(night()), 2, 1));
    assert!(over.recipes[1..].iter().all(|swept| swept.runs[0].restarts == 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_came_to_its_verdict_while_cc_ci_was_away_is_taken_as_it_is() {
    let (state, world) = (tempfile::tempdir().unwrap(), World::default());
    world.recipe("a", '1', None);
    let run: RunId = "20261128-033000-aaaa".parse().unwrap();
    let mut open = Sweep::new("2026-11-28".parse().unwrap(), "03:30 UTC", night(), vec!["a".parse().unwrap()]);
    let heads = Heads { main: commit('1'), tags: Vec::new() };
    open.recipes[0].runs = revisions(&heads);
    open.recipes[0].runs[0].phase = SweepPhase::Running { run: run.clone() };
    // cc-ci died before it wrote that the day is done.
    Shelf::below(state.path()).put(&open).unwrap();
    journal(state.path(), &run, fixtures::failed_upgrade());
    look(&world, state.path(), night).await;
    look(&world, state.path(), night).await;
    assert_eq!((world.started(), newest(state.path()).count(SweptHealth::Red)), (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_takes_too_long_leaves_the_next_one_out() {
    let (state, world) = (tempfile::tempdir().unwrap(), World::default());
    world.recipe("a", '1', None);
    let open = Sweep::new("2026-11-27".parse().unwrap(), "03:30 UTC", evening(), vec!["a".parse().unwrap()]);
    let shelf = Shelf::below(state.path());
    shelf.put(&open).unwrap();
    shelf.put_clock(&Clock { done: open.date, hour: open.hour.clone() }).unwrap();
    look(&world, state.path(), next_night).await;
    let sweep = newest(state.path());
    assert_eq!((sweep.date, sweep.left_out), (open.date, vec!["2026-11-29".parse().unwrap()]));
    look(&world, state.path(), next_night).await;
    assert_eq!(world.started(), ["a 1"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_is_asked_again_and_then_blocked() {
    let (state, world) = (tempfile::tempdir().unwrap(), World::default());
    world.with(|inner| {
        for name in ["a", "b", "c", "d", "e"] {
            inner.recipes.insert(name.to_owned(), Some(Err(Kind::SourceUnreachable)));
        }
        inner.recipes.insert("a".to_owned(), None);
        inner.recipes.insert("b".to_owned(), Some(Err(Kind::InvalidRecipe)));
    });
    world.recipe("f", '1', None);
    look(&world, state.path(), evening).await;
    look(&world, state.path(), night).await;
    let asked = world.with(|inner| std::mem::take(&mut inner.asked));
    assert_eq!(
        asked.join(""),
        "abcccdddeee",
        "one is gone, one is not there, and three do not answer: the rest is left out"
    );
    let sweep = newest(state.path());
    assert_eq!((sweep.count(SweptHealth::Blocked), sweep.open()), (3, 0));
    assert!(sweep.cut_short.as_ref().unwrap().contains("source-unreachable"), "{sweep:?}");
    let words: Vec<&str> = sweep.recipes.iter().filter_map(|swept| swept.not_tested.as_deref()).collect();
    assert_eq!(words, ["its folder was removed", "no answer", "left out"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_without_a_verdict_is_judged_by_its_exit_code() {
    let (state, world) = (tempfile::tempdir().unwrap(), World::default());
    for (name, digit, code) in [("a", '1', 10), ("b", '2', 2), ("c", '3', 0)] {
        world.recipe(name, digit, None);
        world.fate(digit, Fate::Mute(code));
    }
    look(&world, state.path(), evening).await;
    look(&world, state.path(), night).await;
    let health = |swept: &super::super::sweep::Swept| swept.runs[0].end().unwrap().health.unwrap();
    let sweep = newest(state.path());
    let all: Vec<SweptHealth> = sweep.recipes.iter().map(health).collect();
    // A process that exits 0 without a journal has shown nothing.
    assert_eq!(all, [SweptHealth::Red, SweptHealth::Blocked, SweptHealth::Blocked]);
    assert_eq!(sweep.recipes[0].runs[0].end().unwrap().line, "no run began: it is said so");
}

#[tokio::test(start_paused = true)]
async fn what_was_green_can_be_left_out_and_what_changed_is_not() {
    let (state, world) = (tempfile::tempdir().unwrap(), World::default());
    world.recipe("a", '2', Some('1'));
    look(&world, state.path(), evening).await;
    look(&world, state.path(), night).await;
    world.recipe("a", '3', Some('1'));
    world.started();
    let changed = Sweeper { only_changed: true, ..sweeper(&world, state.path(), next_night) };
    changed.look(&CancellationToken::new()).await;
    assert_eq!(world.started(), ["a 3"]);
    let sweep = newest(state.path());
    assert_eq!(sweep.recipes[0].runs[0].end().unwrap().line, "skipped: green in the sweep of 2026-11-28");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_that_cannot_be_written_down() {
    let (state, world) = (tempfile::tempdir().unwrap(), World::default());
    world.recipe("a", '1', None);
    let file = state.path().join("nightly");
    std::fs::write(&file, "in the way").unwrap();
    look(&world, state.path(), evening).await;
    look(&world, state.path(), night).await;
    assert_eq!(world.started(), Vec::<String>::new());
    std::fs::remove_file(&file).unwrap();
    look(&world, state.path(), evening).await;
    look(&world, state.path(), night).await;
    assert_eq!(world.started(), ["a 1"]);
}
