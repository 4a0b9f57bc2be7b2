//! Starts runs: in the order of the commands, one at a time on each pull request.

use std::collections::BTreeSet;

use base::names::RunId;
use forge::api::Forge;
use forge::grammar::TestMe;
use forge::names::CommentId;

use super::Worker;
use crate::builds::Over;
use crate::child::{Order, Runs};
use crate::job::{AsBuild, End, Job, Phase};
use journal::run_id::new_run_id;
use report::redo::red_in_pull;

impl<F: Forge + 'static, R: Runs> Worker<F, R> {
    /// Starts every run that has to wait only for its slot.
    pub(super) async fn start_what_may(&mut self) {
        for comment in self.next() {
            self.start(comment).await;
            self.urgent = true;
        }
    }

    /// The commands whose runs may be started now.
    fn next(&self) -> Vec<CommentId> {
        let running = self.active().filter(|job| matches!(job.phase, Phase::Running { .. }));
        let mut busy: BTreeSet<_> = BTreeSet::new();
        let mut count = 0;
        for job in running {
            busy.insert(&job.pull);
            count += 1;
        }
        let mut next = Vec::new();
        for job in self.active().filter(|job| job.phase == Phase::Queued) {
            if count >= self.shop.at_once {
                break;
            }
            if busy.insert(&job.pull) {
                next.push(job.comment);
                count += 1;
            }
        }
        next
    }

    async fn start(&mut self, comment: CommentId) {
        let Some(job) = self.jobs.get(&comment).cloned() else { return };
        let only = match self.only(&job).await {
            Ok(only) => only,
            Err(remark) => {
                self.change(comment, |job| {
                    job.remarks.push(remark);
                    job.phase = Phase::Ended(End::Done);
                });
                return;
            }
        };
        let Ok(run) = new_run_id() else { return };
        let Some(order) = self.order(&job, &only, run.clone()) else { return };
        let is_build = self.shop.runs.outlive();
        // Write before start: no run may exist without a record.
        let is_known = self.change(comment, |job| {
            job.only = Some(only);
            job.build = is_build.then(|| AsBuild { run: Some(run.clone()), ..AsBuild::default() });
            job.phase = Phase::Running { run };
        });
        if !is_known {
            return;
        }
        match self.shop.runs.start(&order, self.came.clone()) {
            Ok(leash) => {
                self.leashes.insert(comment, leash);
            }
            Err(error) => {
                let what = format!("no process could be started: {error}");
                let look_at = "the log of cc-ci serve, and the memory of its machine".to_owned();
                self.change(comment, |job| job.phase = Phase::Ended(End::NoRun { what, look_at }));
            }
        }
    }

    fn order(&self, job: &Job, only: &[String], run: RunId) -> Option<Order> {
        let from = match job.testme() {
            Some(TestMe::Run { from, .. }) => from.as_ref().map(ToString::to_string),
            _ => None,
        };
        Some(Order {
            comment: job.comment,
            recipe: job.recipe()?,
            source: self.shop.forge.clone_url(&job.pull.repo),
            pull: job.pull.number,
            commit: job.head.clone(),
            run,
            only: only.to_vec(),
            from,
            again: false,
            build: None,
            on_swarm: false,
        })
    }

    /// Resumes a run that outlived an earlier cc-ci process.
    pub(super) fn take_up(&mut self, comment: CommentId, run: RunId) {
        let Some(job) = self.jobs.get(&comment) else { return };
        let is_stopped = job.stopped().is_some();
        let known = job.build.clone().unwrap_or_default();
        let only = job.only.clone().unwrap_or_default();
        let order = self.order(job, &only, run).map(|order| Order {
            again: true,
            build: known.number,
            on_swarm: known.on_swarm,
            ..order
        });
        let started = match order {
            Some(order) if self.shop.runs.outlive() => self.shop.runs.start(&order, self.came.clone()).ok(),
            _ => None,
        };
        match started {
            // A stopped run is stopped again: whether Drone received the first request is unknown.
            Some(leash) if is_stopped => drop(leash),
            Some(leash) => {
                self.leashes.insert(comment, leash);
            }
            None => {
                let what = "its run was a build of Drone, and no Drone is configured any more".to_owned();
                let look_at = known.link.map_or_else(|| "the settings of Drone".to_owned(), |link| link.to_string());
                self.over(comment, Over::Refused { what, look_at });
            }
        }
    }

    /// The part to run, or why none is.
    async fn only(&self, job: &Job) -> Result<Vec<String>, String> {
        if let Some(known) = &job.only {
            return Ok(known.clone());
        }
        match (job.testme(), job.recipe()) {
            (Some(TestMe::Run { only, .. }), _) => {
                Ok(only.as_ref().map(|only| only.words().to_vec()).unwrap_or_default())
            }
            (Some(TestMe::Failed), Some(recipe)) => {
                let (state, pull) = (self.shop.state.clone(), job.pull.number);
                let red = tokio::task::spawn_blocking(move || red_in_pull(&state, &recipe, pull)).await;
                match red.ok().flatten() {
                    None => {
                        Err("`!testme failed`: no run of this pull request is known here; `!testme` starts one."
                            .to_owned())
                    }
                    Some(red) if !red.any => {
                        Err(format!("`!testme failed`: nothing was red in the last run here, `{}`.", red.run))
                    }
                    Some(red) => Ok(red.only),
                }
            }
            _ => Err("no run was requested.".to_owned()),
        }
    }
}
