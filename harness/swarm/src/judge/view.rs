//! The state of one service.

use std::collections::{BTreeMap, BTreeSet};

use base::failure::{Failure, Kind};

use super::super::machine;
use super::super::reason::{Ends, has_exited, kind_of, named};
use super::super::seen::{
    Before, ContainerSeen, Health, Mode, OnFailure, PortHeld, Restart, ServiceBefore, ServiceSeen, Snapshot, TaskSeen,
    TaskState, UpdateState,
};
use super::Fallen;
use super::waiting::ends_needed;

/// The number of ends in an update that is never paused, since it may fail often.
const ENDS_OF_AN_UPDATE: usize = 6;
/// The number of ends by the healthcheck after which a service counts as never healthy.
const UNHEALTHY: usize = 2;
/// The number of ends by a failure of the machine after which it counts: it is retried once.
const TROUBLES: usize = 2;
/// Seconds that a process without a healthcheck must run to count as up: nothing else distinguishes a start from a
/// crash.
const STEADY_S: u64 = 1;
/// The same once it has exited: longer than swarm's usual restart delay of 5 s.
const STEADY_AFTER_EXIT_S: u64 = 6;
/// A service that has ended counts as up when it has run twice as long as before, or this many seconds.
const OUTLIVED_S: u64 = 40;
/// How long a task may be without a suitable node and without a change. Ports and reservations of a replaced task are
/// released a moment after its end.
const PENDING_MS: u64 = 3_000;
/// The same for a host port that no other service holds: swarm's own records lag, on a busy machine by seconds.
const UNHELD_PORT_MS: u64 = 30_000;

/// How long swarm may take to begin an update that replaces tasks.
const UPDATE_BEGINS_MS: u64 = 30_000;

/// The judgement of one service.
pub(super) enum Stand {
    Up(Vec<String>),
    Going(String),
    Never(Failure),
}

/// One service with its tasks and containers.
pub(super) struct View<'a> {
    pub(super) service: &'a ServiceSeen,
    before: Option<&'a ServiceBefore>,
    earlier_tasks: &'a BTreeSet<String>,
    tasks: Vec<&'a TaskSeen>,
    containers: BTreeMap<&'a str, &'a ContainerSeen>,
    /// Whether it has to outlive its earlier ends.
    outlive: bool,
    /// The bad ends since `before`.
    pub(super) ends: Ends<'a>,
}

impl<'a> View<'a> {
    pub(super) fn new(service: &'a ServiceSeen, now: &'a Snapshot, before: &'a Before) -> Self {
        let earlier = before.services.get(&service.id);
        let tasks: Vec<&TaskSeen> = now.tasks.iter().filter(|task| task.service == service.id).collect();
        // An old task that dies while its service is being replaced says nothing about the new one.
        let is_news = |task: &TaskSeen| match earlier {
            Some(earlier) if earlier.version == service.version => !before.over.contains(&task.id),
            _ => !before.tasks.contains(&task.id),
        };
        let is_bad = |task: &TaskSeen| match task.state {
            TaskState::Failed | TaskState::Rejected => true,
            TaskState::Complete => !is_good_end(service, task),
            _ => false,
        };
        // A service that swarm no longer restarts stays down, whenever that was, unless its spec has changed.
        let is_same = earlier.is_some_and(|earlier| earlier.version == service.version);
        let newest: BTreeMap<&str, &TaskSeen> = tasks.iter().map(|task| (task.slot.as_str(), *task)).collect();
        let stays_down = |task: &TaskSeen| {
            is_same && !task.wanted() && newest.get(task.slot.as_str()).is_some_and(|newest| newest.id == task.id)
        };
        let is_told = |task: &&TaskSeen| is_bad(task) && (is_news(task) || stays_down(task));
        let bad = tasks.iter().copied().filter(is_told).collect();
        Self {
            service,
            before: earlier,
            earlier_tasks: &before.tasks,
            outlive: before.outlive,
            containers: now.containers.iter().map(|container| (container.task.as_str(), container)).collect(),
            ends: Ends { service, tasks: bad },
            tasks,
        }
    }

