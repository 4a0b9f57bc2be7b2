//! The tests of the recipe's own repository, where an operator approved them.

use std::time::Instant;

use ::overlay::{OverlayOutcome, OverlayResult};
use base::failure::{Failure, Kind};
use swarm::StackLabels;

use super::no_answer::blamed;
use super::overlay;
use crate::context::{StageRun, Step, Stopped};
use crate::variables::{Deployed, VARIABLES};
use fence::own_tests::{FOLDER, Fence, FenceSettings, Limits, OwnTests};
use host::blocking::blocking;
use journal::event::{Origin, Outcome};
use plan::peers::SYSTEM_CAS;

/// Of the run's values, those that mean something inside the fence.
const VALUES: [&str; 6] = ["CCCI_URL", "CCCI_DOMAIN", "CCCI_RECIPE", "CCCI_VERSION", "CCCI_COMMIT", "CCCI_STAGE"];

/// Tells of tests that are there and do not run. At the very start, so that no failure hides it.
pub(super) fn tell(cx: &StageRun) {
    if let Some(note) = cx.app.own.note() {
        cx.note(note);
    }
}

/// Runs every test, each as a check; all of them, also when one is red.
pub(super) async fn run(cx: &mut StageRun) -> Step {
    let OwnTests::Run { files, place } = cx.app.own.clone() else { return Ok(()) };
    let start = Instant::now();
    let (mut fence, env) = match put_up(cx, &place).await {
        Ok(made) => made,
        Err(failure) => {
            cx.fail("own: fence", Origin::Generic, failure, start.elapsed());
            return Err(Stopped);
        }
    };
    let mut red = false;
    for file in &files {
        cx.progress(format!("runs the recipe's own {file}"));
        let start = Instant::now();
        match fence.run(file, &env, cx.time_left()).await {
            Ok(result) => red |= record(cx, file, result).await.is_err(),
            Err(failure) => {
                cx.fail(&format!("own: {file}"), Origin::Generic, failure, start.elapsed());
                red = true;
            }
        }
    }
    if let Err(failure) = fence.take_down().await {
        cx.note(format!("the fence is left to teardown: {failure}"));
    }
    if red { Err(Stopped) } else { Ok(()) }
}

/// The fence, and what a test finds in its environment.
async fn put_up(cx: &StageRun, place: &FenceSettings) -> Result<(Fence, Vec<(String, String)>), Failure> {
    let (checkout, head) = (cx.app.checkout.dir().to_owned(), cx.app.spec.head.clone());
    let tests = blocking(move || source::archive(&checkout, head.as_str(), FOLDER)).await?;
    let world_ca = match &cx.run.ca {
        Some(path) => Some(std::fs::read(path).map_err(|error| Failure::disk("read", path, &error))?),
        // The gate judges as everything else does: by this system's authorities, and not by those of its own image.
        None => std::fs::read(SYSTEM_CAS).ok(),
    };
    let limits = Limits {
        run: cx.app.spec.run.clone(),
        labels: StackLabels::new(&cx.app.spec.stack, &cx.app.labels),
        domain: cx.app.spec.domain.clone(),
        port: cx.run.https_port,
        world_ca,
    };
    let deployed = Deployed::of(cx).await;
    let env: Vec<(String, String)> = VARIABLES
        .iter()
        .filter(|variable| VALUES.contains(&variable.name))
        .map(|variable| (variable.name.to_owned(), (variable.value)(cx, &deployed)))
        .collect();
    let mut speaker = cx.speaker();
    Ok((Fence::put_up(cx.run.swarm.clone(), limits, place, tests, &mut speaker).await?, env))
}

async fn record(cx: &mut StageRun, file: &str, result: OverlayResult) -> Step {
    let name = format!("own: {file}");
    let (kind, what) = match result.outcome {
        OverlayOutcome::Passed => {
            let shown = overlay::shown(cx, &result);
            cx.record_shown(&name, Origin::Recipe, Outcome::Passed, result.text, None, result.took, shown);
            return Ok(());
        }
        OverlayOutcome::Failed => (Kind::CheckFailed, format!("{file} of the recipe: {}", result.text)),
        OverlayOutcome::Broken => (Kind::CheckBroken, format!("{file} of the recipe cannot run: {}", result.text)),
    };
    let failure = Failure::new(kind, what, "the script's output, in the report; docs/security.md says what it reaches");
    let failure = blamed(cx, failure.with_detail(result.detail)).await;
    cx.fail(&name, Origin::Recipe, failure, result.took);
    Err(Stopped)
}
