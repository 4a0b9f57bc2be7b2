//! Remembers tasks that swarm has dropped. It keeps as many ended tasks of a replica as its `task-history-limit` says,
//! which may be none, and a service that ends repeatedly looks new each time.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::seen::{Snapshot, TaskSeen, TaskState};

/// The end of a container's process, from the engine's event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Died {
    /// The id of its task.
    pub(super) task: String,
    /// The id of its task's service.
    pub(super) service: String,
    /// The number of the replica; for a global service the node's id.
    pub(super) slot: String,
    pub(super) image: String,
    pub(super) exit: i64,
}

/// Everything that the watch has seen.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Tasks as last listed, by id.
    tasks: BTreeMap<String, (Instant, TaskSeen)>,
    /// Ends of containers, by the container's id.
    died: BTreeMap<String, (Instant, Died)>,
    /// When containers started.
    started: BTreeMap<String, Instant>,
    /// When the engine was asked to end a container. A later end is not by itself.
    told_to_end: BTreeMap<String, Instant>,
    /// When tasks were first seen in a state.
    first: HashMap<(String, TaskState), Instant>,
    /// When healthchecks passed for the first time.
    healthy: BTreeMap<String, Instant>,
}

impl Remembered {
    pub(super) fn started(&mut self, container: &str, at: Instant) {
        self.started.insert(container.to_owned(), at);
    }

    pub(super) fn healthy(&mut self, container: &str, at: Instant) {
        self.healthy.entry(container.to_owned()).or_insert(at);
    }

    pub(super) fn told_to_end(&mut self, container: &str, at: Instant) {
        self.told_to_end.entry(container.to_owned()).or_insert(at);
    }

    pub(super) fn died(&mut self, container: &str, at: Instant, died: Died) {
        self.died.insert(container.to_owned(), (at, died));
    }

