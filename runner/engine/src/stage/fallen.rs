//! Services that ended by themselves after they had settled: what crashes later than a deploy is watched.

use base::failure::Failure;
use swarm::Before;

use crate::context::StageRun;

/// The failure of one that does not stay up. One that ended is watched until it has outlived what it was before, and noted.
pub async fn fallen(cx: &mut StageRun) -> Option<Failure> {
    let settled = cx.app.settled.clone()?;
    let found = cx.run.swarm.fallen(&cx.app.spec.stack, &settled).await.ok()?;
    if let Some(down) = found.iter().find(|one| one.is_down) {
        return Some(after_it_was_up(down.failure.clone()));
    }
    let first = found.into_iter().next()?;
    cx.progress("a service ended after it was up, and is watched");
    match cx.settle(&Before { outlive: true, ..settled }).await {
        Ok(_) => {
            cx.note(format!("{} after it was up; swarm started it again", first.failure.what));
            None
        }
        Err(failure) => Some(after_it_was_up(failure)),
    }
}

fn after_it_was_up(failure: Failure) -> Failure {
    Failure { what: format!("{}, after it was up", failure.what), ..failure }
}
