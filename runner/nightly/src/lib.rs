//! The nightly sweep of `cc-ci serve`: tests every recipe with a folder at its newest release and its default branch,
//! once a day, with lower priority than requested runs.
//!
//! ```text
//! hour (pure) ─► sweeper ─► sources: newest commits ─► run: cc-ci run --yields ─► sweep (pure) ─► shelf ─► page, feed
//!                   └─ each step is on the shelf before it is taken                      └─► hook: the message
//! ```
//!
//! The shelf is the only state: if cc-ci dies between two steps, the sweep resumes from it.

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
pub use self::sweeper::{RunStarter, SweepOrder, Sweeper};
