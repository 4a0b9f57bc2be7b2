//! The recipe's own data set: seeded through the app, wiped, and checked. The check has to be red
//! between wipe and restore, or it proves nothing.

use std::time::Duration;

use ::overlay::{OverlayFile, OverlayOutcome, OverlayResult};
use base::failure::{Failure, Kind};

use super::no_answer::blamed;
use super::overlay;
use crate::context::{StageRun, Step, Stopped};
use journal::event::{Origin, Outcome};

/// Seeds, where the recipe brings data and it is not there yet.
pub(super) async fn seed(cx: &mut StageRun) -> Step {
    let Some(data) = cx.app.overlays.data.clone() else { return Ok(()) };
    if cx.app.seeded {
        return Ok(());
    }
    overlay::run_one(cx, &data.seed).await?;
    cx.app.seeded = true;
    Ok(())
}

/// The same on a release that is not the tested one: what goes wrong is told and is no fault of the run.
pub(super) async fn try_to_seed(cx: &mut StageRun) -> Result<(), String> {
    let Some(data) = cx.app.overlays.data.clone() else { return Ok(()) };
    let result = run(cx, &data.seed).await;
    if result.outcome != OverlayOutcome::Passed {
        return Err(format!("{} says {}", data.seed.name, result.text));
    }
    cx.app.seeded = true;
    let _ = overlay::record(cx, &data.seed.name, result).await;
    Ok(())
}

/// The data is there.
pub(super) async fn check(cx: &mut StageRun, when: &str) -> Step {
    let Some(data) = cx.app.overlays.data.clone() else { return Ok(()) };
    let result = run(cx, &data.check).await;
    let name = format!("{when}: {}", data.check.name);
    if result.outcome == OverlayOutcome::Failed {
        let (kind, what) = match when {
            "deployed again" => (Kind::DataLost, "taking the app down and deploying it again lost data".to_owned()),
            "rolled back" => (Kind::DataLost, "the way back to the release before lost data".to_owned()),
            "restored" => (Kind::RestoreEmpty, "the restore did not bring the data back".to_owned()),
            "restored on the next release" => {
                (Kind::RestoreEmpty, "the backup of the release before did not bring the data back".to_owned())
            }
            // "prove" looks at data that were made a moment ago.
            "prove" => (Kind::RestoreEmpty, "the data that were seeded are not there".to_owned()),
            event => (Kind::DataLost, format!("the {event} lost data")),
        };
        let look_at = if kind == Kind::DataLost {
            "what the change does to the app's data"
        } else {
            "the restore hooks: a database needs its dump loaded again, not only copied back"
        };
        let failure = Failure::new(kind, format!("{what}: {} says {}", data.check.name, result.text), look_at);
        let (files, shown) = (overlay::kept(cx, &result), overlay::shown(cx, &result));
        let failure = blamed(cx, failure.with_files(files).with_detail(result.detail)).await;
        cx.fail_shown(&name, Origin::Overlay, failure, result.took, shown);
        return Err(Stopped);
    }
    overlay::record(cx, &name, result).await
}

/// Whether the recipe brings data that are there now: tests of what the app is for may have changed them.
pub(super) async fn is_there(cx: &StageRun) -> bool {
    let Some(data) = &cx.app.overlays.data else { return false };
    run(cx, &data.check).await.outcome == OverlayOutcome::Passed
}

/// Wipes, and shows that the check is red now.
pub(super) async fn wipe(cx: &mut StageRun) -> Step {
    let Some(data) = cx.app.overlays.data.clone() else { return Ok(()) };
    overlay::run_one(cx, &data.wipe).await?;
    cx.app.seeded = false;
    let green = Failure::new(
        Kind::WipeDidNothing,
        format!("{} is green after {}, so a restore would prove nothing", data.check.name, data.wipe.name),
        "make the wipe remove what the check looks for, or the check look for what the wipe removes",
    );
    must_be_red(cx, &data.check, "wiped", green).await
}

/// Shows that a test is red now, which it has to be for its green end later to mean something.
pub(super) async fn must_be_red(cx: &mut StageRun, file: &OverlayFile, when: &str, green: Failure) -> Step {
    let result = run(cx, file).await;
    let name = format!("{when}: {} must be red", file.name);
    match result.outcome {
        OverlayOutcome::Failed => {
            let (text, shown) = (format!("it is: {}", result.text), overlay::shown(cx, &result));
            cx.record_shown(&name, Origin::Overlay, Outcome::Passed, text, None, result.took, shown);
            Ok(())
        }
        OverlayOutcome::Broken => overlay::record(cx, &name, result).await,
        OverlayOutcome::Passed => {
            let shown = overlay::shown(cx, &result);
            cx.fail_shown(&name, Origin::Overlay, green, result.took, shown);
            Err(Stopped)
        }
    }
}

async fn run(cx: &StageRun, file: &OverlayFile) -> OverlayResult {
    let limit = cx.time_left().min(Duration::from_secs(120));
    overlay::tried(cx, file, &overlay::context(cx, limit).await).await
}
