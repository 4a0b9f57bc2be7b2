//! Runs that report to a `cc-ci serve` elsewhere, and that one's end of it. What travels is the journal, line by line:
//! it is redacted, every reader knows it, and both sides have it on disk.
//!
//! ```text
//! run ─► journal ─► Follower ─► Reporter ──POST /api/runs/RUN/records?first=N──► router ─► Folders ─► journal
//!                                  ▲                                                │
//!                                  └──────────── the next line that is wanted ──────┘
//! ```
//!
//! Pictures that a record names go before it, where the run's operator said so: nobody can redact one.
//!
//! The sender keeps nothing in memory but one batch: what the receiver wants next is read from the journal again. So
//! either side may be away, and the receiver may even have lost what it had.

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
