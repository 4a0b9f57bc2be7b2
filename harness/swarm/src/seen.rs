//! A snapshot of a stack as plain data, so that the judgement is a pure function.

use std::collections::{BTreeMap, BTreeSet};

/// A stack at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// By name.
    pub services: Vec<ServiceSeen>,
    /// Every task of them in swarm's history, oldest first.
    pub tasks: Vec<TaskSeen>,
    /// The stack's containers on this node, including stopped ones.
    pub containers: Vec<ContainerSeen>,
}

/// The state before a deployment, to distinguish its effects from earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Before {
    /// By service id.
    pub services: BTreeMap<String, ServiceBefore>,
    /// The ids of all tasks in the history.
    pub tasks: BTreeSet<String>,
    /// Those of them that had ended.
    pub over: BTreeSet<String>,
    /// The ids of the running containers on this node.
    pub containers: BTreeSet<String>,
    /// Whether a service that has ended since has to run longer than before to count as up: there is nothing that it
    /// could be waiting for.
    pub outlive: bool,
}

/// A service before a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceBefore {
    /// Its short name, without the stack.
    pub name: String,
    /// The image in its spec.
    pub image: String,
    /// The version of its spec. Swarm raises it with every update, even an equal one.
    pub version: u64,
    /// Its published ports.
    pub endpoint: String,
    /// The result of its last update, which swarm keeps until the next.
    pub update: Option<UpdateState>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSeen {
    pub id: String,
    /// Its short name, without the stack.
    pub name: String,
    /// The version of its spec.
    pub version: u64,
    /// Milliseconds since its spec last changed.
    pub changed_ms: u64,
    /// The endpoint's mode and ports, comparable. It is no part of a task's spec, and yet a change of it makes swarm
    /// replace every task.
    pub endpoint: String,
    pub mode: Mode,
    /// The image in its spec, without the digest.
    pub image: String,
    /// The last update since its creation, if any.
    pub update: Option<Update>,
    /// Swarm's action after a failed update.
    pub on_failure: OnFailure,
    /// When swarm restarts a task.
    pub restart: Restart,
    /// Maximum number of restarts; 0 is unlimited.
    pub max_attempts: u64,
    /// Swarm's delay before a restart.
    pub restart_delay_ms: u64,
    /// Whether traefik has a route to it: it serves requests, so no end is good.
    pub is_routed: bool,
    /// The other services of the stack that its command, its settings and its configs mention.
    pub mentions: BTreeSet<String>,
    /// The ids of its configs.
    pub configs: BTreeSet<String>,
}

/// The mode of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// This many running tasks.
    Replicated(u64),
    /// One task on each suitable node.
    Global,
    /// This many tasks that run to completion.
    Job(u64),
}

/// An update of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    pub state: UpdateState,
    /// Swarm's message.
    pub message: String,
}

/// The state of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the engine's own words")]
pub enum UpdateState {
    Updating,
    Paused,
    Completed,
    RollbackStarted,
    RollbackPaused,
    RollbackCompleted,
}

/// Swarm's action after a failed update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Stops the update and leaves the tasks as they are. The default.
    Pause,
    /// Continues with the next task.
    Continue,
    /// Restores the previous spec.
    Rollback,
}

/// When swarm restarts a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// After any exit code. The default.
    Any,
    /// After an exit code other than 0.
    OnFailure,
    Never,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSeen {
    pub id: String,
    /// The id of its service.
    pub service: String,
    /// The number of the replica; for a global service the node's id.
    pub slot: String,
    pub state: TaskState,
    /// The state that swarm wants.
    pub desired: TaskState,
    /// Whether it was created from the service's current spec.
    pub current: bool,
    /// Its image, without the digest.
    pub image: String,
    /// Swarm's message on the state.
    pub message: String,
    /// The error, or empty.
    pub error: String,
    /// The exit code of its container, if that ended.
    pub exit: Option<i64>,
    /// The holder of a host port that it waits for: a service of any stack, by its full name.
    pub port_held_by: Option<PortHeld>,
    /// Whether the engine declared it unhealthy. Swarm then ends it, and only reports that if the process fails on its
    /// signal: one that exits with 0 looks as if it had completed.
    pub unhealthy: bool,
    /// Whether its container was OOM-killed (any process of it), as far as this node's engine reported.
    pub out_of_memory: bool,
    /// The memory limit in its spec in bytes, if any.
    pub memory_limit: Option<u64>,
    /// Its container's id, if it has one.
    pub container: Option<String>,
    /// RFC 3339, by the swarm's clock.
    pub created: String,
    /// Milliseconds since its creation.
    pub age_ms: u64,
    /// Milliseconds since the last report of its state.
    pub since_ms: u64,
    /// Milliseconds since its container started, if the engine's event was received.
    pub started_ms: Option<u64>,
    /// Milliseconds since it was first seen in its state, by this machine's monotonic clock.
    pub watched_ms: Option<u64>,
}

/// A host port that another service holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHeld {
    pub port: u16,
    /// The full name of the service.
    pub service: String,
}

/// The states of a task, in swarm's order. Source: moby's swarmkit, `api/types.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the engine's own words")]
pub enum TaskState {
    New,
    Allocated,
    Pending,
    Assigned,
    Accepted,
    Preparing,
    Ready,
    Starting,
    Running,
    Complete,
    Shutdown,
    Failed,
    Rejected,
    Remove,
    Orphaned,
}

impl TaskState {
    /// Whether a task in this state is over.
    pub fn is_over(self) -> bool {
        self > Self::Running
    }
    /// The name in `docker service ps`.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Allocated => "allocated",
            Self::Pending => "pending",
            Self::Assigned => "assigned",
            Self::Accepted => "accepted",
            Self::Preparing => "preparing",
            Self::Ready => "ready",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Shutdown => "shutdown",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Remove => "remove",
            Self::Orphaned => "orphaned",
        }
    }
}

impl TaskSeen {
    /// Whether swarm wants this task to run (or, for a job, to have run).
    pub fn wanted(&self) -> bool {
        self.desired <= TaskState::Complete
    }
}

/// A container on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSeen {
    pub id: String,
    /// The id of its task.
    pub task: String,
    pub running: bool,
    pub health: Health,
    /// The exit code, if it ended.
    pub exit: Option<i64>,
    /// Seconds since its start, as printed by the engine (coarse above a minute).
    pub up_s: u64,
    /// Milliseconds since its healthcheck first passed, if the engine's event was received.
    pub healthy_ms: Option<u64>,
    /// Whether it accepts connections, as far as it was queried.
    pub listens: Listens,
    /// The missing program of its healthcheck, as in the check's output.
    pub lacks: Option<String>,
}

/// Whether a container accepts connections from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listens {
    /// Not queried, or unknown.
    Unknown,
    /// Not yet.
    No,
    /// First seen this many milliseconds ago.
    Since(u64),
}

/// The state of a healthcheck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// There is no healthcheck.
    None,
    /// It has neither passed nor finally failed yet.
    Starting,
    /// It passed last.
    Healthy,
    /// It failed as often as allowed.
    Unhealthy,
}
