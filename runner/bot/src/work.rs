//! The worker: carries out commands. It holds the whole state, writes to disk before each step, and updates the forge
//! afterwards.

mod closed;
mod drone_events;
mod ends;
mod page;
mod start;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::names::{RecipeName, RunId};
use forge::api::Forge;
use forge::names::{CommentId, PullId};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::builds::AtDrone;
use super::child::{Leash, Runs};
use super::job::{Job, Phase};
use super::job_store::{JobStore, JobStoreError};
use super::kept::KeptApps;
use super::message::WorkerMessage;
use super::tell::{CommentUpdate, Debounce, Delivered};
use journal::fold::RunView;
use journal::on_main::OnMain;
use journal::run_dir::RunDir;

/// Interval of rendering the runs' records.
const TICK: Duration = Duration::from_millis(500);
/// When cc-ci stops, its runs have this long to tear down. The systemd unit allows 5 minutes.
const STOPPING: Duration = Duration::from_secs(4 * 60 + 15);
/// How long the last updates may take to reach the forge.
const LAST_WORDS: Duration = Duration::from_secs(15);

/// The worker's dependencies and settings.
#[derive(Debug)]
pub struct WorkerConfig<F, R> {
    pub forge: Arc<F>,
    pub runs: R,
    pub kept: Arc<dyn KeptApps>,
    pub book: JobStore,
    /// cc-ci's state folder.
    pub state: PathBuf,
    /// The folder of recipes.
    pub recipes: PathBuf,
    /// Base URL of the reports.
    pub public_url: Option<Url>,
    pub pauses: Debounce,
    /// Poll interval for restarts of ended builds.
    pub restarts: Duration,
    /// Maximum number of processes; the slots limit how many of them have live apps.
    pub at_once: usize,
}

pub struct Worker<F, R> {
    shop: WorkerConfig<F, R>,
    jobs: BTreeMap<CommentId, Job>,
    /// The runs' records so far, as far as needed.
    views: HashMap<CommentId, RunView>,
    leashes: HashMap<CommentId, Leash>,
    /// Failures that the default branch has too, for red runs.
    on_main: HashMap<CommentId, Option<OnMain>>,
    builds: HashMap<CommentId, AtDrone>,
    /// The usual duration of each recipe's runs; `None` to query it again.
    expected: Option<BTreeMap<RecipeName, Duration>>,
    tellers: HashMap<PullId, watch::Sender<CommentUpdate>>,
    telling: JoinSet<()>,
    /// Pull requests whose answer may have changed.
    changed: BTreeSet<PullId>,
    /// Whether to publish without delay.
    urgent: bool,
    stopping: bool,
    came: mpsc::UnboundedSender<WorkerMessage>,
    told: mpsc::UnboundedSender<Delivered>,
}

