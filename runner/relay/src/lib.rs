//! Runs that report to a remote `cc-ci serve`, and the receiver there. The transferred data is the journal, line by
//! line: it is redacted, every reader knows it, and both sides have it on disk.
//!
//! ```text
//! run ─► journal ─► Follower ─► Reporter ──POST /api/runs/RUN/records?first=N──► router ─► Folders ─► journal
//!                                  ▲                                                │
//!                                  └───────────── the next expected line ───────────┘
//! ```
//!
//! Pictures that a record names are sent before it, if the run's operator allowed it, since pictures cannot be
//! redacted.
//!
//! The sender buffers only one batch: it reads what the receiver expects next from the journal again. So either side
//! may be down for a while, and the receiver may even lose its copy.

mod args;
mod folders;
mod follow;
mod receive;
mod send;
mod wire;

pub use self::args::ReportArgs;
pub use self::folders::{BatchRefusal, Folders, Taken};
pub use self::follow::{Batch, Follower};
pub use self::receive::router;
pub use self::send::{Destination, Reporter};
pub use self::wire::{BODY, PictureName, RelayReply, path, picture_path};
