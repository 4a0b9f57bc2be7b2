//! A pull request that is closed or merged: jobs that wait or run there end, and kept apps are removed. A reopened pull
//! request needs a new command.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use forge::api::{Forge, PullEnd};
use forge::names::{CommentId, PullId};
use jiff::{SignedDuration, Timestamp};

use super::Worker;
use crate::child::Runs;
use crate::job::{End, Job, KeptJob, Phase};
use crate::kept::has_kept;

/// An app is kept for at most a day; the rest allows for two machines' clocks.
const KEPT: SignedDuration = SignedDuration::from_hours(25);
/// Retry interval of a forge that is down.
const AGAIN: Duration = Duration::from_secs(30);

impl<F: Forge + 'static, R: Runs> Worker<F, R> {
    /// Ends the jobs of a pull request. Jobs that ended before are unchanged.
    pub(super) fn pull_ended(&mut self, pull: &PullId, end: PullEnd, until: Option<CommentId>) {
        let is_meant = |job: &&Job| {
            job.pull == *pull && job.pull_ended.is_none() && until.is_none_or(|until| job.comment <= until)
        };
        let active: Vec<CommentId> =
            self.active().filter(is_meant).filter(|job| job.stopped_by.is_none()).map(|job| job.comment).collect();
        let over: Vec<CommentId> =
            self.jobs.values().filter(is_meant).filter(|job| may_be_kept(job)).map(|job| job.comment).collect();
        for comment in active {
            let is_kept = self.change(comment, |job| {
                job.pull_ended = Some(end);
                if job.phase == Phase::Queued {
                    job.phase = Phase::Ended(End::Stopped);
                }
            });
            if is_kept {
                self.leashes.remove(&comment);
                self.urgent = true;
            }
        }
        for comment in over {
            if self.keeps(comment) && self.change(comment, |job| job.pull_ended = Some(end)) {
                self.end_kept(comment);
            }
        }
    }

    /// Removes the app that a run kept, if its pull request has ended; also one that was kept at this moment.
    pub(super) fn end_kept(&mut self, comment: CommentId) {
        let is_over =
            |job: &&Job| job.pull_ended.is_some() && job.kept.as_ref().is_none_or(|kept| *kept == KeptJob::Goes);
        let Some(job) = self.jobs.get(&comment).filter(is_over) else { return };
        let Phase::Ended(End::Ran { run }) = &job.phase else { return };
        let run = run.clone();
        if !self.keeps(comment) || !self.change(comment, |job| job.kept = Some(KeptJob::Goes)) {
            return;
        }
        self.urgent = true;
        let (apps, came) = (Arc::clone(&self.shop.kept), self.came.clone());
        tokio::spawn(async move {
            let ended = apps.end(&run).await;
            let _ = came.send(super::WorkerMessage::KeptApp(comment, ended));
        });
    }

    /// Records the result of removing a kept app.
    pub(super) fn kept_app(&mut self, comment: CommentId, ended: Result<(), String>) {
        let kept = match ended {
            Ok(()) => KeptJob::Gone,
            Err(why) => {
                tracing::warn!("the kept app of comment {comment} stays until its time is over: {why}");
                KeptJob::Stays { why }
            }
        };
        self.change(comment, |job| job.kept = Some(kept));
        self.urgent = true;
    }

    /// Whether the comment's run kept its app.
    fn keeps(&self, comment: CommentId) -> bool {
        let Some(run) = self.jobs.get(&comment).and_then(Job::run) else { return false };
        match self.views.get(&comment) {
            Some(view) => has_kept(view),
            None => self.read(run).is_some_and(|view| has_kept(&view)),
        }
    }

    /// Queries the pull requests that have waiting, running or kept jobs: they may have ended while cc-ci was down.
    pub(super) fn look_for_ended_pulls(&mut self) {
        let half_ended: Vec<CommentId> =
            self.jobs.values().filter(|job| job.kept == Some(KeptJob::Goes)).map(|job| job.comment).collect();
        half_ended.into_iter().for_each(|comment| self.end_kept(comment));
        let open = self.jobs.values().filter(|job| job.pull_ended.is_none());
        let concerned = open.filter(|job| job.is_active() || may_be_kept(job));
        let pulls: BTreeSet<PullId> = concerned.map(|job| job.pull.clone()).collect();
        let until = self.jobs.keys().next_back().copied();
        let (forge, came) = (Arc::clone(&self.shop.forge), self.came.clone());
        tokio::spawn(async move {
            for pull in pulls {
                let found = loop {
                    match forge.pull(&pull).await {
                        Err(error) if error.is_passing() => tokio::time::sleep(AGAIN).await,
                        Err(error) => {
                            tracing::warn!("whether {pull} is still open is not known: {error}");
                            break None;
                        }
                        Ok(found) => break found,
                    }
                };
                if let Some(end) = found.and_then(|found| found.ended) {
                    let _ = came.send(super::WorkerMessage::PullEnded { pull, end, until });
                }
            }
        });
    }
}

/// Whether the job's run ended so recently that its app may still exist.
fn may_be_kept(job: &Job) -> bool {
    let ran = matches!(job.phase, Phase::Ended(End::Ran { .. }));
    ran && job.ended.is_some_and(|ended| Timestamp::now().duration_since(ended) < KEPT)
}