impl<F: Forge + 'static, R: Runs> Worker<F, R> {
    /// A worker with the stored jobs. `came` is the sender of its own channel.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn new(
        shop: WorkerConfig<F, R>,
        came: mpsc::UnboundedSender<WorkerMessage>,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Delivered>), JobStoreError> {
        let jobs = shop.book.all(Timestamp::now())?;
        let (told, tolds) = mpsc::unbounded_channel();
        let worker = Self {
            shop,
            jobs: jobs.into_iter().map(|job| (job.comment, job)).collect(),
            views: HashMap::new(),
            on_main: HashMap::new(),
            leashes: HashMap::new(),
            builds: HashMap::new(),
            expected: None,
            tellers: HashMap::new(),
            telling: JoinSet::new(),
            changed: BTreeSet::new(),
            urgent: false,
            stopping: false,
            came,
            told,
        };
        Ok((worker, tolds))
    }

    /// Works until it is cancelled, its runs are torn down and the forge has the last updates.
    pub async fn work(
        mut self,
        mut came: mpsc::UnboundedReceiver<WorkerMessage>,
        mut told: mpsc::UnboundedReceiver<Delivered>,
        stop: &CancellationToken,
    ) {
        self.recover().await;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut restarts = interval(self.shop.restarts);
        restarts.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.start_what_may().await;
            if self.urgent {
                self.publish();
            }
            tokio::select! {
                () = stop.cancelled() => break,
                Some(one) = came.recv() => self.take(one).await,
                Some(one) = told.recv() => self.was_told(&one),
                _ = tick.tick(), if !self.changed.is_empty() => self.publish(),
                _ = restarts.tick() => self.look_for_restarts(),
            }
        }
        self.wind_up(&mut came, &mut told).await;
    }

    async fn take(&mut self, came: WorkerMessage) {
        match came {
            WorkerMessage::Word(job) => self.word(*job).await,
            WorkerMessage::Record(comment, record) => self.record(comment, &record),
            WorkerMessage::Ended(comment, ended) => self.ended(comment, &ended),
            WorkerMessage::Gone(comment) => self.gone(comment),
            WorkerMessage::Build(comment, seen) => self.build(comment, *seen),
            WorkerMessage::Over(comment, over) => self.over(comment, over),
            WorkerMessage::Restarted(comment, build) => self.restarted(comment, *build),
            WorkerMessage::PullEnded { pull, end, until } => self.pull_ended(&pull, end, until),
            WorkerMessage::KeptApp(comment, ended) => self.kept_app(comment, ended),
        }
    }

    async fn wind_up(
        &mut self,
        came: &mut mpsc::UnboundedReceiver<WorkerMessage>,
        told: &mut mpsc::UnboundedReceiver<Delivered>,
    ) {
        self.stopping = true;
        let active: Vec<PullId> = self.active().map(|job| job.pull.clone()).collect();
        self.changed.extend(active);
        self.publish();
        if self.shop.runs.outlive() {
            self.leashes.drain().for_each(|(_, leash)| leash.let_be());
        }
        let mut under_way: BTreeSet<CommentId> = self.leashes.keys().copied().collect();
        self.leashes.clear();
        let ending = async {
            while !under_way.is_empty() {
                tokio::select! {
                    Some(one) = came.recv() => {
                        if let WorkerMessage::Ended(comment, _) = &one {
                            under_way.remove(comment);
                        }
                        // A command that arrives now is stored.
                        if !matches!(one, WorkerMessage::Word(_)) {
                            self.take(one).await;
                        }
                    }
                    Some(one) = told.recv() => self.was_told(&one),
                }
            }
        };
        if timeout(STOPPING, ending).await.is_err() {
            tracing::warn!("runs have not ended; the janitor removes what they leave");
        }
        self.publish();
        self.tellers.clear();
        let last = async { while self.telling.join_next().await.is_some() {} };
        let _ = timeout(LAST_WORDS, last).await;
        while let Ok(one) = told.try_recv() {
            self.was_told(&one);
        }
    }

    /// Resumes where an earlier cc-ci process stopped.
    async fn recover(&mut self) {
        let (mut new, mut outlived) = (Vec::new(), Vec::new());
        for job in self.jobs.values() {
            match &job.phase {
                Phase::New => new.push(job.clone()),
                Phase::Running { run } if job.build.is_some() => outlived.push((job.comment, run.clone())),
                Phase::Running { run } => self.await_end(job.comment, run),
                Phase::Queued => {}
                Phase::Ended(_) if job.told => continue,
                Phase::Ended(_) => {}
            }
            self.changed.insert(job.pull.clone());
        }
        for (comment, run) in outlived {
            self.take_up(comment, run);
        }
        self.look_for_ended_pulls();
        for job in new {
            self.word(job).await;
        }
        self.urgent = true;
    }

    /// Waits for a run of an earlier cc-ci process: it is dead, or has lost its leash and tears down.
    fn await_end(&self, comment: CommentId, run: &RunId) {
        let (dir, came) = (RunDir::of(&self.shop.state, run), self.came.clone());
        tokio::spawn(async move {
            // A run that never started has no lock; a run that hangs is handled by the slots.
            let _ = timeout(STOPPING, dir.wait_for_owner()).await;
            let _ = came.send(WorkerMessage::Gone(comment));
        });
    }

    fn active(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().filter(|job| job.is_active())
    }

    /// Changes a job in memory and on disk. False if the disk refuses; then nothing is changed.
    fn change(&mut self, comment: CommentId, change: impl FnOnce(&mut Job)) -> bool {
        let Some(mut job) = self.jobs.get(&comment).cloned() else { return false };
        change(&mut job);
        job.ended = job.has_ended().then(|| job.ended.unwrap_or_else(Timestamp::now));
        if let Err(error) = self.shop.book.save(&job) {
            tracing::error!("{error}");
            return false;
        }
        self.changed.insert(job.pull.clone());
        self.jobs.insert(comment, job);
        true
    }
}

#[cfg(test)]
pub(super) mod fake;
#[cfg(test)]
mod tests;
