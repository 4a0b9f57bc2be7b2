//! Events of runs that are builds.

use std::time::Duration;

use forge::api::Forge;
use forge::drone::{BuildEnd, restarted_run_id};
use forge::names::CommentId;
use jiff::Timestamp;

use super::Worker;
use crate::builds::{Over, RestartedBuild, SeenBuild, StartedBuild};
use crate::child::Runs;
use crate::job::{EarlierAttempt, End, Phase};

/// Maximum age of a comment whose build is polled for restarts.
const RESTARTABLE: Duration = Duration::from_secs(7 * 24 * 3600);

impl<F: Forge + 'static, R: Runs> Worker<F, R> {
    /// The status of a run's build.
    pub(super) fn build(&mut self, comment: CommentId, seen: SeenBuild) {
        let Some(job) = self.jobs.get(&comment).filter(|job| job.is_active()) else { return };
        let known = job.build.as_ref();
        let is_news = known.and_then(|known| known.number) != seen.number
            || known.is_some_and(|known| known.on_swarm) != seen.on_swarm;
        let is_news = is_news && seen.number.is_some();
        if self.builds.get(&comment) != Some(&seen.state) {
            self.changed.insert(job.pull.clone());
            self.builds.insert(comment, seen.state);
        }
        if is_news {
            self.change(comment, |job| {
                let known = job.build.get_or_insert_default();
                (known.number, known.name, known.link) = (seen.number, seen.name, seen.link);
                known.on_swarm = seen.on_swarm;
            });
        }
    }

    /// The build of a run is over. All its records were handled before.
    pub(super) fn over(&mut self, comment: CommentId, over: Over) {
        self.leashes.remove(&comment);
        self.builds.remove(&comment);
        let Some(job) = self.jobs.get(&comment).filter(|job| job.is_active()) else { return };
        let Some(run) = job.run().cloned() else { return };
        if !self.views.contains_key(&comment)
            && let Some(view) = self.read(&run)
        {
            self.views.insert(comment, view);
        }
        let view = self.views.get(&comment);
        let name = job.build.as_ref().and_then(|known| known.name.clone()).unwrap_or_default();
        let (end, without_verdict) = match over {
            Over::Verdict => (End::Ran { run }, None),
            Over::Ended { .. } if view.is_some_and(|view| view.verdict.is_some()) => (End::Ran { run }, None),
            Over::Ended { end: BuildEnd::Error { why }, .. } if view.is_none() => (could_not_run(&name, &why), None),
            // It was stopped before its run wrote a record.
            Over::Ended { end: BuildEnd::Cancelled | BuildEnd::Killed | BuildEnd::FoundDead, .. }
            | Over::NotStarted
                if view.is_none() && job.stopped().is_some() =>
            {
                (End::Stopped, None)
            }
            Over::NotStarted => (End::Stopped, None),
            Over::Ended { end, log } => (End::Ran { run }, Some((end, log))),
            Over::Refused { .. } if job.stopped().is_some() => (End::Stopped, None),
            Over::Refused { what, look_at } => (End::NoRun { what, look_at }, None),
        };
        self.change(comment, |job| {
            if let (Some(build), Some((end, log))) = (&mut job.build, without_verdict) {
                (build.end, build.log) = (Some(end), log);
            }
            job.phase = Phase::Ended(end);
        });
        self.end_kept(comment);
        // The next run takes about as long as the last ones.
        self.expected = None;
        self.urgent = true;
    }

    /// Looks for restarts of ended builds.
    pub(super) fn look_for_restarts(&self) {
        let now = Timestamp::now();
        let is_recent =
            |taken: Timestamp| Duration::try_from(now.duration_since(taken)).unwrap_or_default() < RESTARTABLE;
        let ended = self.jobs.values().filter(|job| job.has_ended() && is_recent(job.taken));
        let known: Vec<StartedBuild> = ended
            .filter_map(|job| {
                let build = job.build.as_ref()?;
                Some(StartedBuild { comment: job.comment, run: build.run.clone()?, number: build.number? })
            })
            .collect();
        if !known.is_empty() {
            self.shop.runs.look_for_restarts(known, self.came.clone());
        }
    }

    /// A build was restarted in Drone: a new attempt of the same command, with the same answer.
    pub(super) fn restarted(&mut self, comment: CommentId, restarted: RestartedBuild) {
        let Some(job) = self.jobs.get(&comment).filter(|job| job.has_ended()) else { return };
        let Some(build) = job.build.clone().filter(|known| known.number < Some(restarted.number)) else { return };
        let Some(first) = build.run.clone() else { return };
        let run = restarted_run_id(&first, restarted.number);
        let before = EarlierAttempt { run: job.run().unwrap_or(&first).clone(), name: build.name, link: build.link };
        self.views.remove(&comment);
        self.on_main.remove(&comment);
        let is_kept = self.change(comment, |job| {
            let known = job.build.get_or_insert_default();
            known.earlier.push(before);
            (known.number, known.name, known.link) = (Some(restarted.number), Some(restarted.name), restarted.link);
            (known.end, known.log, known.on_swarm) = (None, Vec::new(), false);
            job.phase = Phase::Running { run: run.clone() };
            (job.stopped_by, job.told) = (None, false);
        });
        if is_kept {
            self.take_up(comment, run);
        }
        self.urgent = true;
    }
}

/// A build that Drone could not run, with the setting that its message refers to.
fn could_not_run(name: &str, why: &str) -> End {
    let look_at = if why.contains("untrusted") {
        "the setting Trusted of cc-ci's repository in Drone, which only an administrator of Drone changes"
    } else if why.contains("yaml") || why.contains("linter") {
        "the pipeline file of the branch that is built"
    } else if why.contains("pull access") || why.contains("No such image") || why.contains("manifest") {
        "the image of the step: it has to be on each runner, with `pull: if-not-exists`, or in a registry"
    } else {
        "the page of the build, and the log of Drone's runner"
    };
    End::NoRun { what: format!("build {name} could not run: {why}"), look_at: look_at.to_owned() }
}
