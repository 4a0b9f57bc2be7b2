//! The nightly sweep of `cc-ci serve`: every recipe with a folder at its newest release and at its default branch, once a
//! day, behind everything that people ask for.
//!
//! ```text
//! hour (pure) ─► sweeper ─► sources: what is newest ─► run: cc-ci run --yields ─► sweep (pure) ─► shelf ─► page, feed
//!                   └─ each step is on the shelf before it is taken                   └─► hook: the message
//! ```
//!
//! What is on the shelf is what is known: where cc-ci dies between two steps, the sweep goes on from there.

mod hook;
mod hour;
mod settings;
mod shelf;
mod sources;
mod sweep;
mod sweeper;

pub use self::hook::{Hook, HookRefusal, WebhookMessage};
pub use self::hour::{Due, SweepHour};
pub use self::settings::NightlyArgs;
pub use self::shelf::{Clock, Shelf, ShelfError};
pub use self::sources::{Enrolled, FoundSource, Sources};
pub use self::sweep::{Next, Sweep, SweepEnd, SweepPhase, SweepRun, Swept, SweptHealth, Tested, Turned};
pub use self::sweeper::{Starts, SweepOrder, Sweeper};
