//! An older release in the app's place, with data. That it does not come up here says nothing of the tested commit: its
//! image may be gone from the registry, or its tests may be written for newer ones.

use std::time::Instant;

use base::failure::{Cause, Failure};
use swarm::Before;

use super::super::{answers, data, fresh, prepare};
use crate::context::{StageRun, Step};
use change::Change;
use journal::event::{Origin, Outcome};
use plan::spec::RunSpec;

/// Removes the app and installs a release with data; the inner error says why it cannot be had.
pub(super) async fn install(cx: &mut StageRun, name: &str, release: &str) -> Step<Result<(), String>> {
    fresh::remove(cx, &format!("{name}.removed")).await?;
    let spec = RunSpec { base: Some(release.to_owned()), ..cx.app.spec.clone() };
    // What is wrong with a side is told by its deploy.
    cx.app.change = Change::read(&cx.app.checkout, &spec, None).ok().flatten();
    let (check, began) = (format!("{name}.installed"), Instant::now());
    let failure = match up(cx, release).await {
        Ok(()) => {
            let text = format!("{release} is up on empty volumes and answers");
            cx.record(&check, Origin::Generic, Outcome::Passed, text, None, began.elapsed());
            return Ok(data::try_to_seed(cx).await.map_err(|why| format!("{release} cannot be given data: {why}")));
        }
        Err(failure) => failure,
    };
    if failure.kind.usual_cause() == Cause::Infrastructure {
        cx.fail(&check, Origin::Generic, failure, began.elapsed());
        return Err(crate::context::Stopped);
    }
    Ok(Err(format!("{release} does not come up here: {}", failure.what)))
}

async fn up(cx: &mut StageRun, release: &str) -> Result<(), Failure> {
    let compose = prepare::may_be_deployed(cx, release)?;
    prepare::ensure(cx, &compose).await?;
    cx.deploy(release, &Before::default()).await?;
    answers::recovered(cx, cx.wait_until().min(Instant::now() + LONGEST)).await.map(drop)
}

/// As long as a stage waits for an answer.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(60);
