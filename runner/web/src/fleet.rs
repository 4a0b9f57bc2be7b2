//! Slots, nodes, free resources and the needs of recipes.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use askama::Template;
use base::failure::Failure;
use base::names::RunId;
use slots::status::{Holder, HolderState, Status, Waiter, status};
use slots::{Board as _, SlotRequest};
use swarm::{DiskRoom, NodeFacts, Swarm};
use tokio::sync::Mutex;

use super::shell::Shell;
use host::guard;
use host::queue::{Runner, UsualTimes, slots_of};
use journal::text::{count, one_line, seconds};

/// How long a snapshot is shared by readers: each costs the engine some requests.
const FRESH: Duration = Duration::from_secs(2);
/// How long the free resources are cached: the query runs commands in containers, and the result changes slowly.
const ROOM_FRESH: Duration = Duration::from_secs(30);
/// How long a page waits for the engine if it has other content too.
const SOON: Duration = Duration::from_millis(20);

/// A snapshot of the swarm.
#[derive(Debug, Clone)]
pub(super) struct Swarmed {
    /// `None` if no run has requested a slot yet.
    pub(super) slots: Option<Status>,
    pub(super) nodes: Vec<NodeFacts>,
    pub(super) room: Option<Arc<guard::Facts>>,
}

/// Queries the swarm, shared by all readers.
#[derive(Debug, Clone)]
pub(super) struct FleetView {
    runner: Runner,
    last: Arc<Mutex<Last>>,
    known: Arc<std::sync::Mutex<Option<Swarmed>>>,
}

#[derive(Debug, Default)]
struct Last {
    seen: Option<(Instant, Result<Swarmed, Failure>)>,
    room: Option<(Instant, Arc<guard::Facts>)>,
    swarm: Option<Swarm>,
}

impl Swarmed {
    /// The runs that hold a slot or wait for one.
    pub(super) fn runs(&self) -> Vec<RunId> {
        let status = || self.slots.iter();
        let holders = status().flat_map(|status| &status.holders).map(|one| &one.ask);
        holders
            .chain(status().flat_map(|status| &status.waiters).map(|one| &one.ask))
            .map(|ask| ask.run.clone())
            .collect()
    }
}

impl FleetView {
    pub(super) fn new(runner: &Runner) -> Self {
        Self { runner: runner.clone(), last: Arc::default(), known: Arc::default() }
    }

    /// The swarm's state, at most two seconds old.
    pub(super) async fn seen(&self) -> Result<Swarmed, Failure> {
        // One reader queries, and concurrent ones wait for the result.
        let mut last = self.last.lock().await;
        if let Some((at, seen)) = last.seen.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            let _ = at;
            return seen.clone();
        }
        let seen = self.look(&mut last).await;
        if seen.is_err() {
            last.swarm = None;
        }
        last.seen = Some((Instant::now(), seen.clone()));
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = seen.as_ref().ok().cloned();
        seen
    }

    /// The swarm's state if the query is quick, else the last one, so that a slow engine delays no page with other
    /// content. `None` if the swarm does not answer or was not queried yet.
    pub(super) async fn lately(&self) -> Option<Swarmed> {
        let look = self.clone();
        // It continues when the reader stops waiting.
        let seen = tokio::spawn(async move { look.seen().await.ok() });
        match tokio::time::timeout(SOON, seen).await {
            Ok(seen) => seen.ok().flatten(),
            Err(_) => self.known.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    async fn look(&self, last: &mut Last) -> Result<Swarmed, Failure> {
        let swarm = match &last.swarm {
            Some(swarm) => swarm.clone(),
            None => last.swarm.insert(Swarm::connect().await?).clone(),
        };
        let state = self.runner.state.clone();
        let times = tokio::task::spawn_blocking(move || UsualTimes::read(&state)).await.unwrap_or_default();
        let view = slots_of(&swarm, &self.runner.settings).board().look().await?;
        let slots = view.map(|view| status(&view, |ask: &SlotRequest| times.takes(ask)));
        let nodes = swarm.nodes().await?;
        let room = self.room(&swarm, last).await;
        Ok(Swarmed { slots, nodes, room })
    }

    async fn room(&self, swarm: &Swarm, last: &mut Last) -> Option<Arc<guard::Facts>> {
        if let Some((at, room)) = &last.room
            && at.elapsed() < ROOM_FRESH
        {
            return Some(room.clone());
        }
        let room = Arc::new(guard::look(swarm, &self.runner.state).await.ok()?);
        last.room = Some((Instant::now(), room.clone()));
        Some(room)
    }
}

/// The maximum usage of a recipe's newest runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) recipe: String,
    pub(super) memory: Option<u64>,
    pub(super) disk: Option<u64>,
    pub(super) time_ms: Option<u64>,
}

