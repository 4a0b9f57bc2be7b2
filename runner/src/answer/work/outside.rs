//! What is heard of runs that are builds.

use trigger::drone::Standing;
use trigger::forge::Forge;
use trigger::names::CommentId;

use super::Worker;
use crate::answer::builds::{Over, Seen, word};
use crate::answer::child::Runs;
use crate::answer::job::{End, Phase};

impl<F: Forge + 'static, R: Runs> Worker<F, R> {
    /// How the build of a run stands.
    pub(super) fn build(&mut self, comment: CommentId, seen: Seen) {
        let Some(job) = self.jobs.get(&comment).filter(|job| job.is_active()) else { return };
        let is_news = job.build.as_ref().and_then(|known| known.number) != seen.number && seen.number.is_some();
        if self.builds.get(&comment) != Some(&seen.state) {
            self.changed.insert(job.pull.clone());
            self.builds.insert(comment, seen.state);
        }
        if is_news {
            self.change(comment, |job| {
                let known = job.build.get_or_insert_default();
                (known.number, known.name, known.link) = (seen.number, seen.name, seen.link);
            });
        }
    }

    /// The build of a run is over. All that the run said was heard before.
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
        let known = job.build.clone().unwrap_or_default();
        let view = self.views.get(&comment);
        let ended = match &over {
            Over::Ended(standing) if view.is_some_and(|view| view.verdict.is_none()) => {
                Some(word(*standing).to_owned())
            }
            _ => None,
        };
        let end = match over {
            _ if view.is_some_and(|view| view.verdict.is_some()) => End::Ran { run },
            Over::Ended(_) if view.is_some() => End::Ran { run },
            _ if job.stopped_by.is_some() => End::Stopped,
            Over::NotStarted => End::Stopped,
            Over::Ended(standing) => silent(&known.name.unwrap_or_default(), standing),
            Over::Refused { what, look_at } => End::NoRun { what, look_at },
        };
        self.change(comment, |job| {
            if let Some(build) = &mut job.build {
                build.ended = ended;
            }
            job.phase = Phase::Ended(end);
        });
        // The next run takes about as long as the last ones.
        self.expected = None;
        self.urgent = true;
    }
}

/// A build whose run said nothing to us.
fn silent(name: &str, standing: Option<Standing>) -> End {
    let how = word(standing);
    let (what, look_at) = match standing {
        Some(Standing::Passed) => (
            format!("build {name} {how}, and its run told nothing here"),
            "report-to and report-token of the pipeline, and the log of the build",
        ),
        _ => (format!("build {name} {how} before its run told anything here"), "the log of the build"),
    };
    End::NoRun { what, look_at: look_at.to_owned() }
}
