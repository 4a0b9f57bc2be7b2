//! Runs the nightly sweep: waits for the configured time, lists the newest commits, starts two runs at a time, and
//! persists each step before taking it.

use host::say;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use base::failure::{Cause, Kind};
use base::names::{Commit, RecipeName, RunId};
use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::hook::{Hook, WebhookMessage};
use super::hour::{Due, SweepHour};
use super::shelf::{Clock, Shelf, ShelfError};
use super::sources::Sources;
use super::sweep::{Next, Sweep, SweepEnd, SweepPhase, SweptHealth, before, end_of, green_on, not_asked, revisions};
use bot::{ChildExit, Children, Leash};
use journal::event::VerdictKind;
use journal::exit::Exit;
use journal::fold::{RunView, fold};

use journal::run_dir::RunDir;
use journal::run_id::new_run_id;
use journal::text::one_line;

/// Processes at once. The slots limit how many of them have live apps.
const AT_ONCE: usize = 2;
/// Poll interval of the clock. A change of the system's time sends no event.
const LOOK: Duration = Duration::from_secs(60);
/// Pauses before retries of a repository that does not answer.
const PAUSES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(5 * 60)];
/// When cc-ci stops, its runs have this long to tear down. The systemd unit allows 5 minutes.
const STOPPING: Duration = Duration::from_secs(4 * 60 + 15);
/// Restarts of cc-ci during one run after which the run is given up: it may be the cause.
const RESTARTS: u32 = 3;
/// Failure code of a process that ended without a journal.
const NO_RUN: &str = "no-run";

/// A run to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepOrder {
    pub recipe: RecipeName,
    pub source: String,
    pub commit: Commit,
    pub run: RunId,
}

impl SweepOrder {
    /// The arguments of the process.
    pub fn words(&self) -> Vec<String> {
        let Self { recipe, source, commit, run } = self;
        let options = [format!("--source={source}"), format!("--ref={commit}"), format!("--run-id={run}")];
        let flags = ["--yields", "--leash", "--json"].map(str::to_owned);
        ["run".to_owned(), recipe.to_string()].into_iter().chain(options).chain(flags).collect()
    }
}

/// Starts run processes.
pub trait RunStarter: Send + Sync {
    /// Starts a run. Returns its leash and a future of its exit.
    fn start(&self, order: &SweepOrder) -> io::Result<(Leash, BoxFuture<'static, ChildExit>)>;
}

impl RunStarter for Children {
    fn start(&self, order: &SweepOrder) -> io::Result<(Leash, BoxFuture<'static, ChildExit>)> {
        // Its results are in the journal; the output is not needed.
        let (leash, ending) = self.begin(&order.words(), |_| true)?;
        let lost = ChildExit { code: None, said: Vec::new() };
        Ok((leash, ending.map(|ended| ended.unwrap_or(lost)).boxed()))
    }
}

/// The scheduler of sweeps.
#[derive(Debug)]
pub struct Sweeper<S, R> {
    pub hour: SweepHour,
    /// Whether to skip commits that were green in the last sweep that tested them.
    pub only_changed: bool,
    pub sources: S,
    pub runs: R,
    /// cc-ci's state folder.
    pub state: PathBuf,
    pub hook: Option<Hook>,
    /// Base URL of the reports.
    pub pages: Option<Url>,
    /// The clock; tests replace it.
    pub now: fn() -> Timestamp,
}

/// The runs in progress: index of the recipe, index of the run, exit. A run started by an earlier cc-ci process has no
/// exit.
type UnderWay = FuturesUnordered<BoxFuture<'static, (usize, usize, Option<ChildExit>)>>;

impl<S: Sources, R: RunStarter> Sweeper<S, R> {
    /// Runs sweeps until `stop` is cancelled and their runs are torn down.
    pub async fn go_on(self, stop: &CancellationToken) {
        say!("cc-ci tests every recipe each day at {}", self.hour);
        while !stop.is_cancelled() {
            self.look(stop).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(LOOK) => {}
            }
        }
    }

    /// Polls the clock once and acts on it.
    async fn look(&self, stop: &CancellationToken) {
        let shelf = Shelf::below(&self.state);
        let open = shelf.sweeps().into_iter().find(|sweep| sweep.ended.is_none());
        let sweep = match open {
            Some(sweep) => Some(sweep),
            None => self.due(&shelf).unwrap_or_else(|error| {
                say!("nightly: cannot start a sweep: {error}");
                None
            }),
        };
        if let Some(sweep) = sweep
            && let Err(error) = self.make(&shelf, sweep, stop).await
        {
            say!("nightly: the sweep is paused: {error}");
        }
        if !stop.is_cancelled()
            && let Err(error) = self.send(&shelf).await
        {
            say!("nightly: {error}");
        }
    }

