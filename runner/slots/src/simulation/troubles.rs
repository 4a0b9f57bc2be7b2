//! Runs next to the history: an observer, and incidents of the swarm and the hosts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::names::RunId;
use rand::Rng;
use tokio::time::{Instant, sleep};

use super::model::Model;
use super::scenario::{Running, Scenario};

impl Scenario {
    /// Checks every second that no admitted run keeps waiting.
    pub(super) async fn observe(self, model: Model, running: Arc<Mutex<Running>>) {
        loop {
            sleep(Duration::from_secs(1)).await;
            let running = running.lock().unwrap();
            let mut world = model.world();
            let Some(view) = world.view() else { continue };
            if world.down {
                world.judge.excuse_all();
                continue;
            }
            let is_silent = |run: &RunId| running.get(run).is_some_and(|(_, fate)| !fate.answers());
            let silent =
                view.waiting().filter(|ticket| is_silent(&ticket.ask.run)).map(|ticket| ticket.number).collect();
            world.judge.observe(&view, &silent, self.patience);
        }
    }

    /// Engine restarts, and hosts that die or sleep.
    pub(super) async fn shake(self, model: Model, running: Arc<Mutex<Running>>) {
        let every = |seconds: u64| Duration::from_secs(if seconds == 0 { 1_000_000_000 } else { seconds });
        let (mut restart, mut fail) = (every(self.faults.restarts_every), every(self.hosts_fail_every));
        let start = Instant::now();
        loop {
            sleep(restart.min(fail).saturating_sub(start.elapsed())).await;
            if restart <= start.elapsed() {
                restart += every(self.faults.restarts_every);
                let away = model.world().rng.random_range(500..15_000);
                model.set_down(true);
                sleep(Duration::from_millis(away)).await;
                model.set_down(false);
            }
            if fail <= start.elapsed() {
                fail += every(self.hosts_fail_every);
                let (host, dies, until) = {
                    let rng = &mut model.world().rng;
                    let sleeps = Duration::from_secs(rng.random_range(2..120));
                    (rng.random_range(0..self.hosts), rng.random_bool(0.5), Instant::now() + sleeps)
                };
                for (_, fate) in running.lock().unwrap().values().filter(|(on, _)| *on == host) {
                    if dies { fate.die() } else { fate.pause(Instant::now(), until) }
                }
            }
        }
    }

    /// The leader's clock jumps forward by an hour, and back.
    pub(super) async fn jump(self, model: Model) {
        if self.faults.jumps_every == 0 {
            return;
        }
        loop {
            for hours in [1, 0, -1, 0] {
                sleep(Duration::from_secs(self.faults.jumps_every)).await;
                model.world().offset = jiff::SignedDuration::from_hours(hours);
            }
        }
    }
}
