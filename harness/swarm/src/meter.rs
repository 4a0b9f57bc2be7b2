//! The memory usage of containers of some stacks, and its peak.
//!
//! The engine streams each container's figures once a second, a remote engine like a local one. The kernel's own peak
//! would miss nothing, but it includes the page cache, which is freed on demand, and it cannot be summed: the peaks of
//! two containers need not be at the same time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use base::names::StackName;
use bollard::errors::Error;
use bollard::models::{ContainerMemoryStats, EventMessage};
use bollard::query_parameters::{EventsOptionsBuilder, ListContainersOptionsBuilder};
use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use super::STACK_LABEL;
use super::engine::Swarm;

/// The peak usage, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peaks {
    /// Of all stacks together.
    pub all: u64,
    /// Of each stack with any usage.
    pub stacks: BTreeMap<StackName, u64>,
}

/// Measures until it is dropped. It only sees the containers of this engine, and may miss peaks shorter than a second.
#[derive(Debug)]
pub struct Meter {
    held: Arc<Mutex<Held>>,
    news: Arc<Notify>,
    listener: JoinHandle<()>,
}

impl Swarm {
    /// Starts to measure the running and future containers of these stacks.
    pub fn meter(&self, stacks: &[StackName]) -> Meter {
        let held = Arc::new(Mutex::new(Held::default()));
        let news = Arc::new(Notify::new());
        let work =
            Work { swarm: self.clone(), stacks: stacks.to_vec(), held: Arc::clone(&held), news: Arc::clone(&news) };
        Meter { held, news, listener: tokio::spawn(work.listen()) }
    }
}

impl Meter {
    /// The peaks since the last call; `None` if nothing was measured, or the engine's stream has ended.
    pub fn take(&self) -> Option<Peaks> {
        let peaks = self.held.lock().ok()?.take();
        (self.is_listening() && peaks.all > 0).then_some(peaks)
    }

    /// Waits for the next figure of any container, or the end of one.
    pub async fn next(&self) {
        self.news.notified().await;
    }

    /// Whether the engine's stream is open. A restart ends it.
    pub fn is_listening(&self) -> bool {
        !self.listener.is_finished()
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

struct Work {
    swarm: Swarm,
    stacks: Vec<StackName>,
    held: Arc<Mutex<Held>>,
    news: Arc<Notify>,
}

impl Work {
    /// Ends with the engine's event stream, and every measurement with it.
    async fn listen(self) {
        let filters = HashMap::from([("type", vec!["container"]), ("event", vec!["start"])]);
        let options = EventsOptionsBuilder::new().filters(&filters).build();
        let mut events = std::pin::pin!(self.swarm.docker().events(Some(options)));
        let mut measured: JoinSet<()> = JoinSet::new();
        let mut running = std::pin::pin!(self.running());
        let mut listed = false;
        loop {
            // Concurrently, so that no start is missed between the list and the first event.
            tokio::select! {
                found = &mut running, if !listed => {
                    listed = true;
                    found.into_iter().for_each(|(id, stack)| self.begin(&mut measured, id, stack));
                }
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        if let Some((id, stack)) = self.of_ours(event) {
                            self.begin(&mut measured, id, stack);
                        }
                    }
                    Some(Err(Error::JsonDataError { .. } | Error::JsonSerdeError { .. })) => {}
                    Some(Err(_)) | None => return,
                },
                Some(_) = measured.join_next() => {}
            }
        }
    }

    /// The running containers. An engine that does not answer sends no events either.
    async fn running(&self) -> Vec<(String, StackName)> {
        let options = ListContainersOptionsBuilder::new().build();
        let list = self.swarm.docker().list_containers(Some(options)).await.unwrap_or_default();
        let ours = |labels: Option<HashMap<String, String>>| self.ours(labels?.get(STACK_LABEL)?);
        list.into_iter().filter_map(|one| Some((one.id?, ours(one.labels)?))).collect()
    }

    fn of_ours(&self, event: EventMessage) -> Option<(String, StackName)> {
        let actor = event.actor?;
        Some((actor.id?, self.ours(actor.attributes?.get(STACK_LABEL)?)?))
    }

    fn ours(&self, label: &str) -> Option<StackName> {
        self.stacks.iter().find(|stack| stack.as_str() == label).cloned()
    }

    fn begin(&self, measured: &mut JoinSet<()>, id: String, stack: StackName) {
        let is_new = self.held.lock().is_ok_and(|mut held| held.begin(&id, &stack));
        if is_new {
            measured.spawn(measure(self.swarm.clone(), id, Arc::clone(&self.held), Arc::clone(&self.news)));
        }
    }
}