    /// The sweep that is due now, if any, already stored.
    fn due(&self, shelf: &Shelf) -> Result<Option<Sweep>, ShelfError> {
        let now = (self.now)();
        let clock = shelf.clock();
        let hour = self.hour.to_string();
        match self.hour.due(clock.as_ref().map(|clock| clock.done), now) {
            Due::At(_) => {
                // The page shows the configured time.
                if let Some(clock) = clock.filter(|clock| clock.hour != hour) {
                    shelf.put_clock(&Clock { hour, ..clock })?;
                }
                Ok(None)
            }
            Due::Passed(done) => {
                if let Some(clock) = clock {
                    say!(
                        "nightly: the clock says {now}, but the sweep of {} is done: the next sweep begins at the next {hour}",
                        clock.done
                    );
                }
                shelf.put_clock(&Clock { done, hour })?;
                Ok(None)
            }
            Due::Now(date) => {
                let recipes = match self.sources.recipes() {
                    Ok(recipes) => recipes,
                    Err(failure) => {
                        say!("nightly: cannot start a sweep: {failure}");
                        return Ok(None);
                    }
                };
                let sweep = Sweep::new(date, &hour, now, recipes);
                // If cc-ci dies between the two writes, it finds the sweep in progress and does not begin it again.
                shelf.put(&sweep)?;
                shelf.put_clock(&Clock { done: date, hour })?;
                say!("nightly: the sweep of {date} begins, {} recipes", sweep.recipes.len());
                Ok(Some(sweep))
            }
        }
    }

    /// Runs a sweep to its end from any state.
    ///
    /// # Errors
    /// The disk refuses. Runs in progress are stopped, and the sweep resumes from the shelf at the next poll.
    async fn make(&self, shelf: &Shelf, mut sweep: Sweep, stop: &CancellationToken) -> Result<(), ShelfError> {
        let earlier: Vec<Sweep> = shelf.sweeps().into_iter().filter(|other| other.date < sweep.date).collect();
        let mut under_way: UnderWay = FuturesUnordered::new();
        let mut leashes: Vec<(usize, usize, Leash)> = Vec::new();
        for (at, swept) in sweep.recipes.iter().enumerate() {
            for (nth, one) in swept.runs.iter().enumerate() {
                if let SweepPhase::Running { run } = &one.phase {
                    under_way.push(outlived(RunDir::of(&self.state, run), at, nth));
                }
            }
        }
        let ended = loop {
            if stop.is_cancelled() {
                break Ok(());
            }
            if sweep.cut_short.is_none()
                && let Some(kind) = sweep.hopeless().map(str::to_owned)
            {
                sweep.cut_short(&format!("three consecutive runs were blocked: {kind}"));
            }
            if under_way.len() < AT_ONCE
                && let Some(next) = sweep.next()
            {
                let step = match next {
                    Next::Ask(at) => self.ask(shelf, &mut sweep, at, (&earlier, stop)).await,
                    Next::Start(at, nth) => self.start(shelf, &mut sweep, (at, nth), (&mut under_way, &mut leashes)),
                };
                match step {
                    Ok(()) => continue,
                    Err(error) => break Err(error),
                }
            }
            if under_way.is_empty() {
                break Ok(());
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some((at, nth, ended)) = under_way.next() => {
                    leashes.retain(|(of, one, _)| (*of, *one) != (at, nth));
                    self.end(&mut sweep, (at, nth), ended.as_ref(), &earlier);
                    if let Err(error) = shelf.put(&sweep) {
                        break Err(error);
                    }
                }
            }
        };
        if stop.is_cancelled() || ended.is_err() {
            // They are found in progress and begin again.
            leashes.clear();
            let _ = timeout(STOPPING, async { while under_way.next().await.is_some() {} }).await;
            return ended;
        }
        self.close(shelf, sweep)
    }

