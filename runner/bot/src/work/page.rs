//! Renders the answers and hands them to the tellers.

use std::collections::BTreeMap;
use std::path::Path;

use forge::api::Forge;
use forge::names::PullId;
use tokio::sync::watch;

use super::Worker;
use crate::child::Runs;
use crate::job::{Job, Phase};
use crate::render::{CommentPage, ShownRun, render, status};
use crate::tell::{CommentUpdate, tell};
use history::History;
use history::on_main;
use journal::fold::RunView;
use journal::on_main::OnMain;
use journal::tone::Tone;

impl<F: Forge + 'static, R: Runs> Worker<F, R> {
    /// Renders what has changed.
    pub(super) fn publish(&mut self) {
        self.urgent = false;
        for pull in std::mem::take(&mut self.changed) {
            self.read_back(&pull);
            let telling = self.telling(&pull);
            let teller = self.tellers.entry(pull.clone()).or_insert_with(|| {
                let (send, wanted) = watch::channel(CommentUpdate::default());
                let (forge, told) = (self.shop.forge.clone(), self.told.clone());
                self.telling.spawn(tell(forge, pull, wanted, told, self.shop.pauses));
                send
            });
            teller.send_if_modified(|known| {
                let is_new = *known != telling;
                if is_new {
                    *known = telling;
                }
                is_new
            });
        }
        while self.telling.try_join_next().is_some() {}
    }

    /// The run that an answer is about: the one in progress, else the first that waits, else the one that ended last.
    fn main(&self, pull: &PullId) -> Option<&Job> {
        let here = || self.jobs.values().filter(|job| job.pull == *pull);
        here()
            .find(|job| matches!(job.phase, Phase::Running { .. }))
            .or_else(|| here().find(|job| job.phase == Phase::Queued))
            .or_else(|| here().filter(|job| job.is_about_a_run()).max_by_key(|job| (job.ended, job.comment)))
    }

    /// Reads the journals of runs that are to be shown and that this process did not follow.
    fn read_back(&mut self, pull: &PullId) {
        let here = self.jobs.values().filter(|job| job.pull == *pull && job.has_ended());
        let wanted = here.filter(|job| !job.told).chain(self.main(pull).filter(|job| job.has_ended()));
        let missing: Vec<_> = wanted
            .filter(|job| !self.views.contains_key(&job.comment))
            .filter_map(|job| Some((job.comment, job.run()?.clone())))
            .collect();
        for (comment, run) in missing {
            if let Some(view) = self.read(&run) {
                self.views.insert(comment, view);
            }
        }
        let ended = self.jobs.values().filter(|job| job.pull == *pull && job.has_ended()).map(|job| job.comment);
        for comment in ended.collect::<Vec<_>>() {
            if let Some(view) = self.views.get(&comment)
                && !self.on_main.contains_key(&comment)
            {
                let on_main = on_main(&self.shop.state, view);
                self.on_main.insert(comment, on_main);
            }
        }
    }

    fn telling(&self, pull: &PullId) -> CommentUpdate {
        let here: Vec<&Job> = self.jobs.values().filter(|job| job.pull == *pull).collect();
        let main = self.main(pull);
        let waits = |job: &&&Job| job.phase == Phase::Queued && main.is_none_or(|main| main.comment != job.comment);
        let next: Vec<&Job> = here.iter().filter(waits).copied().collect();
        let public_url = self.shop.public_url.as_ref();
        let page = CommentPage {
            main: main.map(|job| self.shown(job)),
            next: &next,
            words: &here,
            public_url,
            stopping: self.stopping,
        };
        let mut statuses = BTreeMap::new();
        // A later command on the same commit wins, and a run in progress wins over an ended one.
        let (over, active): (Vec<&Job>, Vec<&Job>) = here.iter().partition(|job| job.has_ended());
        for job in over.into_iter().filter(|job| !job.told).chain(active) {
            if let Some(status) = status(self.shown(job), public_url) {
                statuses.insert((job.head.clone(), status.context.clone()), status);
            }
        }
        let ends = here.iter().filter(|job| job.has_ended() && !job.told).map(|job| job.comment).collect();
        CommentUpdate { text: render(&page), statuses, ends }
    }

    fn shown<'a>(&'a self, job: &'a Job) -> ShownRun<'a> {
        let earlier = || self.active().filter(|other| other.comment < job.comment);
        let here = earlier().filter(|other| other.pull == job.pull).count();
        let running = self.active().filter(|other| matches!(other.phase, Phase::Running { .. })).count();
        let queued = earlier().filter(|other| other.phase == Phase::Queued).count();
        let before = match (here, running < self.shop.at_once) {
            (0, true) => 0,
            (0, false) => queued + running + 1 - self.shop.at_once,
            (here, _) => here,
        };
        let usual = |recipe| self.expected.as_ref()?.get(&recipe).copied();
        let expected_ms = job.recipe().and_then(usual).map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let view = self.views.get(&job.comment).filter(|_| job.run().is_some());
        let build = self.builds.get(&job.comment).filter(|_| job.is_active());
        let on_main = self.on_main.get(&job.comment).and_then(Option::as_ref);
        ShownRun { job, view, build, before, expected_ms, on_main }
    }
}

/// Failures that the default branch has too, from the state folder's history; `None` without an answer from it.
fn on_main(state: &Path, view: &RunView) -> Option<OnMain> {
    if view.tone() != Tone::Failed || !state.join("history.sqlite").exists() {
        return None;
    }
    let looked = History::open_to_read(state).and_then(|history| history.read_now(|db| on_main::look(db, view)));
    looked.unwrap_or_else(|error| {
        tracing::warn!("what was so on main is not known: {error}");
        None
    })
}
