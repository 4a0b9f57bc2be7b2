//! Records of runs, their ends, and what was delivered to the forge.

use std::time::Duration;

use forge::api::Forge;
use forge::names::CommentId;

use super::Worker;
use crate::child::Runs;
use crate::job::{End, Phase};
use crate::message::ChildExit;
use crate::tell::Delivered;
use journal::event::{Record, VerdictKind};
use journal::fold::{RunView, fold};

use journal::run_dir::RunDir;

/// Restarts of cc-ci during one run after which the run is given up: it may be the cause.
const RESTARTS: u32 = 3;

/// Delivered jobs to remember for each pull request.
const REMEMBERED: usize = 10;

impl<F: Forge + 'static, R: Runs> Worker<F, R> {
    pub(super) fn record(&mut self, comment: CommentId, record: &Record) {
        let Some(job) = self.jobs.get(&comment) else { return };
        match self.views.get_mut(&comment) {
            Some(view) => view.apply(record),
            None => {
                let Ok(view) = RunView::begin(record) else { return };
                self.views.insert(comment, view);
                // It has a folder now.
                if let (Some(run), Some(hold)) = (job.run(), job.hold_s)
                    && let Err(error) = RunDir::of(&self.shop.state, run).hold(Duration::from_secs(hold))
                {
                    tracing::warn!("run {run} cannot be asked to keep its app: {error}");
                }
            }
        }
        self.changed.insert(job.pull.clone());
    }

    /// The process of a run of this cc-ci has exited.
    pub(super) fn ended(&mut self, comment: CommentId, ended: &ChildExit) {
        self.leashes.remove(&comment);
        let Some(job) = self.jobs.get(&comment) else { return };
        let Some(run) = job.run().cloned() else { return };
        let view = self.views.get(&comment);
        // A run that was stopped with cc-ci begins again with it.
        if self.stopping && job.stopped().is_none() && !view.is_some_and(has_said_all) {
            return;
        }
        let end = match view {
            Some(_) => End::Ran { run },
            None if job.stopped().is_some() => End::Stopped,
            None => no_run(ended),
        };
        self.change(comment, |job| job.phase = Phase::Ended(end));
        self.end_kept(comment);
        // The next run takes about as long as the last ones.
        self.expected = None;
        self.urgent = true;
    }

    /// The process of a run of an earlier cc-ci is gone.
    pub(super) fn gone(&mut self, comment: CommentId) {
        let Some(job) = self.jobs.get(&comment) else { return };
        let Some(run) = job.run().cloned() else { return };
        let view = self.read(&run);
        let phase = match &view {
            Some(view) if has_said_all(view) || (job.stopped().is_some() && view.verdict.is_some()) => {
                Phase::Ended(End::Ran { run })
            }
            _ if job.stopped().is_some() => Phase::Ended(End::Stopped),
            _ if job.restarts >= RESTARTS => Phase::Ended(End::NoRun {
                what: format!("cc-ci was restarted {} times while this ran, the last time in run {run}", RESTARTS + 1),
                look_at: "the log of cc-ci serve; `!testme` runs it again".to_owned(),
            }),
            _ => Phase::Queued,
        };
        if let (Phase::Ended(End::Ran { .. }), Some(view)) = (&phase, view) {
            self.views.insert(comment, view);
        }
        self.change(comment, |job| {
            job.restarts += u32::from(phase == Phase::Queued);
            job.phase = phase;
        });
        self.end_kept(comment);
        self.urgent = true;
    }

    pub(super) fn read(&self, run: &base::names::RunId) -> Option<RunView> {
        let journal = journal::read(&RunDir::of(&self.shop.state, run).journal()).ok()?;
        fold(&journal.records).ok()
    }

    pub(super) fn was_told(&mut self, told: &Delivered) {
        for comment in &told.ends {
            self.change(*comment, |job| job.told = true);
        }
        // The answer does not show any of this.
        self.changed.remove(&told.pull);
        let here = || self.jobs.values().filter(|job| job.pull == told.pull);
        if here().any(|job| !job.told) {
            self.changed.insert(told.pull.clone());
            return;
        }
        self.tellers.remove(&told.pull);
        let comments: Vec<CommentId> = here().map(|job| job.comment).collect();
        for comment in &comments {
            self.views.remove(comment);
            self.on_main.remove(comment);
        }
        for comment in comments.iter().rev().skip(REMEMBERED) {
            self.jobs.remove(comment);
        }
    }
}

/// Whether a run has a conclusive verdict.
fn has_said_all(view: &RunView) -> bool {
    view.verdict.as_ref().is_some_and(|verdict| verdict.word != VerdictKind::Cancelled)
}

/// The end of a run that never began, from its output.
fn no_run(ended: &ChildExit) -> End {
    let after = |begin: &str| ended.said.iter().rev().find_map(|line| line.strip_prefix(begin)).map(str::to_owned);
    let how = match ended.code {
        Some(code) => format!("with code {code}"),
        None => "by a signal".to_owned(),
    };
    let last = || ended.said.last().map_or_else(|| "and said nothing".to_owned(), |line| format!("and said: {line}"));
    End::NoRun {
        what: after("cc-ci: ").unwrap_or_else(|| format!("the run's process ended {how} {}", last())),
        look_at: after("look at: ").unwrap_or_else(|| "the log of cc-ci serve".to_owned()),
    }
}