    /// Judges it. `waits_for` is the service that it may be waiting for.
    pub(super) fn stand(&self, waits_for: Option<&str>) -> Stand {
        match self.update() {
            Some(UpdateState::RollbackCompleted | UpdateState::RollbackPaused) => {
                return Stand::Never(self.rolled_back());
            }
            Some(UpdateState::Paused) => return Stand::Never(self.paused()),
            Some(UpdateState::RollbackStarted) => {
                let why = self.ends.words().map(|words| format!(", since the new version {words}")).unwrap_or_default();
                return Stand::Going(format!("swarm rolls it back{why}"));
            }
            _ => {}
        }
        let line = match self.up() {
            Ok(containers) => return Stand::Up(containers),
            Err(line) => line,
        };
        if let Some(failure) = self.no_place().or_else(|| self.stuck()) {
            return Stand::Never(failure);
        }
        if let Some(then) = self.update_ends_by_itself() {
            return Stand::Going(match self.ends.words() {
                Some(words) => format!("the new version {words}; swarm is about to {then}"),
                None => line,
            });
        }
        if let Some(failure) = self.healthcheck_lacks() {
            return Stand::Never(failure);
        }
        if self.is_given_up() && self.ends.named().is_none() && self.ends.ended() > 0 {
            return Stand::Never(self.given_up(waits_for));
        }
        if self.has_failed(waits_for.is_some()) {
            return Stand::Never(self.ends.failure());
        }
        Stand::Going(match waits_for.filter(|_| self.ends.ended() > 0) {
            Some(other) => format!("{line}, and may be waiting for {other}"),
            None => line,
        })
    }

    /// How it ended since it had settled, if it did.
    pub(super) fn fallen(&self) -> Option<Fallen> {
        if self.ends.ended() == 0 {
            return None;
        }
        if self.is_given_up() {
            return Some(Fallen { failure: self.given_up(None), is_down: true });
        }
        Some(Fallen { failure: self.ends.failure(), is_down: self.is_crashing() })
    }

    /// The failure of a service that swarm does not restart.
    fn given_up(&self, waits_for: Option<&str>) -> Failure {
        let failure = self.ends.failure();
        let ends_well = self.service.restart == Restart::OnFailure
            && self.ends.tasks.last().is_some_and(|task| task.state == TaskState::Complete);
        if failure.kind != Kind::CrashLoop || (self.service.max_attempts == 0 && !ends_well) {
            return failure;
        }
        let while_other = waits_for.map(|other| format!(", while {other} was not ready")).unwrap_or_default();
        let what = format!("{}, and by its restart_policy swarm does not restart it{while_other}", failure.what);
        let look_at = format!("condition, max_attempts and delay in deploy.restart_policy; {}", failure.look_at);
        Failure { what, look_at, ..failure }
    }

    /// A healthcheck that can never pass, since the image lacks its program.
    fn healthcheck_lacks(&self) -> Option<Failure> {
        let container = self.running().into_iter().find(|container| container.lacks.is_some())?;
        let (name, image, said) = (&self.service.name, &self.service.image, container.lacks.as_deref()?);
        Some(Failure::new(
            Kind::HealthcheckMissing,
            format!("the healthcheck of service {name} ({image}) calls a program that its image lacks: {said}"),
            "a program in healthcheck.test that the image has, or an image with this one",
        ))
    }

