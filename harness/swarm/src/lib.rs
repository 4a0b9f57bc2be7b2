//! The docker engine and its swarm for cc-ci: running services, waiting by events instead of polling where possible,
//! evidence, volumes, images, shared records, and complete removal.
//!
//! ```text
//! let swarm = Swarm::connect().await?;
//! let mut watch = swarm.watch(&stack).await?;      // before the deployment
//! let before = swarm.before(&stack).await?;
//! /* deploy */
//! let settled = watch.settled(&before, deadline, &mut |line| println!("{line}")).await?;
//! ```

mod beside;
mod bot;
mod bot_shell;
mod disk;
mod engine;
mod evidence;
mod exec;
mod exec_in;
mod feed;
mod fenced;
mod gateway;
mod images;
mod inside;
mod judge;
mod labels;
mod listening;
mod login;
mod looks;
mod machine;
mod memory;
mod mentions;
mod meter;
mod nodes;
mod objects;
mod outage;
mod ports;
mod raw;
mod read;
mod reason;
mod record;
mod remembered;
mod remove;
mod room;
mod seen;
mod volumes;
mod watch;

pub use beside::{Bridge, Reach, StackLabels};
pub use bot::Bot;
pub use engine::{EngineFacts, Swarm};
pub use evidence::{Logs, TaskRow};
pub use exec::{ExecResult, Holding};
pub use exec_in::{ExecError, Inside, Streams};
pub use fenced::{Fenced, FencedEnd};
pub use images::{Pulled, with_tag};
pub use inside::{ContainerLook, RUN_LABEL};
pub use judge::{Fallen, Judgement, Up, fallen, judge};
pub use listening::Listening;
pub use login::{RegistryLogins, registry_of};
pub use memory::{MemoryKill, oom_of};
pub use meter::{Meter, Peaks};
pub use nodes::{NodeFacts, NodeRole};
pub use objects::{Object, ObjectKind};
pub use outage::{DownService, ServiceFacts, StandIn};
pub use ports::PublishedPort;
pub use record::{RecordChanges, SharedRecord, Swap};
pub use remove::Removal;
pub use room::{DiskRoom, MemoryRoom, NodeRoom};
pub use seen::{
    Before, ContainerSeen, Health, Listens, Mode, OnFailure, PortHeld, Restart, ServiceBefore, ServiceSeen, Snapshot,
    TaskSeen, TaskState, Update, UpdateState,
};
pub use volumes::MountedVolume;
pub use watch::{ServiceSettled, Settled, Watch};

/// The label of every object of a stack, set by `docker stack` and abra.
pub const STACK_LABEL: &str = "com.docker.stack.namespace";

/// The label of a container with the id of its task.
const TASK_LABEL: &str = "com.docker.swarm.task.id";

/// The label of a container with the full name of its service.
const SERVICE_LABEL: &str = "com.docker.swarm.service.name";
