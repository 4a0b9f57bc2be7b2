//! The one who does what was asked for. All that is known is in its hands; the disk is written before anything
//! happens, and the forge is told afterwards.

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

/// How often what runs have said is put into words.
const TICK: Duration = Duration::from_millis(500);
/// When cc-ci is stopped, its runs have this long to tear down. The unit gives it 5 minutes.
const STOPPING: Duration = Duration::from_secs(4 * 60 + 15);
/// And the forge this long to hear of it.
const LAST_WORDS: Duration = Duration::from_secs(15);

/// What a worker works with.
#[derive(Debug)]
pub struct WorkerConfig<F, R> {
    /// Where it answers.
    pub forge: Arc<F>,
    /// Who starts runs.
    pub runs: R,
    /// Who ends apps that stay.
    pub kept: Arc<dyn KeptApps>,
    /// Where words are written down.
    pub book: JobStore,
    /// cc-ci's state folder.
    pub state: PathBuf,
    /// The folder of recipes.
    pub recipes: PathBuf,
    /// Where reports are to be read.
    pub public_url: Option<Url>,
    /// How often it tells.
    pub pauses: Debounce,
    /// How often builds that ended are looked at for a restart.
    pub restarts: Duration,
    /// Runs that are processes at once; the slots decide how many of them have live apps.
    pub at_once: usize,
}

/// Does what was asked for.
pub struct Worker<F, R> {
    shop: WorkerConfig<F, R>,
    jobs: BTreeMap<CommentId, Job>,
    /// What runs have said, as far as it was asked for.
    views: HashMap<CommentId, RunView>,
    leashes: HashMap<CommentId, Leash>,
    /// What was so on the default branch, for the red ones.
    on_main: HashMap<CommentId, Option<OnMain>>,
    /// How builds stand.
    builds: HashMap<CommentId, AtDrone>,
    /// How long runs of each recipe usually take; none where they are to be looked at anew.
    expected: Option<BTreeMap<RecipeName, Duration>>,
    tellers: HashMap<PullId, watch::Sender<CommentUpdate>>,
    telling: JoinSet<()>,
    /// Pull requests whose answer may have changed.
    changed: BTreeSet<PullId>,
    /// The same, and somebody waits for it.
    urgent: bool,
    stopping: bool,
    came: mpsc::UnboundedSender<WorkerMessage>,
    told: mpsc::UnboundedSender<Delivered>,
}

impl<F: Forge + 'static, R: Runs> Worker<F, R> {
    /// A worker with what its book says. `came` is the sender of what it will be given.
    ///
    /// # Errors
    /// When the book cannot be read.
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

    /// Works until it is told to stop, and then until its runs have torn down and the forge knows.
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
                        // A word that comes now is in the book.
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

    /// Goes on where an earlier cc-ci stopped.
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

    /// A run of an earlier cc-ci: it is dead, or it has lost its leash and tears down.
    fn await_end(&self, comment: CommentId, run: &RunId) {
        let (dir, came) = (RunDir::of(&self.shop.state, run), self.came.clone());
        tokio::spawn(async move {
            // One that was never made has no lock, and one that hangs is the slots' affair.
            let _ = timeout(STOPPING, dir.wait_for_owner()).await;
            let _ = came.send(WorkerMessage::Gone(comment));
        });
    }

    fn active(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().filter(|job| job.is_active())
    }

    /// Changes a job, on the disk too; false where the disk refuses, and then nothing is changed.
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
