//! Watches a build: reads its run's journal as it grows, and polls Drone for its status.

use std::sync::Arc;
use std::time::Duration;

use forge::drone::{Build, BuildEnd, BuildStanding, BuildStep, DroneError};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::seen::{AtDrone, Over};
use super::{Halt, One};
use journal::event::{Event, Record};
use journal::run_dir::{RunDir, was_found_dead};
use relay::{BODY, Follower};

/// How long before Drone's time limit it is announced.
const SOON: Duration = Duration::from_secs(10 * 60);
/// Lines of a step's log to keep, and characters of each.
const LINES: usize = 40;
const LETTERS: usize = 500;
/// Attempts to stop the run of a cancelled build (its preparation takes less than that), and to end a dead run's build
/// in Drone.
const ASKS: u32 = 180;

/// New content of the journal.
#[derive(Default)]
struct Heard {
    /// Whether there is any.
    any: bool,
    verdict: bool,
}

/// Progress of stopping a run.
#[derive(Clone, Copy)]
enum Stopping {
    /// Not requested, or not started.
    No,
    /// The run was asked to stop, and has until this time.
    Asked(Instant),
    /// Drone was asked to kill it.
    Killed,
}

/// The state of one watch.
struct Watched {
    number: u64,
    stopping: Stopping,
    /// The time limit of the repository, once Drone has returned it.
    limit: Option<Duration>,
    step: Option<BuildStep>,
    /// Whether the run was seen on this swarm: only then can it be missed there.
    was_on_swarm: bool,
    /// When the swarm was first found to have nothing of the run.
    missed_at: Option<Instant>,
    /// When the journal last grew.
    heard_at: Instant,
}

impl One {
    pub(super) async fn watch(&self, number: u64) -> Halt {
        let paces = self.at.paces;
        let mut journal = Follower::new(RunDir::of(&self.at.state, &self.order.run).journal());
        let mut watched = Watched {
            number,
            stopping: Stopping::No,
            limit: None,
            step: None,
            was_on_swarm: self.order.on_swarm,
            missed_at: None,
            heard_at: Instant::now(),
        };
        let (mut failures, mut has_begun) = (0_u32, false);
        // When a janitor's record of the run's death was first seen.
        let mut dead_since: Option<Instant> = None;
        let mut ended: Option<(BuildEnd, Instant)> = None;
        let mut look = Instant::now();
        self.says(Some(number), watched.was_on_swarm, AtDrone::Waits);
        loop {
            let heard = self.read(&mut journal);
            has_begun |= heard.any;
            if heard.any {
                (watched.heard_at, watched.missed_at) = (Instant::now(), None);
            }
            if heard.verdict {
                return Halt::Over(Over::Verdict);
            }
            if self.came.is_closed() {
                return Halt::Detached;
            }
            let now = Instant::now();
            if dead_since.is_none() && ended.is_none() && was_found_dead(&self.at.state, &self.order.run) {
                // Drone may know better how it ended; it is queried at once, and its runner may report a moment later.
                (dead_since, look) = (Some(now), now);
            }
            let is_dead = dead_since.is_some_and(|since| since.elapsed() >= 2 * paces.poll);
            match &mut ended {
                Some((_, until)) if heard.any => *until = now + paces.quiet,
                Some((end, until)) if now >= *until => {
                    let log = self.log(&watched).await;
                    return Halt::Over(Over::Ended { end: end.clone(), log });
                }
                Some(_) => {}
                None if now >= look || self.is_urgent(&watched, failures) => {
                    match self.look(&mut watched, has_begun).await {
                        Ok(build) => {
                            failures = 0;
                            look = Instant::now() + paces.poll;
                            watched.step.clone_from(&build.step);
                            let is_missing =
                                build.standing == BuildStanding::Running && self.is_missing(&mut watched).await;
                            let end = BuildEnd::of(&build, watched.limit);
                            if let Some(end) = end.or_else(|| (is_dead || is_missing).then_some(BuildEnd::FoundDead)) {
                                self.end(&watched, &end);
                                ended = Some((end, Instant::now() + paces.quiet));
                                continue;
                            }
                            self.says(Some(number), watched.was_on_swarm, standing(&build, watched.limit));
                        }
                        Err(DroneError::NoBuild { .. }) => {
                            ended = Some((BuildEnd::Forgotten, Instant::now() + paces.quiet));
                        }
                        // The janitor's record needs no Drone.
                        Err(_) if is_dead => {
                            self.end(&watched, &BuildEnd::FoundDead);
                            ended = Some((BuildEnd::FoundDead, Instant::now()));
                        }
                        Err(error) => {
                            failures = failures.saturating_add(1);
                            tracing::warn!("cannot query build {number} of {}: {error}", self.at.repo);
                            self.says(Some(number), watched.was_on_swarm, AtDrone::Away(error.to_string()));
                            look = Instant::now() + paces.pace.after(failures, rand::random());
                        }
                    }
                }
                None => {}
            }
            tokio::select! {
                () = sleep(paces.read) => {}
                () = self.let_go.cancelled(), if self.is_urgent(&watched, failures) && ended.is_none() => {}
                () = self.came.closed() => {}
            }
        }
    }

