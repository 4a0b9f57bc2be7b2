//! Commands on pull requests: a comment becomes a job on the disk, a job becomes a run, and what the run says
//! becomes one comment.
//!
//! ```text
//! watcher ─► JobQueue ─► JobStore (a file per command) ─► Worker ─► child: cc-ci run --json, or a build of Drone
//!                                                         │  ▲            │ records
//!                                                         │  └────────────┘
//!                                                         └─► render (pure) ─► tell ─► comment and commit status
//! ```
//!
//! A word is on the disk before the watcher hears that it is taken on, and its end is on the disk until the forge
//! has been told. So cc-ci may die between any two steps: what was queued is queued, what ran begins again (a build goes
//! on, and is found again), and what had its verdict is told.

// `say!` and `note!` end nothing where a screen or a pipe has gone, `println!` does.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod builds;
mod child;
mod job;
mod job_queue;
mod job_store;
mod kept;
mod message;
pub mod mirror;
mod render;
pub mod settings;
mod tell;
mod work;

pub use self::builds::{
    AtDrone, Builds, CancelFuture, Over, PollIntervals, RestartedBuild, SeenBuild, StartedBuild, SwarmRuns,
};
pub use self::child::{Children, Leash, NOT_FOR_RUNS, Order, Runs};
pub use self::job::{AsBuild, EarlierAttempt, End, Job, KeptJob, Phase, Stopped};
pub use self::job_queue::JobQueue;
pub use self::job_store::{JobStore, JobStoreError};
pub use self::kept::{Ending, KeptApps};
pub use self::message::{ChildExit, WorkerMessage};
pub use self::render::{BYTES, CommentPage, MARKER, ShownRun, render, status};
pub use self::tell::{CommentUpdate, Debounce, Delivered, tell};
pub use self::work::{Worker, WorkerConfig};
