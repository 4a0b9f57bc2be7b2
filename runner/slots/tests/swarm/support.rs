//! Sets of slots for tests, and runners that are separate processes.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::panic::AssertUnwindSafe;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use rand::Rng;
use serde::{Deserialize, Serialize};
use slots::{
    Board, Caps, Granted, Janitor, Lease, LeaseTimes, LedgerEntry, NoSlot, SlotRequest, Slots, SlotsView, SwarmBoard,
};
use swarm::Swarm;
use tokio_util::sync::CancellationToken;

pub(crate) const FOUR: Caps = Caps { tests: 4, apps: 100, mib: 100_000 };

/// Times that are short enough for a test to wait for an expiry.
pub(crate) fn quick() -> LeaseTimes {
    LeaseTimes {
        beat: Duration::from_millis(500),
        fence: Duration::from_secs(4),
        lease: Duration::from_secs(6),
        answer: Duration::from_secs(1),
        ..LeaseTimes::default()
    }
}

pub(crate) struct Set {
    pub(crate) swarm: Swarm,
    pub(crate) name: String,
}

impl Set {
    pub(crate) fn slots(&self, timing: LeaseTimes) -> Slots<SwarmBoard> {
        Slots::with_timing(SwarmBoard::of_set(&self.swarm, &self.name.parse().unwrap()), timing)
    }

    pub(crate) async fn view(&self) -> SlotsView {
        self.slots(quick()).board().look().await.unwrap().expect("a ledger")
    }
}

/// Gives a test its own set, and removes what is left of it, even on failure.
pub(crate) async fn with_set(test: impl AsyncFnOnce(&Set)) {
    let letters: String = rand::rng().sample_iter(rand::distr::Alphanumeric).take(8).map(char::from).collect();
    let swarm = Swarm::connect().await.expect("a docker engine, made by ./dev");
    let set = Set { swarm, name: format!("slots-test-{}", letters.to_lowercase()) };
    let ended = AssertUnwindSafe(test(&set)).catch_unwind().await;
    for record in set.swarm.shared_records(&format!("cc-ci.slots={}", set.name)).await.unwrap() {
        set.swarm.drop_shared_record(&record.id).await.unwrap();
    }
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

pub(crate) fn ask(run: &str) -> SlotRequest {
    SlotRequest {
        run: run.parse().unwrap(),
        recipe: "x".parse().unwrap(),
        owner: "a-host".to_owned(),
        apps: 1,
        mib: 100,
        ports: BTreeSet::new(),
        stacks: BTreeSet::from([format!("stack-{run}").try_into().unwrap()]),
        most_runs: None,
        yields: false,
        limit_s: 3_600,
    }
}

/// Records whom it removed.
#[derive(Default)]
pub(crate) struct Sweeper(pub(crate) Mutex<Vec<String>>);

impl Janitor for Sweeper {
    async fn finish(&self, held: &LedgerEntry) -> bool {
        self.0.lock().unwrap().push(held.ask.run.to_string());
        true
    }
}

pub(crate) async fn acquire(slots: &Slots<SwarmBoard>, ask: &SlotRequest, caps: Caps) -> Result<Granted, NoSlot> {
    let sweeper = Sweeper::default();
    slots.acquire(ask, caps, &sweeper, &CancellationToken::new(), &mut |_, _| {}).await
}

pub(crate) async fn lease(slots: &Slots<SwarmBoard>, run: &str) -> Lease<SwarmBoard> {
    let granted = acquire(slots, &ask(run), FOUR).await.unwrap();
    Lease::start(slots, granted)
}

/// The instructions of a runner process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) set: String,
    pub(crate) run: String,
    /// Number of acquire and release cycles; 0 to hold until it is asked to stop.
    pub(crate) cycles: u32,
    pub(crate) quick: bool,
}

const ORDERS: &str = "SLOTS_TEST_ORDERS";

/// The reports of such a process, with the host's clock in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Told {
    Got(u128),
    Works(u128),
    Stops(u128),
    Gives(u128),
}

pub(crate) struct Runner {
    pub(crate) child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Iterator for Runner {
    type Item = Told;
    fn next(&mut self) -> Option<Told> {
        // The test harness of the process prints its own lines.
        self.lines.by_ref().map_while(Result::ok).find_map(|line| serde_json::from_str(&line).ok())
    }
}

impl Runner {
    pub(crate) fn start(orders: &Orders) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "support::a_process_that_follows_orders", "--ignored", "--nocapture", "--quiet"])
            .env(ORDERS, serde_json::to_string(orders).unwrap())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

pub(crate) fn clock() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}

fn tell(told: Told) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{}", serde_json::to_string(&told).unwrap()).unwrap();
    out.flush().unwrap();
}

#[tokio::test]
#[ignore = "it is started by other tests, as a process"]
async fn a_process_that_follows_orders() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Orders = serde_json::from_str(&orders).unwrap();
    let set = Set { swarm: Swarm::connect().await.unwrap(), name: orders.set };
    let slots = set.slots(if orders.quick { quick() } else { LeaseTimes::default() });
    for cycle in 0..orders.cycles {
        let lease = lease(&slots, &format!("{}-{cycle:03}", orders.run)).await;
        tell(Told::Got(clock()));
        tokio::time::sleep(Duration::from_millis(u64::from(cycle * 37 % 80))).await;
        tell(Told::Gives(clock()));
        lease.release().await.unwrap();
    }
    if orders.cycles == 0 {
        let lease = lease(&slots, &orders.run).await;
        tell(Told::Got(clock()));
        let stop = lease.stop();
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        // A process that was stopped does not make up for missed ticks.
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = tick.tick() => tell(Told::Works(clock())),
            }
        }
        tell(Told::Stops(clock()));
        let _ = lease.release().await;
    }
}