    /// Swarm's next step for a failing update. Only its end determines the app's state. An update that is never paused,
    /// since it may fail often, is not awaited.
    fn update_ends_by_itself(&self) -> Option<&'static str> {
        let is_updating = self.update() == Some(UpdateState::Updating);
        match self.service.on_failure {
            OnFailure::Rollback if is_updating => Some("roll back"),
            OnFailure::Pause if is_updating && self.ends.exits() < ENDS_OF_AN_UPDATE => Some("stop the update"),
            _ => None,
        }
    }

    /// The update's state, unless that update was over before.
    fn update(&self) -> Option<UpdateState> {
        let state = self.service.update.as_ref()?.state;
        let is_old = self.before.is_some_and(|b| b.version == self.service.version && b.update == Some(state));
        (!is_old).then_some(state)
    }

    fn has_failed(&self, is_excused: bool) -> bool {
        let kills = self.ends.out_of_memory().is_some() && self.is_crashing();
        self.ends.named().is_some()
            || self.ends.troubles() >= TROUBLES
            || self.is_given_up()
            || kills
            || (!is_excused && (self.ends.unhealthy() >= UNHEALTHY || self.is_crashing()))
    }

    /// Whether it has ended often enough to count as crashing, unless it waits for another.
    pub(super) fn is_crashing(&self) -> bool {
        self.ends.exits() >= ends_needed(self)
    }

    /// Whether it does not run as it should.
    pub(super) fn is_down(&self) -> bool {
        self.up().is_err()
    }

    /// The running containers on this node of its current tasks.
    pub(super) fn running(&self) -> Vec<&'a ContainerSeen> {
        let tasks = self.tasks.iter().filter(|task| task.wanted());
        let containers = tasks.filter_map(|task| self.containers.get(task.id.as_str()).copied());
        containers.filter(|container| container.running).collect()
    }

    /// Milliseconds since the newest task's state changed.
    pub(super) fn newest_since_ms(&self) -> u64 {
        self.tasks.iter().map(|task| task.since_ms).min().unwrap_or(u64::MAX)
    }

    /// Milliseconds since the first task after `before` was created.
    pub(super) fn first_start_ms(&self) -> u64 {
        let new = self.tasks.iter().filter(|task| !self.earlier_tasks.contains(&task.id));
        new.map(|task| task.age_ms).max().unwrap_or(0)
    }

    /// How it ended before it came up, if it did.
    pub(super) fn ended_before(&self) -> Option<String> {
        self.ends.words().filter(|_| self.ends.ended() > 0)
    }

    /// Whether a replica failed that swarm will not restart.
    fn is_given_up(&self) -> bool {
        self.newest_by_slot().into_values().any(|task| {
            let bad = self.ends.tasks.iter().any(|end| end.id == task.id);
            bad && self.is_current(task) && !task.wanted()
        })
    }

    fn newest_by_slot(&self) -> BTreeMap<&str, &'a TaskSeen> {
        // Tasks are sorted by age, so the last of a slot stays.
        self.tasks.iter().map(|task| (task.slot.as_str(), *task)).collect()
    }

    /// The containers if everything runs; otherwise what is awaited.
    fn up(&self) -> Result<Vec<String>, String> {
        let stays = |task: &TaskSeen| self.is_current(task) && task.wanted();
        if let Some(old) = self.tasks.iter().find(|task| !stays(task) && !self.is_over(task)) {
            let updating = self.update() == Some(UpdateState::Updating);
            if old.wanted() && self.update().is_none() {
                return Err("swarm is about to replace it".to_owned());
            }
            return Err(if updating { self.awaited() } else { "the old one has not stopped yet".to_owned() });
        }
        let wanted = match self.service.mode {
            Mode::Replicated(count) => count,
            Mode::Global => {
                let count = self.tasks.iter().filter(|task| task.wanted() && !self.is_over(task)).count();
                u64::try_from(count).unwrap_or(u64::MAX).max(1)
            }
            Mode::Job(count) => return self.job(count),
        };
        let mut containers = Vec::new();
        let mut done = 0_u64;
        for task in self.newest_by_slot().into_values().filter(|task| self.is_current(task)) {
            if is_good_end(self.service, task) {
                done += 1;
            } else if task.wanted() && self.runs(task) {
                done += 1;
                let local = self.containers.get(task.id.as_str()).map(|container| container.id.clone());
                containers.extend(local.or_else(|| task.container.clone()));
            }
        }
        if done < wanted {
            return Err(self.awaited());
        }
        if self.update() == Some(UpdateState::Updating) {
            return Err("it runs, and swarm watches the update for a while".to_owned());
        }
        Ok(containers)
    }

    fn job(&self, count: u64) -> Result<Vec<String>, String> {
        let current = || self.tasks.iter().filter(|task| task.current);
        let complete = current().filter(|task| task.state == TaskState::Complete).count();
        if current().any(|task| !self.is_over(task)) || u64::try_from(complete).unwrap_or(u64::MAX) < count {
            return Err(format!("{complete} of {count} have run to their end"));
        }
        Ok(Vec::new())
    }

    /// Whether a task has the current spec. If swarm says that the update is complete, or nothing was updated, swarm
    /// decides.
    fn is_current(&self, task: &TaskSeen) -> bool {
        (task.current && !self.is_to_be_replaced(task))
            || self.update() == Some(UpdateState::Completed)
            || self.before.is_some_and(|before| before.version == self.service.version)
    }

    /// Whether swarm will replace a task with the right spec, since the published ports have changed. Source: moby's
    /// swarmkit, `orchestrator/task.go`, `IsTaskDirty`. If swarm leaves a task alone all the same, it is accepted after
    /// a while.
    fn is_to_be_replaced(&self, task: &TaskSeen) -> bool {
        self.service.changed_ms < UPDATE_BEGINS_MS
            && self.earlier_tasks.contains(&task.id)
            && self.before.is_some_and(|before| before.endpoint != self.service.endpoint)
    }

    /// Whether a task is over. The container's end is known before swarm records it.
    fn is_over(&self, task: &TaskSeen) -> bool {
        task.state.is_over() || self.containers.get(task.id.as_str()).is_some_and(|container| container.exit.is_some())
    }

    /// Whether a task runs, from the engine if its container is here and from the swarm otherwise. The engine knows
    /// first.
    fn runs(&self, task: &TaskSeen) -> bool {
        let is_watched = self.update() == Some(UpdateState::Completed);
        let outlives = self.outlives_s();
        let steady = if self.ends.exits() == 0 { STEADY_S } else { STEADY_AFTER_EXIT_S.max(outlives) };
        match self.containers.get(task.id.as_str()) {
            Some(container) if !container.running => false,
            Some(container) => match container.health {
                Health::Healthy => container.up_s >= outlives,
                Health::Starting | Health::Unhealthy => false,
                Health::None => is_watched || container.up_s >= steady,
            },
            None => task.state == TaskState::Running && (is_watched || task.since_ms >= steady * 1000),
        }
    }

    /// Seconds that it has to run to have outlived its earlier ends.
    fn outlives_s(&self) -> u64 {
        if !self.outlive {
            return 0;
        }
        let life = |task: &&TaskSeen| task.started_ms.unwrap_or(task.age_ms).saturating_sub(task.since_ms) / 1000;
        let longest = self.ends.tasks.iter().map(life).max().unwrap_or(0);
        (2 * longest).min(OUTLIVED_S)
    }

    /// Whether nothing has failed yet and the service is not up.
    pub(super) fn is_on_first_start(&self) -> bool {
        self.ends.tasks.is_empty() && self.up().is_err()
    }

    /// The state of the newest task that does not run.
    fn awaited(&self) -> String {
        let newest = self.newest_by_slot();
        let Some(task) = newest.values().find(|task| !(self.is_current(task) && task.wanted() && self.runs(task)))
        else {
            return "swarm creates its tasks".to_owned();
        };
        if has_exited(task) || self.is_over(task) {
            return match self.ends.words() {
                Some(words) => format!("it {words}; swarm restarts it"),
                None => "swarm restarts it".to_owned(),
            };
        }
        let container = self.containers.get(task.id.as_str());
        let line = match task.state {
            TaskState::New | TaskState::Allocated | TaskState::Pending => "waits for a node",
            TaskState::Assigned | TaskState::Accepted | TaskState::Preparing => {
                "prepares its image, volumes and networks"
            }
            TaskState::Ready => "is ready, and waits for its turn",
            _ => match container.map(|container| container.health) {
                Some(Health::Starting) => "runs, its healthcheck has not passed yet",
                Some(Health::Unhealthy) => "runs, its healthcheck fails",
                Some(Health::Healthy | Health::None) => "runs, and must stay up for a moment",
                None => "starting",
            },
        };
        match self.ends.words() {
            Some(words) if !self.ends.tasks.is_empty() => format!("{line} (it {words} before)"),
            _ => line.to_owned(),
        }
    }

    /// A task without a suitable node, if nothing is about to change that.
    fn no_place(&self) -> Option<Failure> {
        let task = self.tasks.iter().find(|task| {
            task.wanted()
                && task.state <= TaskState::Pending
                && matches!(kind_of(&task.error), Some(Kind::PortTaken | Kind::NoNode))
        })?;
        let kind = kind_of(&task.error)?;
        let patience = if kind == Kind::PortTaken && task.port_held_by.is_none() { UNHELD_PORT_MS } else { PENDING_MS };
        let quiet =
            self.tasks.iter().filter(|other| other.id != task.id).all(|other| {
                (self.is_over(other) && other.since_ms >= patience) || (other.wanted() && self.runs(other))
            });
        (quiet && task.age_ms >= patience).then(|| {
            let failure = named(kind, &self.service.name, &task.image, &task.error);
            if let Some(kept) = self.kept_by_the_old(task, kind) {
                return kept.with_detail(failure.what);
            }
            match &task.port_held_by {
                Some(PortHeld { port, service }) => {
                    Failure { what: format!("{}; service {service} holds port {port}", failure.what), ..failure }
                }
                None => failure,
            }
        })
    }

    /// A place that the service's own old task keeps: with `order: start-first`, both have to run at once. Swarm names no
    /// holder; one of another stack would be known.
    fn kept_by_the_old(&self, task: &TaskSeen, kind: Kind) -> Option<Failure> {
        let what = match kind {
            Kind::PortTaken if task.port_held_by.is_none() => "the host port",
            Kind::NoNode if task.error.contains("max replicas per node") => "the one place of max_replicas_per_node",
            _ => return None,
        };
        let is_old = |other: &&&TaskSeen| task.current && !other.current && other.wanted() && self.runs(other);
        self.tasks.iter().find(is_old)?;
        let name = &self.service.name;
        Some(Failure::new(
            Kind::DidNotMove,
            format!(
                "the new task of service {name} waits for {what} that the old one keeps: with update_config.order: \
                 start-first, the old one ends only when the new one runs"
            ),
            format!("deploy.update_config.order of service {name}: stop-first, which is swarm's own default"),
        ))
    }

    /// A task that the swarm does not process.
    fn stuck(&self) -> Option<Failure> {
        self.tasks.iter().find_map(|task| machine::stuck(&self.service.name, task))
    }

    fn rolled_back(&self) -> Failure {
        let name = &self.service.name;
        let old = &self.service.image;
        let new = self.ends.tasks.last().map(|task| task.image.as_str()).filter(|image| image != old);
        let whom = new.map_or_else(|| "the new version".to_owned(), str::to_owned);
        let words = self.ends.words().unwrap_or_else(|| "did not come up".to_owned());
        let half = match self.update() {
            Some(UpdateState::RollbackPaused) => ", and the way back failed too",
            _ => "",
        };
        Failure::new(
            self.ends.machine().unwrap_or(Kind::RolledBack),
            format!("swarm rolled service {name} back to {old} after {whom} {words}{half}"),
            self.ends.look_at(),
        )
    }

    fn paused(&self) -> Failure {
        let (name, image) = (&self.service.name, &self.service.image);
        let words = self.ends.words().unwrap_or_else(|| "did not come up".to_owned());
        Failure::new(
            self.ends.machine().unwrap_or(Kind::UpdatePaused),
            format!("swarm stopped the update of service {name} midway after {image} {words}"),
            self.ends.look_at(),
        )
    }
}

/// Whether a task ended as intended: part of a job, or a program that runs once.
fn is_good_end(service: &ServiceSeen, task: &TaskSeen) -> bool {
    task.state == TaskState::Complete
        && !task.unhealthy
        && task.exit.unwrap_or(0) == 0
        && (matches!(service.mode, Mode::Job(_)) || (service.restart != Restart::Any && !service.is_routed))
}
