//! A build that is there: its run's journal is read as it grows, Drone is asked how it stands.

use tokio::time::{Instant, sleep};
use trigger::drone::{DroneError, Standing};

use super::seen::{AtDrone, Over};
use super::{Halt, One};
use crate::event::{Event, Record};
use crate::reported::{BODY, Follower};
use crate::run_dir::RunDir;

/// What the journal said since it was read the last time.
#[derive(Default)]
struct Heard {
    /// Whether it said anything.
    any: bool,
    /// Whether the run has its verdict.
    verdict: bool,
}

impl One {
    pub(super) async fn watch(&self, number: u64) -> Halt {
        let paces = self.at.paces;
        let mut journal = Follower::new(RunDir::of(&self.at.state, &self.order.run).journal());
        let (mut failures, mut is_stopped, mut has_begun) = (0_u32, false, false);
        let mut ended: Option<(Standing, Instant)> = None;
        let mut look = Instant::now();
        self.says(Some(number), AtDrone::Waits);
        loop {
            let heard = self.read(&mut journal);
            has_begun |= heard.any;
            if heard.verdict {
                return Halt::Over(Over::Ended(None));
            }
            if self.came.is_closed() {
                return Halt::Nobody;
            }
            let now = Instant::now();
            let urgent = self.is_let_go() && !is_stopped && failures == 0;
            match &mut ended {
                // What was stopped tears down, and tells so to the end.
                Some((_, until)) if heard.any => *until = now + paces.quiet,
                Some((standing, until)) if now >= *until => return Halt::Over(Over::Ended(Some(*standing))),
                Some(_) => {}
                None if now >= look || urgent => match self.look(number, &mut is_stopped).await {
                    // It may have said its last between the two looks.
                    Ok(standing) if standing.is_end() => {
                        let wait = if has_begun { paces.quiet } else { paces.read };
                        ended = Some((standing, Instant::now() + wait));
                        continue;
                    }
                    Ok(standing) => {
                        let waits = standing == Standing::Waiting;
                        self.says(Some(number), if waits { AtDrone::Waits } else { AtDrone::Runs });
                        (failures, look) = (0, Instant::now() + paces.poll);
                    }
                    Err(DroneError::Missing { .. }) => return Halt::Over(Over::Ended(Some(Standing::Unknown))),
                    Err(error) => {
                        failures = failures.saturating_add(1);
                        tracing::warn!("build {number} of {} cannot be looked at: {error}", self.at.repo);
                        self.says(Some(number), AtDrone::Away(error.to_string()));
                        look = Instant::now() + paces.pace.after(failures, rand::random());
                    }
                },
                None => {}
            }
            tokio::select! {
                () = sleep(paces.read) => {}
                () = self.let_go.cancelled(), if !is_stopped && failures == 0 && ended.is_none() => {}
                () = self.came.closed() => {}
            }
        }
    }

    /// How the build stands; it is stopped first where nobody wants it any more.
    async fn look(&self, number: u64, is_stopped: &mut bool) -> Result<Standing, DroneError> {
        if self.is_let_go() && !*is_stopped {
            self.at.drone.stop(&self.at.repo, number).await?;
            *is_stopped = true;
        }
        Ok(self.at.drone.build(&self.at.repo, number).await?.standing)
    }

    /// Hands on what the journal has become longer by.
    fn read(&self, journal: &mut Follower) -> Heard {
        let mut heard = Heard::default();
        loop {
            let batch = match journal.next(BODY) {
                Ok(batch) if batch.is_empty() => return heard,
                Ok(batch) => batch,
                Err(error) => {
                    tracing::warn!("the journal of run {} cannot be read: {error}", self.order.run);
                    return heard;
                }
            };
            for line in batch.lines() {
                // An event of a later version is left out, as by every reader.
                let Ok(record) = serde_json::from_slice::<Record>(line) else { continue };
                heard.verdict |= matches!(record.event, Event::RunEnded { .. });
                let _ = self.came.send(crate::answer::work::Came::Record(self.order.comment, Box::new(record)));
            }
            heard.any = true;
            journal.pass(&batch);
        }
    }
}