#[derive(Template)]
#[template(path = "pages/fleet.html")]
pub(super) struct Fleet {
    shell: Shell,
    lead: String,
    trouble: Option<String>,
    tiles: Vec<Tile>,
    holders: Vec<OneLine>,
    waiters: Vec<OneLine>,
    nodes: Vec<NodeLine>,
    peaks: Vec<PeakLine>,
}

struct Tile {
    value: String,
    words: String,
    share: Option<u64>,
}

struct OneLine {
    place: String,
    run: String,
    href: Option<String>,
    recipe: String,
    holds: String,
    host: String,
    state: String,
}

struct NodeLine {
    name: String,
    role: &'static str,
    state: &'static str,
    tone: &'static str,
    engine: String,
    cpus: u64,
    memory: String,
}

struct PeakLine {
    recipe: String,
    memory: String,
    disk: String,
    time: String,
}

impl Fleet {
    /// `known` are the runs that have a page here: those of other hosts may have none.
    pub(super) fn new(shell: Shell, seen: Result<&Swarmed, &Failure>, known: &BTreeSet<RunId>, needs: &[Need]) -> Self {
        let slots = seen.ok().and_then(|seen| seen.slots.as_ref());
        let nodes = seen.map(|seen| seen.nodes.as_slice()).unwrap_or_default();
        let peaks = needs.iter().map(|need| PeakLine {
            recipe: need.recipe.clone(),
            memory: need.memory.map(mib).unwrap_or_default(),
            disk: need.disk.map(mib).unwrap_or_default(),
            time: need.time_ms.map(seconds).unwrap_or_default(),
        });
        Self {
            shell,
            lead: match slots {
                Some(status) => format!(
                    "{} on {}; {} waiting.",
                    count(status.tests as usize, "run"),
                    count(nodes.len(), "node"),
                    status.waiters.len()
                ),
                None => "No run has requested a slot on this swarm yet.".to_owned(),
            },
            trouble: seen.err().map(|failure| format!("{}. Look at: {}", failure.what, failure.look_at)),
            tiles: seen.map(tiles).unwrap_or_default(),
            holders: slots.iter().flat_map(|status| status.holders.iter().map(|one| holder(one, known))).collect(),
            waiters: slots.iter().flat_map(|status| status.waiters.iter().map(|one| waiter(one, known))).collect(),
            nodes: nodes.iter().map(node).collect(),
            peaks: peaks.collect(),
        }
    }
}

fn tiles(seen: &Swarmed) -> Vec<Tile> {
    let mut tiles = Vec::new();
    if let Some(status) = &seen.slots {
        let caps = &status.caps;
        let (tests, apps, mib) = (u64::from(status.tests), u64::from(status.apps), status.mib);
        tiles.push(part(tests.to_string(), format!("of {} runs", caps.tests), tests, caps.tests.into()));
        tiles.push(part(apps.to_string(), format!("of {} apps", caps.apps), apps, caps.apps.into()));
        tiles.push(part(gib(mib << 20), format!("of {} kept for them", gib(caps.mib << 20)), mib, caps.mib));
    }
    if let Some(room) = &seen.room {
        if let Some(memory) = &room.memory {
            let used = memory.total.saturating_sub(memory.available);
            let words = format!("of {} memory in use on {}", gib(memory.total), room.node);
            tiles.push(part(gib(used), words, used, memory.total));
        }
        tiles.extend(room.docker.1.map(|disk| disk_tile("docker’s disk", disk)));
        if room.state.1.is_some() && room.state.1.map(|disk| disk.total) != room.docker.1.map(|disk| disk.total) {
            tiles.extend(room.state.1.map(|disk| disk_tile("the state folder’s disk", disk)));
        }
    }
    tiles
}

