//! What was seen of a stack at one moment, as plain data, so that the judgement is a pure function.

use std::collections::{BTreeMap, BTreeSet};

/// A stack at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The services, by name.
    pub services: Vec<ServiceSeen>,
    /// Every task that the swarm still remembers of them, oldest first.
    pub tasks: Vec<TaskSeen>,
    /// The stack's containers on this node, also the stopped ones.
    pub containers: Vec<ContainerSeen>,
}

/// What ran before a deploy, so that its own effects can be told from older ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Before {
    /// By service id.
    pub services: BTreeMap<String, ServiceBefore>,
    /// The ids of every task that was remembered.
    pub tasks: BTreeSet<String>,
    /// Those of them that had ended.
    pub over: BTreeSet<String>,
    /// The ids of the containers that ran on this node.
    pub containers: BTreeSet<String>,
    /// Whether a service that has ended since has to outlive what it was before, to count as up: nothing is on its way
    /// that it could be waiting for.
    pub outlive: bool,
}

/// A service before a deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceBefore {
    /// Its short name, without the stack.
    pub name: String,
    /// The image that it asked for.
    pub image: String,
    /// The version of its spec. Swarm raises it with every update, also with an equal one.
    pub version: u64,
    /// What it published.
    pub endpoint: String,
    /// The end of its last update, which swarm keeps until the next.
    pub update: Option<UpdateState>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSeen {
    /// Its id.
    pub id: String,
    /// Its short name, without the stack.
    pub name: String,
    /// The version of its spec.
    pub version: u64,
    /// Milliseconds since its spec last changed.
    pub changed_ms: u64,
    /// What it publishes: the endpoint's mode and ports, comparable. It is no part of a task's spec,
    /// and yet a change of it makes swarm replace every task.
    pub endpoint: String,
    /// How many tasks it wants.
    pub mode: Mode,
    /// The image that its spec names, without the digest.
    pub image: String,
    /// Its update, if there was one since it was made.
    pub update: Option<Update>,
    /// What swarm does with an update that fails.
    pub on_failure: OnFailure,
    /// When swarm starts a task again.
    pub restart: Restart,
    /// How often it does so at most; 0 is without end.
    pub max_attempts: u64,
    /// How long swarm waits before it does.
    pub restart_delay_ms: u64,
    /// Whether traefik has a route to it: it is there to answer, and has no end that is good.
    pub is_routed: bool,
    /// The other services of the stack that its command, its settings and its configs name.
    pub mentions: BTreeSet<String>,
    /// The ids of its configs.
    pub configs: BTreeSet<String>,
}

/// How many tasks a service wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// This many that run.
    Replicated(u64),
    /// One on each node that fits.
    Global,
    /// This many that run to their end.
    Job(u64),
}

/// An update of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// How far it is.
    pub state: UpdateState,
    /// Swarm's own words.
    pub message: String,
}

/// How far an update is.
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

/// What swarm does with an update that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It stops the update and leaves things as they are. The default.
    Pause,
    /// It goes on with the next task.
    Continue,
    /// It goes back to the spec before.
    Rollback,
}

/// When swarm starts a task again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Whatever the exit code. The default.
    Any,
    /// After an exit code other than 0.
    OnFailure,
    /// Never.
    Never,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSeen {
    /// Its id.
    pub id: String,
    /// The id of its service.
    pub service: String,
    /// Which replica it is; for a global service the node's id.
    pub slot: String,
    /// How far it is.
    pub state: TaskState,
    /// How far swarm wants it to be.
    pub desired: TaskState,
    /// Whether it was made from the service's spec as it is now.
    pub current: bool,
    /// The image that it runs, without the digest.
    pub image: String,
    /// Swarm's words on the state.
    pub message: String,
    /// The error, empty where there is none.
    pub error: String,
    /// The exit code of its container, where that ended.
    pub exit: Option<i64>,
    /// Who holds a host port that it waits for: a service of any stack, by its full name.
    pub port_held_by: Option<PortHeld>,
    /// Whether the engine was seen to give its health up. Swarm then ends it, and says so only when
    /// the process ends badly: one that ends well on its signal looks as if it had finished its work.
    pub unhealthy: bool,
    /// Whether the kernel killed a process of its container for want of memory, as far as the engine of
    /// this node told.
    pub out_of_memory: bool,
    /// The most memory that its spec gives it, in bytes; none where there is no limit.
    pub memory_limit: Option<u64>,
    /// Its container's id, where it has one.
    pub container: Option<String>,
    /// When it was made: RFC 3339, by the swarm's clock.
    pub created: String,
    /// Milliseconds since it was made.
    pub age_ms: u64,
    /// Milliseconds since its state was last told.
    pub since_ms: u64,
    /// Milliseconds since its container started, where the engine's event was heard.
    pub started_ms: Option<u64>,
    /// Milliseconds since it was first seen in its state, by this machine's own steady clock.
    pub watched_ms: Option<u64>,
}

/// A host port that another service holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHeld {
    /// The port.
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
    /// Whether a task in this state will do nothing more.
    pub fn is_over(self) -> bool {
        self > Self::Running
    }
    /// The word that `docker service ps` prints.
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
    /// Its id.
    pub id: String,
    /// The id of its task.
    pub task: String,
    /// Whether its process runs.
    pub running: bool,
    /// What its healthcheck says.
    pub health: Health,
    /// The exit code, where it ended.
    pub exit: Option<i64>,
    /// Whole seconds that it has been running, as the engine tells them (coarse above a minute).
    pub up_s: u64,
    /// Milliseconds since its healthcheck passed first, where the engine's event was heard.
    pub healthy_ms: Option<u64>,
    /// Whether something in it accepts connections, as far as that was looked at.
    pub listens: Listens,
    /// The program that its healthcheck calls and that it does not have, in the words of the check's output.
    pub lacks: Option<String>,
}

/// Whether something in a container accepts connections from outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listens {
    /// It was not looked at, or cannot be told.
    Unknown,
    /// Nothing does yet.
    No,
    /// Something was first seen to do so this many milliseconds ago.
    Since(u64),
}

/// What a healthcheck says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// There is no healthcheck.
    None,
    /// It has not passed yet, nor failed for good.
    Starting,
    /// It passed last.
    Healthy,
    /// It failed as often as it may.
    Unhealthy,
}
