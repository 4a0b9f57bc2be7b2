//! Commands on pull requests: a comment becomes a job on disk, a job becomes a run, and the run's records become one
//! comment.
//!
//! ```text
//! watcher ─► JobQueue ─► JobStore (a file per command) ─► Worker ─► child: cc-ci run --json, or a build of Drone
//!                                                         │  ▲            │ records
//!                                                         │  └────────────┘
//!                                                         └─► render (pure) ─► tell ─► comment and commit status
//! ```
//!
//! A job is on disk before the watcher is told that it was accepted, and its end is on disk until it was delivered to
//! the forge. So cc-ci may die between any two steps: queued jobs stay queued, runs in progress begin again (a build
//! continues, and is found again), and verdicts are delivered.

// `println!` panics when the terminal or pipe is gone; `say!` and `note!` do not.
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
