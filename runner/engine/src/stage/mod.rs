//! The stages, one a file. Each works on the [`StageRun`] and records checks; nothing else comes out.

mod again;
mod answers;
mod backup;
mod change;
mod data;
mod dependencies;
mod evidence;
mod fallen;
mod faults;
mod foreseen;
mod fresh;
mod functional;
mod in_time;
mod install;
mod memory;
mod no_answer;
mod optional;
mod overlay;
mod own_tests;
mod prepare;
mod prove;
mod ready;
mod slot;
mod upgrade;
mod variants;

pub use dependencies::lost;
pub use prepare::published_ports;

use crate::context::{StageRun, Step};
use journal::event::Stage;

/// Runs one stage's work. Teardown is not run here: it must not depend on a stage that works.
///
/// # Errors
/// When the stage could not go on; the fault is in its `faults`.
pub async fn run(stage: Stage, cx: &mut StageRun) -> Step {
    match stage {
        Stage::Prepare => prepare::run(cx).await,
        Stage::Slot => slot::run(cx).await,
        Stage::Dependencies => dependencies::run(cx).await,
        Stage::Install => install::run(cx).await,
        Stage::Upgrade => upgrade::run(cx).await,
        Stage::Backup => backup::run(cx).await,
        Stage::Functional => functional::run(cx).await,
        Stage::Prove => prove::run(cx).await,
        Stage::Fresh => fresh::run(cx).await,
        Stage::Faults => faults::run(cx).await,
        Stage::Variants => variants::run(cx).await,
        Stage::Teardown => Ok(()),
    }
}

pub use evidence::{collect_logs, collect_tasks};
pub use fallen::fallen;
pub(crate) use in_time::too_slow;
pub use memory::killed;
pub(crate) use overlay::{context as overlay_context, tried};
