//! The secrets of an app that an earlier run keeps.

use std::path::Path;

use crate::context::{Keep, StageRun};
use journal::run_dir::RunDir;

/// Hides the kept app's secrets from this run's reports too.
pub fn hide_secrets(cx: &StageRun, state: &Path) {
    let Keep::ByRun(run) = &cx.run.keep else { return };
    let text = std::fs::read_to_string(RunDir::of(state, run).kept_secrets()).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str::<String>(line).ok())
        .for_each(|value| cx.run.emitter.hide(&value));
}
