//! The checks that the recipe's folder brings.

use std::time::Duration;

use harness::failure::{Failure, Kind};
use harness::overlay::{self, OverlayFile, OverlayOutcome, OverlayResult, Variables};

use crate::context::{Context, Step, Stopped};
use crate::event::{Origin, Outcome};
use crate::run_dir::RunDir;
use crate::variables::{LOGINS, VARIABLES};

/// Runs every file of a folder; all of them, also when one is red.
pub(super) async fn run_all(cx: &mut Context, folder: &str) -> Step {
    let files = cx.overlays.checks.get(folder).cloned().unwrap_or_default();
    let mut red = false;
    for file in &files {
        red |= run_one(cx, file).await.is_err();
    }
    if red { Err(Stopped) } else { Ok(()) }
}

/// Runs one file and records it as a check.
pub(super) async fn run_one(cx: &mut Context, file: &OverlayFile) -> Step {
    cx.progress(format!("runs {}", file.name));
    let limit = cx.time_left();
    let result = tried(cx, file, &context(cx, limit).await).await;
    record(cx, &file.name, result)
}

/// Runs one file. What it tells to keep secret is hidden before anything of it is told.
pub(crate) async fn tried(cx: &Context, file: &OverlayFile, context: &overlay::Context) -> OverlayResult {
    let result = overlay::run(file, context).await;
    for value in overlay::told_secrets(&context.work_dir) {
        if let Err(failure) = cx.hide(&value) {
            cx.note(format!("a secret of {} cannot be kept for a later look: {}", file.name, failure.what));
        }
    }
    result
}

/// Records how a file ended.
pub(super) fn record(cx: &mut Context, name: &str, result: OverlayResult) -> Step {
    let files = kept(cx, &result);
    match result.outcome {
        OverlayOutcome::Passed => {
            cx.record(name, Origin::Overlay, Outcome::Passed, result.text, None, result.took);
            Ok(())
        }
        OverlayOutcome::Failed => {
            let failure = Failure::new(
                Kind::CheckFailed,
                format!("{name}: {}", result.text),
                "what the test saw: the request and the answer, its output, or the browser's picture",
            );
            cx.fail(name, Origin::Overlay, failure.with_files(files).with_detail(result.detail), result.took);
            Err(Stopped)
        }
        OverlayOutcome::Broken => {
            let failure = Failure::new(
                Kind::CheckBroken,
                format!("{name} cannot run: {}", result.text),
                "the file in cc-ci's folder for this recipe",
            );
            cx.fail(name, Origin::Overlay, failure.with_files(files).with_detail(result.detail), result.took);
            Err(Stopped)
        }
    }
}

/// The files that a test kept, by their path below the run's folder. A page may hold what no report
/// shows, so pages are cleaned as events are.
pub(super) fn kept(cx: &Context, result: &OverlayResult) -> Vec<String> {
    let folder = cx.dir.artifacts();
    for name in result.files.iter().filter(|name| !name.ends_with(".png")) {
        let path = folder.join(name);
        let cleaned = std::fs::read_to_string(&path).and_then(|text| std::fs::write(&path, cx.emitter.clean(&text)));
        if let Err(error) = cleaned {
            cx.note(format!("{} could not be cleaned of secrets and is removed: {error}", path.display()));
            let _ = std::fs::remove_file(&path);
        }
    }
    result.files.iter().map(|name| format!("{}/{name}", RunDir::ARTIFACTS)).collect()
}

/// What a file is given: the run's values under the names of the docs.
pub(crate) async fn context(cx: &Context, limit: Duration) -> overlay::Context {
    let labels = cx.swarm.service_labels(&cx.spec.stack, "app").await.unwrap_or_default();
    let version = labels.get(&harness::coopcloud::labels::version(&cx.spec.stack)).cloned().unwrap_or_default();
    let mut variables = Variables::default();
    for variable in VARIABLES {
        variables.set(variable.name, (variable.value)(cx, &version));
    }
    for (variable, logins) in LOGINS.iter().flat_map(|variable| Some((variable, cx.logins.as_ref()?))) {
        let value = (variable.value)(&logins.sso);
        if variable.secret { variables.set_secret(variable.name, value) } else { variables.set(variable.name, value) }
    }
    overlay::Context {
        variables,
        work_dir: cx.work.clone(),
        deadline: limit,
        ca_pem_file: cx.ca.clone(),
        resolve: [cx.resolve.clone(), cx.resolve_beside.clone()].concat(),
        recipe_tests: cx.recipe_tests.clone(),
    }
}
