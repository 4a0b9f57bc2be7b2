//! A run forgets its own snapshots beside what it does next.

use std::time::{Duration, Instant};

use crate::context::{Keep, StageRun};
use host::snapshots::forget;

/// How long it may take beside the stages.
const BESIDE: Duration = Duration::from_secs(30);

/// Begins to forget the snapshots of a run, beside what it does next: restic takes half a second. Those of an app that
/// is kept stay as long as it does. The teardown waits for it, and tries again what failed.
pub fn begin_to_forget(cx: &mut StageRun) {
    if cx.run.keep == Keep::No {
        let (swarm, dir) = (cx.run.swarm.clone(), cx.app.dir.clone());
        cx.holdings.forgetting = Some(tokio::spawn(async move { forget(&swarm, &dir, Instant::now() + BESIDE).await }));
    }
}