    /// Whether a silent run was on the swarm and is gone: the janitor of its machine, whose records are in another
    /// state folder, has removed a dead run.
    async fn is_missing(&self, watched: &mut Watched) -> bool {
        let Some(swarm) = &self.at.swarm else { return false };
        let is_silent = watched.heard_at.elapsed() >= self.at.paces.silent;
        if watched.was_on_swarm && !is_silent {
            return false;
        }
        let has = swarm.has(&self.order.run).await;
        watched.missed_at = if has { None } else { watched.missed_at.or_else(|| Some(Instant::now())) };
        watched.was_on_swarm |= has;
        // A run that has torn down may still be reporting its end, for as long as a reporter retries.
        let is_gone = watched.missed_at.is_some_and(|since| since.elapsed() >= self.at.paces.missing);
        watched.was_on_swarm && is_gone
    }

    /// Whether to act at once: the leash was dropped, and the run was not stopped yet.
    fn is_urgent(&self, watched: &Watched, failures: u32) -> bool {
        let is_due = match watched.stopping {
            Stopping::No => true,
            Stopping::Asked(until) => Instant::now() >= until,
            Stopping::Killed => false,
        };
        failures == 0 && is_due && self.is_let_go()
    }

    /// Queries the build's status, after stopping an unwanted run. A run that has a journal is asked to tear down;
    /// Drone kills a run that cannot be asked or does not end.
    async fn look(&self, watched: &mut Watched, has_begun: bool) -> Result<Build, DroneError> {
        if watched.limit.is_none() {
            watched.limit = self.at.drone.repository(&self.at.repo).await.ok().and_then(|known| known.time_limit());
        }
        if self.is_urgent(watched, 0) {
            let is_first = matches!(watched.stopping, Stopping::No);
            if is_first && has_begun && self.at.ask_to_stop(&self.order.run, "!stop").await {
                watched.stopping = Stopping::Asked(Instant::now() + self.at.paces.grace);
            } else if let Err(error) = self.at.drone.stop(&self.at.repo, watched.number).await {
                // It is retried; a build that has ended meanwhile needs no stop.
                let build = self.at.drone.build(&self.at.repo, watched.number).await?;
                return if build.standing.is_end() { Ok(build) } else { Err(error) };
            } else {
                watched.stopping = Stopping::Killed;
            }
        }
        self.at.drone.build(&self.at.repo, watched.number).await
    }

    /// Cleans up after an end. A cancel that Drone recorded may never have reached its runner; the run itself receives
    /// this one, and tears down. The build of a dead run would stay running in Drone for ever.
    fn end(&self, watched: &Watched, end: &BuildEnd) {
        match end {
            // A run in preparation has no ticket on the swarm yet, so it is asked again later.
            BuildEnd::Cancelled => {
                let (at, run) = (Arc::clone(&self.at), self.order.run.clone());
                tokio::spawn(async move {
                    for _ in 0..ASKS {
                        if at.swarm.is_none() || at.ask_to_stop(&run, "a cancel in Drone").await {
                            return;
                        }
                        sleep(at.paces.poll).await;
                    }
                });
            }
            BuildEnd::FoundDead => {
                let (at, number) = (Arc::clone(&self.at), watched.number);
                tokio::spawn(async move {
                    for tries in 1..=ASKS {
                        let Err(error) = at.drone.stop(&at.repo, number).await else { return };
                        tracing::warn!("build {number} of {} cannot be ended in Drone: {error}", at.repo);
                        sleep(at.paces.pace.after(tries, rand::random())).await;
                    }
                });
            }
            _ => {}
        }
    }

    async fn log(&self, watched: &Watched) -> Vec<String> {
        let Some(step) = &watched.step else { return Vec::new() };
        match self.at.drone.log(&self.at.repo, watched.number, step).await {
            Ok(lines) => {
                let last = lines[lines.len().saturating_sub(LINES)..].iter();
                last.map(|line| line.chars().take(LETTERS).collect()).collect()
            }
            Err(error) => {
                tracing::info!("the log of build {} of {} is not available: {error}", watched.number, self.at.repo);
                Vec::new()
            }
        }
    }

    /// Forwards new records of the journal.
    fn read(&self, journal: &mut Follower) -> Heard {
        let mut heard = Heard::default();
        loop {
            let batch = match journal.next(BODY) {
                Ok(batch) if batch.is_empty() => return heard,
                Ok(batch) => batch,
                Err(error) => {
                    tracing::warn!("the journal of run {} cannot be read: {error}", self.order.run);
                    return heard;
                }
            };
            for line in batch.lines() {
                // An event of a later version is skipped, as by every reader.
                let Ok(record) = serde_json::from_slice::<Record>(line) else { continue };
                heard.verdict |= matches!(record.event, Event::RunEnded { .. });
                let _ = self.came.send(crate::message::WorkerMessage::Record(self.order.comment, Box::new(record)));
            }
            heard.any = true;
            journal.pass(&batch);
        }
    }
}

fn standing(build: &Build, limit: Option<Duration>) -> AtDrone {
    match build.standing {
        BuildStanding::Waiting => AtDrone::Waits,
        BuildStanding::Blocked => AtDrone::Blocked,
        _ => {
            let ran = build.started.map(|at| Timestamp::now().duration_since(at)).unwrap_or_default();
            let left = limit.map(|limit| limit.saturating_sub(Duration::try_from(ran).unwrap_or_default()));
            match (left, limit) {
                (Some(left), Some(limit)) if left <= SOON => {
                    AtDrone::EndsSoon { left: left.as_secs() / 60, limit: limit.as_secs() / 60 }
                }
                _ => AtDrone::Runs,
            }
        }
    }
}