    /// Queries the newest commits of a recipe.
    async fn ask(
        &self,
        shelf: &Shelf,
        sweep: &mut Sweep,
        at: usize,
        (earlier, stop): (&[Sweep], &CancellationToken),
    ) -> Result<(), ShelfError> {
        let Some(recipe) = sweep.recipes.get(at).map(|swept| swept.recipe.clone()) else { return Ok(()) };
        let mut pauses = PAUSES.iter();
        let found = loop {
            let found = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                found = self.sources.newest(&recipe) => found,
            };
            let passes = found.as_ref().is_err_and(|failure| failure.kind == Kind::SourceUnreachable);
            let Some(pause) = pauses.next().filter(|_| passes) else { break found };
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = sleep(*pause) => {}
            }
        };
        let now = (self.now)();
        let Some(swept) = sweep.recipes.get_mut(at) else { return Ok(()) };
        match found {
            Ok(None) => swept.not_tested = Some("its folder was removed".to_owned()),
            Ok(Some(found)) => {
                swept.source = Some(found.source);
                swept.runs = revisions(&found.heads);
                for one in &mut swept.runs {
                    let green = self.only_changed.then(|| green_on(earlier, &recipe, one)).flatten();
                    if let Some(day) = green {
                        one.phase = SweepPhase::Ended(nothing(format!("skipped: green in the sweep of {day}"), now));
                    }
                }
            }
            // The repository does not exist or has no commit.
            Err(failure) if failure.kind == Kind::InvalidRecipe => {
                swept.not_tested = Some(one_line(&failure.what, 400))
            }
            Err(failure) => {
                let mut one = not_asked(failure.kind, &failure.what, now);
                one.was = before(earlier, &recipe, &one.tested, Some(SweptHealth::Blocked));
                swept.runs = vec![one];
            }
        }
        shelf.put(sweep)
    }

    fn start(
        &self,
        shelf: &Shelf,
        sweep: &mut Sweep,
        (at, nth): (usize, usize),
        (under_way, leashes): (&mut UnderWay, &mut Vec<(usize, usize, Leash)>),
    ) -> Result<(), ShelfError> {
        let now = (self.now)();
        let Some(swept) = sweep.recipes.get_mut(at) else { return Ok(()) };
        let (recipe, source) = (swept.recipe.clone(), swept.source.clone());
        let Some(one) = swept.runs.get_mut(nth) else { return Ok(()) };
        let (Ok(run), Some(source), Some(commit)) = (new_run_id(), source, one.commit.clone()) else {
            one.phase = SweepPhase::Ended(nothing("it has no commit".to_owned(), now));
            return shelf.put(sweep);
        };
        one.phase = SweepPhase::Running { run: run.clone() };
        // Write before start: no run may exist without a record.
        shelf.put(sweep)?;
        match self.runs.start(&SweepOrder { recipe, source, commit, run }) {
            Ok((leash, end)) => {
                leashes.push((at, nth, leash));
                under_way.push(end.map(move |ended| (at, nth, Some(ended))).boxed());
                Ok(())
            }
            Err(error) => {
                let said = ChildExit { code: None, said: vec![format!("no process could be started: {error}")] };
                under_way.push(async move { (at, nth, Some(said)) }.boxed());
                Ok(())
            }
        }
    }

    /// Records the end of a run, and the recipe's earlier state.
    fn end(&self, sweep: &mut Sweep, (at, nth): (usize, usize), ended: Option<&ChildExit>, earlier: &[Sweep]) {
        let now = (self.now)();
        let Some(swept) = sweep.recipes.get_mut(at) else { return };
        let Some(one) = swept.runs.get_mut(nth) else { return };
        let SweepPhase::Running { run } = &one.phase else { return };
        let view = read(&RunDir::of(&self.state, run));
        let said_all =
            view.as_ref().filter(|view| view.verdict.as_ref().is_some_and(|v| v.word != VerdictKind::Cancelled));
        let end =
            match (said_all.or(view.as_ref().filter(|_| ended.is_some())).and_then(|view| end_of(view, now)), ended) {
                (Some(end), _) => end,
                // It was started by an earlier cc-ci process.
                (None, None) if one.restarts < RESTARTS => {
                    one.restarts += 1;
                    one.phase = SweepPhase::Waiting;
                    return;
                }
                (None, None) => blocked(format!("cc-ci was restarted {} times while it ran", RESTARTS + 1), run, now),
                (None, Some(ended)) => without_verdict(ended, view.is_some(), run, now),
            };
        one.was = before(earlier, &swept.recipe, &one.tested, end.health);
        one.phase = SweepPhase::Ended(end);
    }

    fn close(&self, shelf: &Shelf, mut sweep: Sweep) -> Result<(), ShelfError> {
        let now = (self.now)();
        let mut done = sweep.date;
        if let Due::Now(day) = self.hour.due(Some(done), now) {
            sweep.left_out.push(day);
            done = day;
            say!("nightly: the sweep of {day} is skipped, since the one of {} has just ended", sweep.date);
        }
        // Also if an earlier attempt stored the sweep and not the clock.
        shelf.put_clock(&Clock { done, hour: self.hour.to_string() })?;
        sweep.ended = Some(now);
        if self.hook.is_some() && sweep.turned().next().is_some() {
            sweep.message = WebhookMessage::Waits { tries: 0, after: now };
        }
        shelf.put(&sweep)?;
        let count = |health| sweep.count(health);
        say!(
            "nightly: the sweep of {} is over: {} green, {} red, {} blocked",
            sweep.date,
            count(SweptHealth::Green),
            count(SweptHealth::Red),
            count(SweptHealth::Blocked)
        );
        sweep.turned().for_each(|turned| say!("nightly: {}", turned.words()));
        Ok(())
    }

    /// Sends the messages that are due.
    async fn send(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        let now = (self.now)();
        for mut sweep in shelf.sweeps() {
            let WebhookMessage::Waits { tries, after } = sweep.message else { continue };
            if after > now {
                continue;
            }
            sweep.message = match &self.hook {
                None => WebhookMessage::GivenUp { why: "no address is configured any more".to_owned() },
                Some(hook) => match hook.send(&sweep, self.pages.as_ref()).await {
                    Ok(()) => WebhookMessage::Sent { at: now },
                    Err(refusal) => {
                        say!(
                            "nightly: the message about the sweep of {} was not accepted: {}",
                            sweep.date,
                            refusal.why
                        );
                        WebhookMessage::after_failure(tries, &refusal, now)
                    }
                },
            };
            shelf.put(&sweep)?;
        }
        Ok(())
    }
}