/// Ends with the container.
async fn measure(swarm: Swarm, id: String, held: Arc<Mutex<Held>>, news: Arc<Notify>) {
    let mut stream = std::pin::pin!(swarm.docker().stats(&id, None));
    while let Some(Ok(now)) = stream.next().await {
        // A container that has ended is still reported, without values, until it is removed.
        let Some(bytes) = now.memory_stats.as_ref().and_then(in_use) else { break };
        if let Ok(mut held) = held.lock() {
            held.measured(&id, bytes);
        }
        news.notify_one();
    }
    if let Ok(mut held) = held.lock() {
        held.ended(&id);
    }
    news.notify_one();
}

/// A container's usage, without the part of the page cache that the kernel would free first: the same figure as in
/// `docker stats`. Cgroup v1 and v2 name that part differently.
fn in_use(stats: &ContainerMemoryStats) -> Option<u64> {
    let usage = stats.usage?;
    let parts = stats.stats.as_ref();
    let inactive = parts.and_then(|parts| parts.get("total_inactive_file").or_else(|| parts.get("inactive_file")));
    Some(usage.saturating_sub(inactive.copied().unwrap_or(0)))
}

/// The current usage and the peak.
#[derive(Debug, Default)]
struct Held {
    now: HashMap<String, (StackName, u64)>,
    peaks: Peaks,
}

impl Held {
    /// Whether the container was not measured yet.
    fn begin(&mut self, id: &str, stack: &StackName) -> bool {
        let is_new = !self.now.contains_key(id);
        self.now.entry(id.to_owned()).or_insert_with(|| (stack.clone(), 0));
        is_new
    }

    fn measured(&mut self, id: &str, bytes: u64) {
        if let Some((_, held)) = self.now.get_mut(id) {
            *held = bytes;
            self.count();
        }
    }

    fn ended(&mut self, id: &str) {
        self.now.remove(id);
    }

    fn count(&mut self) {
        let mut stacks: BTreeMap<StackName, u64> = BTreeMap::new();
        for (stack, bytes) in self.now.values() {
            *stacks.entry(stack.clone()).or_default() += bytes;
        }
        self.peaks.all = self.peaks.all.max(stacks.values().sum());
        for (stack, bytes) in stacks {
            let peak = self.peaks.stacks.entry(stack).or_default();
            *peak = bytes.max(*peak);
        }
    }

    /// The peaks so far; the next ones start with the current usage.
    fn take(&mut self) -> Peaks {
        let peaks = std::mem::take(&mut self.peaks);
        self.count();
        peaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stack(name: &str) -> StackName {
        StackName::try_from(name.to_owned()).unwrap()
    }

    #[test]
    fn a_peak_is_what_was_held_at_one_time() {
        let mut held = Held::default();
        assert!(held.begin("1", &stack("a")) && held.begin("2", &stack("b")) && !held.begin("1", &stack("a")));
        held.measured("1", 100);
        held.measured("1", 10);
        held.measured("2", 50);
        let peaks = held.take();
        assert_eq!((peaks.all, peaks.stacks[&stack("a")], peaks.stacks[&stack("b")]), (100, 100, 50));
        // The next stage starts with the current usage.
        assert_eq!(held.take().all, 60);
        held.ended("2");
        held.measured("1", 20);
        assert_eq!(held.take().stacks.get(&stack("b")), Some(&50), "it was there when the stage began");
        assert_eq!(held.take().all, 20);
        held.measured("gone", 1_000);
        assert_eq!(held.take().all, 20);
    }

    #[test]
    fn page_cache_that_can_be_given_back_does_not_count() {
        let of = |name: &str| ContainerMemoryStats {
            usage: Some(100),
            stats: Some(HashMap::from([(name.to_owned(), 30)])),
            ..ContainerMemoryStats::default()
        };
        assert_eq!(in_use(&of("total_inactive_file")), Some(70));
        assert_eq!(in_use(&of("inactive_file")), Some(70));
        assert_eq!(in_use(&of("other")), Some(100));
        assert_eq!(in_use(&ContainerMemoryStats::default()), None);
    }

    proptest! {
        #[test]
        fn the_whole_is_between_the_largest_part_and_the_sum(samples in proptest::collection::vec((0..4_u8, 0..1000_u64), 1..40)) {
            let mut held = Held::default();
            for (container, bytes) in samples {
                let of = stack(if container < 2 { "a" } else { "b" });
                held.begin(&container.to_string(), &of);
                held.measured(&container.to_string(), bytes);
            }
            let peaks = held.take();
            let (most, sum) = (peaks.stacks.values().max().unwrap(), peaks.stacks.values().sum::<u64>());
            prop_assert!(*most <= peaks.all && peaks.all <= sum);
        }
    }
}