    /// Completes a snapshot: adds ended tasks that swarm no longer lists, and times that only events have.
    /// `is_unhealthy` returns whether the engine declared a container unhealthy.
    pub(super) fn complete(&mut self, now: &mut Snapshot, at: Instant, is_unhealthy: impl Fn(&str) -> bool) {
        let listed: Vec<String> = now.tasks.iter().map(|task| task.id.clone()).collect();
        let is_listed = |id: &String| listed.contains(id);
        let is_there = |service: &String| now.services.iter().any(|seen| seen.id == *service);
        let mut forgotten: BTreeMap<String, TaskSeen> = BTreeMap::new();
        for (id, (seen, task)) in &self.tasks {
            if !is_listed(id) && task.state.is_over() && is_there(&task.service) {
                forgotten.insert(id.clone(), older(task, at.saturating_duration_since(*seen)));
            }
        }
        for (container, (when, died)) in &self.died {
            let by_itself = !self.told_to_end.contains_key(container) || is_unhealthy(container);
            if is_listed(&died.task) || forgotten.contains_key(&died.task) || !is_there(&died.service) || !by_itself {
                continue;
            }
            let age = at.saturating_duration_since(*when);
            let known = self.tasks.get(&died.task).map(|(seen, task)| older(task, at.saturating_duration_since(*seen)));
            let image = now.services.iter().find(|seen| seen.id == died.service).map(|seen| seen.image.as_str());
            let current = image == Some(died.image.split('@').next().unwrap_or_default());
            let task = known.unwrap_or_else(|| unseen(died, container, current, age));
            let (state, error) = match died.exit {
                0 => (TaskState::Complete, String::new()),
                code => (TaskState::Failed, format!("task: non-zero exit ({code})")),
            };
            let since_ms = millis(age);
            let exit = Some(died.exit);
            let ended = TaskSeen { state, error, exit, since_ms, desired: TaskState::Shutdown, ..task };
            forgotten.insert(died.task.clone(), ended);
        }
        for task in &now.tasks {
            self.tasks.insert(task.id.clone(), (at, task.clone()));
        }
        if !forgotten.is_empty() {
            now.tasks.extend(forgotten.into_values());
            // The engine trims zeros at the end of a time, so its text does not sort.
            now.tasks.sort_by_cached_key(|task| (task.created.parse::<Timestamp>().ok(), task.id.clone()));
        }
        let since = |when: Option<&Instant>| when.map(|when| millis(at.saturating_duration_since(*when)));
        for task in &mut now.tasks {
            let first = self.first.entry((task.id.clone(), task.state)).or_insert(at);
            task.watched_ms = since(Some(first));
            task.started_ms = task.container.as_ref().and_then(|id| since(self.started.get(id)));
        }
        for container in &mut now.containers {
            // The engine reports the end, cleans up, and only then lists the container as ended.
            if let Some((when, died)) = self.died.get(&container.id)
                && self.started.get(&container.id).is_none_or(|started| started <= when)
            {
                (container.running, container.exit) = (false, Some(died.exit));
            }
            container.healthy_ms = since(self.healthy.get(&container.id));
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn older(task: &TaskSeen, by: Duration) -> TaskSeen {
    let by = millis(by);
    TaskSeen { age_ms: task.age_ms + by, since_ms: task.since_ms + by, ..task.clone() }
}

/// A task that was gone before it was ever listed.
fn unseen(died: &Died, container: &str, current: bool, age: Duration) -> TaskSeen {
    let created = Timestamp::now().checked_sub(age).map(|at| at.to_string()).unwrap_or_default();
    TaskSeen {
        id: died.task.clone(),
        service: died.service.clone(),
        slot: died.slot.clone(),
        state: TaskState::Failed,
        desired: TaskState::Shutdown,
        current,
        image: died.image.split('@').next().unwrap_or_default().to_owned(),
        message: String::new(),
        error: String::new(),
        exit: Some(died.exit),
        port_held_by: None,
        unhealthy: false,
        out_of_memory: false,
        memory_limit: None,
        container: Some(container.to_owned()),
        created,
        age_ms: millis(age),
        since_ms: millis(age),
        started_ms: None,
        watched_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge::examples::{container, failed, one, service, task};
    use super::super::seen::Health;
    use super::*;

    fn died(task: &str, exit: i64) -> Died {
        let image = "nginx:2@sha256:0".to_owned();
        Died { task: task.to_owned(), service: "id-app".to_owned(), slot: "1".to_owned(), image, exit }
    }

    fn ends(now: &Snapshot) -> Vec<(String, TaskState)> {
        now.tasks.iter().map(|task| (task.id.clone(), task.state)).collect()
    }

    #[test]
    fn ends_that_swarm_forgets_are_remembered_from_lists_and_from_events() {
        let (mut remembered, start) = (Remembered::default(), Instant::now());
        let later = |s| start + Duration::from_secs(s);
        let list = |tasks| one(service("app"), tasks, vec![]);
        // The first end was listed, the second happened between two lists, the third was only seen running.
        let mut now = list(vec![failed("app", "1", "task: non-zero exit (3)", 3)]);
        remembered.complete(&mut now, start, |_| false);
        assert_eq!(ends(&now), [("1".to_owned(), TaskState::Failed)]);
        remembered.died("c-2", later(1), died("2", 3));
        let mut now = list(vec![task("app", "3", TaskState::Running)]);
        remembered.complete(&mut now, later(2), |_| false);
        remembered.died("c-3", later(3), died("3", 0));
        let mut now = list(vec![task("app", "4", TaskState::Ready)]);
        remembered.complete(&mut now, later(4), |_| false);
        let (two, three) = (&now.tasks.iter().find(|t| t.id == "2").unwrap(), now.tasks.iter().find(|t| t.id == "3"));
        assert_eq!(now.tasks.len(), 4);
        assert_eq!((two.state, two.exit, two.current, two.since_ms), (TaskState::Failed, Some(3), true, 3_000));
        assert_eq!(three.map(|task| (task.state, task.exit)), Some((TaskState::Complete, Some(0))));
        // A removed service is not remembered.
        let mut gone = Snapshot::default();
        remembered.complete(&mut gone, later(5), |_| false);
        assert!(gone.tasks.is_empty());
    }

    #[test]
    fn what_swarm_ends_has_not_ended_by_itself() {
        let (mut remembered, at) = (Remembered::default(), Instant::now());
        remembered.told_to_end("c-1", at);
        remembered.died("c-1", at, died("1", 0));
        let mut now = one(service("app"), vec![], vec![]);
        remembered.complete(&mut now, at, |_| false);
        assert!(now.tasks.is_empty());
        // An end by the healthcheck is the app's own.
        remembered.complete(&mut now, at, |id| id == "c-1");
        assert_eq!(now.tasks.len(), 1);
    }

    #[test]
    fn a_container_has_ended_when_its_event_says_so_and_not_when_it_was_started_again() {
        let (mut remembered, at) = (Remembered::default(), Instant::now());
        let listed = || one(service("app"), vec![], vec![container("1", Health::Healthy)]);
        remembered.started("c-1", at);
        remembered.died("c-1", at + Duration::from_secs(1), died("1", 3));
        let mut now = listed();
        remembered.complete(&mut now, at, |_| false);
        assert_eq!((now.containers[0].running, now.containers[0].exit), (false, Some(3)));
        remembered.started("c-1", at + Duration::from_secs(2));
        let mut now = listed();
        remembered.complete(&mut now, at, |_| false);
        assert_eq!((now.containers[0].running, now.containers[0].exit), (true, None));
    }

    #[test]
    fn the_times_of_events_are_told() {
        let (mut remembered, at) = (Remembered::default(), Instant::now());
        remembered.started("c-1", at);
        remembered.healthy("c-1", at + Duration::from_secs(2));
        let mut now =
            one(service("app"), vec![task("app", "1", TaskState::Running)], vec![container("1", Health::Healthy)]);
        remembered.complete(&mut now, at + Duration::from_secs(5), |_| false);
        assert_eq!(now.tasks[0].started_ms, Some(5_000));
        assert_eq!(now.containers[0].healthy_ms, Some(3_000));
    }
}
