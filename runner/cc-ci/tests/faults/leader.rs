//! Three managers, each an engine with a machine of its own. The one that leads loses its power.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base::failure::Failure;
use slots::{Caps, Granted, Lease, LedgerEntry, Lost, NoSlot, SlotRequest, Slots, SwarmBoard};
use swarm::Swarm;
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::scene::{rounds, scene};

const CAPS: Caps = Caps { tests: 3, apps: 100, mib: 100_000 };
const WORKERS: usize = 4;
/// Slots that each worker takes before the leader is lost, and after.
const CYCLES: usize = 5;

struct Nobody;

impl slots::Janitor for Nobody {
    async fn finish(&self, _: &LedgerEntry) -> bool {
        true
    }
}

async fn take(slots: &Slots<SwarmBoard>, run: &str) -> Lease<SwarmBoard> {
    let ask = SlotRequest {
        run: run.parse().unwrap(),
        recipe: "x".parse().unwrap(),
        owner: "a-host".to_owned(),
        apps: 1,
        mib: 100,
        ports: [].into(),
        stacks: [format!("stack-{run}").try_into().unwrap()].into(),
        most_runs: None,
        yields: false,
        limit_s: 3_600,
    };
    let granted: Result<Granted, NoSlot> =
        slots.acquire(&ask, CAPS, &Nobody, &CancellationToken::new(), &mut |_, _| {}).await;
    Lease::start(slots, granted.unwrap_or_else(|none| panic!("{run}: {none:?}")))
}

/// Takes slots and gives them back. The longest that one cycle took.
async fn cycles(slots: Slots<SwarmBoard>, name: String, live: Arc<AtomicUsize>, most: Arc<AtomicUsize>) -> Duration {
    let mut longest = Duration::ZERO;
    for cycle in 0..CYCLES {
        let start = Instant::now();
        let lease = take(&slots, &format!("{name}-{cycle}")).await;
        most.fetch_max(live.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        live.fetch_sub(1, Ordering::SeqCst);
        let given: Result<(), Failure> = lease.release().await;
        given.unwrap_or_else(|failure| panic!("{name}-{cycle} is not given back: {failure}"));
        longest = longest.max(start.elapsed());
    }
    longest
}

/// Which of the engines leads, asked of one of them.
fn leader(engines: &[Engine], asked: usize) -> Option<usize> {
    let lines = engines[asked].docker(&["node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}"]).stdout;
    let lines = String::from_utf8(lines).unwrap();
    let name = lines.lines().find_map(|line| line.strip_suffix(" Leader"))?.to_owned();
    engines.iter().position(|engine| name == engine.name())
}

#[test]
fn the_leader_of_three_managers_is_lost() {
    let scene = scene();
    let mut engines: Vec<Engine> = (2..5).map(|number| Engine::new(&scene.folder, number)).collect();
    engines.iter_mut().for_each(Engine::on);
    let first = engines[0].address().to_string();
    engines[0].lines(&["swarm", "init", "--advertise-addr", &first]);
    let token = engines[0].lines(&["swarm", "join-token", "--quiet", "manager"]).remove(0);
    for engine in &engines[1..] {
        let address = engine.address().to_string();
        engine.lines(&["swarm", "join", "--token", &token, "--advertise-addr", &address, &format!("{first}:2377")]);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for round in 0..rounds().map_or(1, |rounds| rounds.div_ceil(20)) {
        let lost = leader(&engines, 0).expect("somebody leads");
        let others: Vec<usize> = (0..3).filter(|n| *n != lost).collect();
        let hosts: Vec<String> = others.iter().map(|n| engines[*n].host()).collect();
        let (live, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (before, after) = runtime.block_on(async {
            let mut slots = Vec::new();
            for host in &hosts {
                let swarm = Swarm::connect_to(host).await.unwrap();
                slots.push(Slots::new(SwarmBoard::of_set(&swarm, &"ccci".parse().unwrap())));
            }
            // One holds its slot all the time.
            let held = take(&slots[0], &format!("held-{round}")).await;
            live.fetch_add(1, Ordering::SeqCst);
            let (stop, stopped) = (held.stop(), Arc::clone(&live));
            tokio::spawn(async move {
                stop.cancelled().await;
                stopped.fetch_sub(1, Ordering::SeqCst);
            });
            let work = async |when: &str| {
                let start = |n: usize| {
                    let name = format!("{when}-{round}-{n}");
                    tokio::spawn(cycles(slots[n % 2].clone(), name, Arc::clone(&live), Arc::clone(&most)))
                };
                let workers: Vec<_> = (0..WORKERS).map(start).collect();
                let mut longest = Duration::ZERO;
                for worker in workers {
                    longest = longest.max(worker.await.unwrap());
                }
                longest
            };
            let before = work("before").await;
            // The power goes while they take slots.
            let off = async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                tokio::task::block_in_place(|| engines[lost].off());
            };
            let (after, ()) = tokio::join!(work("after"), off);
            // Swarm may take longer for a new leader than a holder may be silent: then it has stopped by itself.
            // Nobody has taken its slot from it.
            let lost = held.lost().cloned();
            assert!(matches!(lost, None | Some(Lost::Silent(_))), "{lost:?}");
            println!("the one that held a slot meanwhile: {lost:?}");
            if lost.is_none() {
                live.fetch_sub(1, Ordering::SeqCst);
            }
            held.release().await.unwrap();
            (before, after)
        });
        println!("round {round}: the longest cycle took {before:.1?} with the leader, {after:.1?} over its loss");
        assert!(most.load(Ordering::SeqCst) <= 3, "{most:?} at once");
        assert!(leader(&engines, others[0]).is_some_and(|leads| leads != lost), "nobody leads in its place");
        let ledger = ["config", "inspect", "--format", "{{json .Spec.Labels}}", "ccci-slots"];
        let ledger = engines[others[0]].lines(&ledger).concat();
        assert!(!ledger.contains("cc-ci.held."), "{ledger}");
        engines[lost].on();
        let until = Instant::now() + Duration::from_secs(60);
        while leader(&engines, lost).is_none() {
            assert!(Instant::now() < until, "the lost one does not come back");
            std::thread::yield_now();
        }
    }
}
