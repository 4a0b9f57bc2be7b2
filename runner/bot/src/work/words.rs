//! Carries out a comment's lines.

use std::time::Duration;

use base::names::RecipeName;
use forge::api::{Forge, PullEnd};
use forge::grammar::{Command, Hold, Parsed};
use forge::names::CommentId;
use forge::watch::Pin;

use super::Worker;
use crate::child::Runs;
use crate::job::{End, Job, Phase};
use journal::event::Stage;
use journal::expect;
use journal::fold::StageProgress;
use journal::run_dir::RunDir;
use journal::text::seconds;

impl<F: Forge + 'static, R: Runs> Worker<F, R> {
    pub(super) async fn word(&mut self, mut job: Job) {
        let comment = job.comment;
        // Work that a death interrupted is repeated from the beginning.
        (job.remarks, job.phase) = (Vec::new(), Phase::New);
        let mut asks = 0;
        for said in job.said.clone() {
            let command = match said {
                Parsed::Trouble(trouble) => {
                    job.remarks.push(trouble.to_string());
                    continue;
                }
                Parsed::Command(command) => command,
            };
            let remark = match &command {
                Command::TestMe(_) => {
                    asks += 1;
                    if asks == 1 {
                        self.asks_for_a_run(&mut job).await
                    } else {
                        Some("one run a comment: the first `!testme` counts.".to_owned())
                    }
                }
                Command::Stop => Some(self.stop(&mut job)),
                Command::Status => Some("its status is above.".to_owned()),
                Command::Hold(hold) => Some(self.hold(&mut job, *hold)),
            };
            job.remarks.extend(remark.map(|remark| format!("`{command}`: {remark}")));
        }
        if job.phase == Phase::New {
            job.phase = Phase::Ended(End::Done);
        }
        self.jobs.insert(comment, job);
        // A disk that refuses now is retried at the next change; the stored job is still new.
        self.change(comment, |_| {});
        self.urgent = true;
    }

    async fn asks_for_a_run(&mut self, job: &mut Job) -> Option<String> {
        let is_known = |name: &RecipeName| self.shop.recipes.join(name.as_str()).join("recipe.toml").is_file();
        let unknown = match job.pull.repo.name.as_str().parse::<RecipeName>() {
            Ok(name) if is_known(&name) => None,
            Ok(name) => Some((
                format!("{name} is not a recipe that this cc-ci knows"),
                "a recipe is enrolled by adding a folder for it: docs/enroll-recipe.md",
            )),
            Err(error) => Some((error.to_string(), "the repository's name, which is the recipe's")),
        };
        if let Some((what, look_at)) = unknown {
            job.phase = Phase::Ended(End::NoRun { what, look_at: look_at.to_owned() });
            return None;
        }
        if let Some(end) = job.pull_ended {
            let then = match end {
                PullEnd::Merged => "it is not tested any more",
                PullEnd::Closed => "reopen it to test it",
            };
            return Some(format!("this pull request is {end}: {then}."));
        }
        if let Some(why) = self.is_unseen(job) {
            return Some(format!("{why} Nothing is run: review it, then write `!testme` again."));
        }
        let here = |other: &&Job| other.pull == job.pull && other.comment != job.comment && other.stopped().is_none();
        let same = |other: &Job| other.head == job.head && other.testme() == job.testme();
        if self.active().filter(here).any(same) {
            return Some(
                "such a run of this commit is in progress already, and its verdict applies to both.".to_owned(),
            );
        }
        let waits = self.active().filter(here).count() > 0;
        if self.expected.is_none() {
            let state = self.shop.state.clone();
            self.expected = tokio::task::spawn_blocking(move || expect::whole(&state)).await.ok();
        }
        job.phase = Phase::Queued;
        waits.then(|| "it waits for the run in progress here; `!stop` stops that one.".to_owned())
    }

    /// Why the member may not have seen the head commit. A commit that an earlier answer here named counts as seen.
    fn is_unseen(&self, job: &Job) -> Option<String> {
        let named = |other: &&Job| {
            other.pull == job.pull && other.comment < job.comment && other.told && other.testme().is_some()
        };
        match job.pin {
            Pin::Head => None,
            Pin::Unsure if self.jobs.values().filter(named).any(|other| other.head == job.head) => None,
            Pin::Pushed => {
                Some(format!("something was pushed after this was written; the head is commit `{}` now.", job.head))
            }
            Pin::Unsure => Some(format!("it is unknown whether commit `{}` existed when this was written.", job.head)),
        }
    }

    /// Stops what waits or runs on the pull request, including this comment's own run.
    fn stop(&mut self, job: &mut Job) -> String {
        let mut stopped = 0;
        let here: Vec<CommentId> = self
            .active()
            .filter(|other| other.pull == job.pull && other.stopped().is_none())
            .map(|other| other.comment)
            .collect();
        for comment in here.into_iter().filter(|comment| *comment != job.comment) {
            let by = job.member.clone();
            let is_kept = self.change(comment, |other| {
                other.stopped_by = Some(by);
                if other.phase == Phase::Queued {
                    other.phase = Phase::Ended(End::Stopped);
                }
            });
            if is_kept {
                stopped += 1;
                self.leashes.remove(&comment);
            }
        }
        if job.phase == Phase::Queued {
            (job.phase, job.stopped_by) = (Phase::Ended(End::Stopped), Some(job.member.clone()));
            stopped += 1;
        }
        match stopped {
            0 => "nothing waits or runs here.".to_owned(),
            1 => "the run is stopped.".to_owned(),
            more => format!("{more} runs are stopped."),
        }
    }

    /// Keeps the app of the pull request's run.
    fn hold(&mut self, job: &mut Job, hold: Hold) -> String {
        let time = hold.duration();
        let stays = format!("its app stays for {} when the run has ended.", words(time));
        if job.phase == Phase::Queued {
            job.hold_s = Some(time.as_secs());
            return stays;
        }
        let over = "no run is under way here, so no app is there. `!testme`, and `!hold` on a line of its own below \
                    it, let the app of a new run stay.";
        let found = self.active().find(|other| other.pull == job.pull && other.stopped().is_none());
        let Some((comment, run)) = found.map(|other| (other.comment, other.run().cloned())) else {
            return over.to_owned();
        };
        let is_late = self
            .views
            .get(&comment)
            .and_then(|view| view.stage(Stage::Teardown))
            .is_some_and(|stage| stage.state != StageProgress::Waiting);
        if is_late {
            return over.to_owned();
        }
        if !self.change(comment, |other| other.hold_s = Some(time.as_secs())) {
            return "the command could not be written to disk; please repeat it.".to_owned();
        }
        // A run that has no folder yet is asked as soon as it has one.
        if let Some(run) = run
            && let Err(error) = RunDir::of(&self.shop.state, &run).hold(time)
        {
            tracing::info!("run {run} has no folder yet: {error}");
        }
        stays
    }
}

fn words(time: Duration) -> String {
    seconds(time.as_secs().saturating_mul(1_000))
}
