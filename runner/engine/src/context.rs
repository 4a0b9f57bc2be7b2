//! What stages work with: the run, its apps, what it holds, and the stage that runs.

mod app;
mod holdings;
mod keep;
pub mod logins;
mod make;
mod run;
mod stage_run;
mod tell;
pub mod usage;
mod variant;

pub(crate) use self::app::App;
pub use self::keep::Keep;
pub use self::make::Parts;
pub use self::stage_run::{StageRun, Step, Stopped};
pub use self::variant::ActiveVariant;