/// Waits for a run of an earlier cc-ci process: it is dead, or has lost its leash and tears down.
fn outlived(dir: RunDir, at: usize, nth: usize) -> BoxFuture<'static, (usize, usize, Option<ChildExit>)> {
    async move {
        // A run that never started has no lock; a run that hangs is handled by the slots.
        let _ = timeout(STOPPING, dir.wait_for_owner()).await;
        (at, nth, None)
    }
    .boxed()
}

fn read(dir: &RunDir) -> Option<RunView> {
    fold(&journal::read(&dir.journal()).ok()?.records).ok()
}

fn nothing(line: String, at: Timestamp) -> SweepEnd {
    SweepEnd { health: None, run: None, at, cause: None, stage: None, kind: None, line }
}

fn blocked(line: String, run: &RunId, at: Timestamp) -> SweepEnd {
    SweepEnd {
        health: Some(SweptHealth::Blocked),
        run: Some(run.clone()),
        at,
        cause: Some(Cause::Infrastructure),
        stage: None,
        kind: Some(NO_RUN.to_owned()),
        line: one_line(&line, 400),
    }
}

/// The end of a process without a verdict: the exit code decides. If it had begun its journal, it was killed.
fn without_verdict(ended: &ChildExit, has_journal: bool, run: &RunId, at: Timestamp) -> SweepEnd {
    let exit = |exit: &&Exit| ended.code == Some(i32::from(exit.code()));
    let cause = match Exit::ALL.iter().find(exit) {
        Some(Exit::Recipe) => Cause::Recipe,
        Some(Exit::Test) => Cause::Test,
        Some(Exit::BaseRelease) => Cause::BaseRelease,
        Some(Exit::Dependency) => Cause::Dependency,
        _ => Cause::Infrastructure,
    };
    let said =
        ended.said.iter().rev().find_map(|line| line.strip_prefix("cc-ci: ")).or(ended.said.last().map(String::as_str));
    let what = if has_journal { "the run was killed" } else { "no run began" };
    let line = said.map_or_else(|| what.to_owned(), |said| format!("{what}: {said}"));
    let end = blocked(line, run, at);
    if cause == Cause::Infrastructure || has_journal {
        return SweepEnd { run: has_journal.then(|| run.clone()), ..end };
    }
    SweepEnd { health: Some(SweptHealth::Red), run: None, cause: Some(cause), ..end }
}

#[cfg(test)]
mod tests;