fn disk_tile(of: &str, disk: DiskRoom) -> Tile {
    let used = disk.total.saturating_sub(disk.free);
    part(gib(disk.free), format!("free of {} on {of}", gib(disk.total)), used, disk.total)
}

fn part(value: String, words: String, part: u64, whole: u64) -> Tile {
    Tile { value, words, share: (whole > 0).then(|| (part.saturating_mul(100) / whole).min(100)) }
}

fn holder(one: &Holder, known: &BTreeSet<RunId>) -> OneLine {
    let held = seconds(one.held_s.saturating_mul(1_000));
    let state = match &one.state {
        HolderState::Runs => format!("for {held}"),
        HolderState::Stops(by) => format!("for {held}; is being stopped by {}", one_line(by, 60)),
        HolderState::Kept => "has ended; its app stays".to_owned(),
        HolderState::Dead => "is dead; its apps are being removed".to_owned(),
    };
    line(&one.ask, known, String::new(), state)
}

fn waiter(one: &Waiter, known: &BTreeSet<RunId>) -> OneLine {
    let begins = one.expected_s.map(|time_s| format!("; begins in about {}", seconds(time_s.saturating_mul(1_000))));
    let state = format!("{}{}", one_line(&one.why, 160), begins.unwrap_or_default());
    line(&one.ask, known, one.place.to_string(), state)
}

fn line(ask: &SlotRequest, known: &BTreeSet<RunId>, place: String, state: String) -> OneLine {
    OneLine {
        place,
        run: ask.run.to_string(),
        href: known.contains(&ask.run).then(|| format!("runs/{}", ask.run)),
        recipe: ask.recipe.to_string(),
        holds: format!("{}, {}", count(ask.apps as usize, "app"), gib(ask.mib << 20)),
        host: one_line(&ask.owner, 60),
        state,
    }
}

fn node(node: &NodeFacts) -> NodeLine {
    let (state, tone) = match (node.is_ready, node.is_active) {
        (true, true) => ("ready", "passed"),
        (true, false) => ("takes no tasks", "blocked"),
        (false, _) => ("does not answer", "failed"),
    };
    NodeLine {
        name: one_line(&node.name, 60),
        role: node.role.word(),
        state,
        tone,
        engine: one_line(&node.engine, 40),
        cpus: node.cpus,
        memory: gib(node.memory),
    }
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// Bytes in GiB with one decimal.
fn gib(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10 + (1 << 29)) >> 30;
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_another_host_has_no_page_here() {
        let ask = |run: &str| SlotRequest {
            run: run.parse().unwrap(),
            recipe: "n8n".parse().unwrap(),
            owner: "other".to_owned(),
            apps: 1,
            mib: 512,
            ports: BTreeSet::new(),
            stacks: BTreeSet::new(),
            most_runs: None,
            yields: false,
            limit_s: 600,
        };
        let known = BTreeSet::from([ask("20261128-a").run]);
        let link = |run: &str| line(&ask(run), &known, String::new(), String::new()).href;
        assert_eq!((link("20261128-a"), link("20261128-b")), (Some("runs/20261128-a".to_owned()), None));
    }

    #[test]
    fn sizes_are_rounded() {
        assert_eq!([0, 1 << 30, 1_610_612_736, 23_622_320_128].map(gib), ["0.0 GiB", "1.0 GiB", "1.5 GiB", "22.0 GiB"]);
    }
}
