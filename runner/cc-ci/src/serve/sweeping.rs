//! The janitor: once a minute, and at once when a run of this machine dies.

use host::say;
use std::time::Duration;

use base::failure::Failure;
use slots::Scan;
use swarm::Swarm;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::deaths::Deaths;
use super::notify::Manager;
use host::guard;
use host::janitor::{Janitor, Reaped, Reaping};
use host::queue::Runner;
use host::world;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(60);
/// How long one app may take to go.
const REMOVING: Duration = Duration::from_secs(120);
/// One look may take this long before the service counts as hung.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// After so long, what a dead run left is left to a person, and new work starts beside it.
const STAYS: Duration = Duration::from_secs(3600);

/// What one look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SweepOutcome {
    /// Nothing is left of any dead run.
    Clean,
    /// Something of one could not be removed.
    Left,
    /// The engine does not answer.
    Nothing,
}

/// The janitor of a server.
pub(super) struct Sweeping {
    runner: Runner,
    /// What was told last, so that the log says each thing once.
    said: String,
    deaths: Deaths,
}

impl Sweeping {
    /// One that goes by these settings.
    pub(super) fn new(runner: Runner) -> Self {
        let deaths = Deaths::watch(&runner.state);
        Self { runner, said: String::new(), deaths }
    }

    /// Waits for the engine and removes what dead runs left: until nothing of it is there, or an hour has shown
    /// that something stays.
    pub(super) async fn first(&mut self, manager: &mut Manager) {
        let mut answered_at = None;
        loop {
            match self.look(manager).await {
                SweepOutcome::Clean => return,
                SweepOutcome::Left if answered_at.get_or_insert_with(Instant::now).elapsed() >= STAYS => return,
                SweepOutcome::Left | SweepOutcome::Nothing => self.rest(manager).await,
            }
        }
    }

    /// Goes on for ever.
    pub(super) async fn go_on(&mut self, manager: &mut Manager) {
        loop {
            self.rest(manager).await;
            self.look(manager).await;
        }
    }

    /// Waits a minute, or until a run of this machine dies.
    async fn rest(&mut self, manager: &mut Manager) {
        let until = Instant::now() + EVERY;
        while Instant::now() < until {
            manager.alive();
            tokio::select! {
                () = sleep(manager.longest_silence()) => {}
                Some(run) = self.deaths.next() => {
                    tracing::info!("run {run} ended without its teardown");
                    return;
                }
            }
        }
    }

    /// One look. The service manager hears of it as long as the look
    /// does not take too long.
    async fn look(&mut self, manager: &mut Manager) -> SweepOutcome {
        let runner = self.runner.clone();
        let looking = sweep(&runner);
        tokio::pin!(looking);
        let start = Instant::now();
        let mut tick = interval(manager.longest_silence());
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            tokio::select! {
                ended = &mut looking => break ended,
                _ = tick.tick(), if start.elapsed() < LONGEST => manager.alive(),
                // A look may take minutes: it watches other machines' runs, and removes apps. This one is dead for sure.
                Some(run) = self.deaths.next() => {
                    tracing::info!("run {run} ended without its teardown");
                    tokio::spawn(sweep_now(self.runner.clone()));
                }
            }
        };
        let (said, seen) = match ended {
            Ok(done) => {
                let stays = |one: &Reaped| matches!(one.what, Reaping::Left(_) | Reaping::Failed(_));
                (words(&done), if done.iter().any(stays) { SweepOutcome::Left } else { SweepOutcome::Clean })
            }
            Err(failure) => (format!("the engine does not answer: {}", failure.what), SweepOutcome::Nothing),
        };
        if !said.is_empty() && said != self.said {
            say!("{said}");
        }
        self.said = said;
        seen
    }
}

async fn sweep(runner: &Runner) -> Result<Vec<Reaped>, Failure> {
    let swarm = Swarm::connect().await?;
    let http = world::http(&runner.settings)?;
    let done = Janitor::new(&swarm, &http, runner, REMOVING).reap(Scan::Long).await?;
    let unused = guard::Until::Unused(runner.settings.guards.images_unused);
    for image in guard::prune(&swarm, &runner.state, unused).await? {
        say!("image {} was not used any more, and is removed", image.image);
    }
    Ok(done)
}

/// Removes what is dead for sure, beside a look that is under way: two janitors at once are harmless.
async fn sweep_now(runner: Runner) {
    let swept = async {
        let swarm = Swarm::connect().await?;
        let http = world::http(&runner.settings)?;
        Janitor::new(&swarm, &http, &runner, REMOVING).reap(Scan::Once).await
    };
    match swept.await {
        Ok(done) => {
            let said = words(&done);
            if !said.is_empty() {
                say!("{said}");
            }
        }
        Err(failure) => tracing::warn!("what a dead run left waits for the next look: {}", failure.what),
    }
}

/// What a janitor did, for a log: those that live are nobody's business.
fn words(done: &[Reaped]) -> String {
    let line = |one: &Reaped| {
        let what = match &one.what {
            Reaping::Alive | Reaping::Kept(_) | Reaping::InUse(_) => return None,
            Reaping::Removed => "was dead; everything of it is removed".to_owned(),
            Reaping::Left(objects) => format!("is dead, and is still there: {}", objects.join(", ")),
            Reaping::Failed(why) => format!("is dead, and could not be removed: {why}"),
        };
        Some(format!("reap: run {} ({}) {what}", one.run, one.stack))
    };
    done.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_tells_what_was_done_and_not_who_lives() {
        let one = |run: &str, what| Reaped { run: run.to_owned(), stack: "a_ci_localhost".to_owned(), what };
        let done = [
            one("r1", Reaping::Alive),
            one("r2", Reaping::Removed),
            one("r3", Reaping::Left(vec!["volume a_ci_localhost_data".to_owned()])),
            one("r4", Reaping::Failed("the engine does not answer".to_owned())),
        ];
        insta::assert_snapshot!(words(&done));
        assert_eq!(words(&[one("r1", Reaping::Kept(1))]), "");
    }
}
