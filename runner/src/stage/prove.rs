//! Whether the recipe's tests can be red: each is run against impostors, and the data check against the
//! wiped app. One that stays green is hollow: it would be green whatever the app did.

use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use harness::failure::{Failure, Kind};
use harness::overlay::{self, OverlayFile, OverlayOutcome, OverlayResult};

use super::{data, overlay as checks};
use crate::context::{Context, Step, Stopped};
use crate::deploy::disk;
use crate::event::{Origin, Outcome};
use crate::impostor::{self, Impostor};

/// How long one test may take against an impostor: one that waits in vain for the app is red.
const LIMIT: Duration = Duration::from_secs(60);
/// Tests that run at once.
const AT_ONCE: usize = 4;
/// An abra that always succeeds, since a test may ask the app through it.
const YES: &str = "#!/bin/sh\n[ -t 0 ] || cat >/dev/null\necho ok\n";

pub(super) async fn run(cx: &mut Context) -> Step {
    let functional = ["functional", "browser"].into_iter().filter_map(|folder| cx.overlays.checks.get(folder));
    let mut files: Vec<OverlayFile> = functional.flatten().cloned().collect();
    files.extend(cx.overlays.data.as_ref().map(|data| data.check.clone()));
    // The data is there, so that the check has what it looks for: only then red means something.
    data::seed(cx).await?;
    data::check(cx, "prove").await?;
    let mut red = false;
    for kind in impostor::Kind::ALL {
        red |= against(cx, kind, &files).await?;
    }
    data::wipe(cx).await?;
    if red { Err(Stopped) } else { Ok(()) }
}

/// Runs every test against one impostor; whether one of them is hollow.
async fn against(cx: &mut Context, kind: impostor::Kind, files: &[OverlayFile]) -> Step<bool> {
    cx.progress(format!("runs {} tests against {}", files.len(), kind.words()));
    let scratch = match scratch(cx, kind).await {
        Ok(scratch) => scratch,
        Err(failure) => {
            cx.fail("prove.impostor", Origin::Generic, failure, Duration::ZERO);
            return Err(Stopped);
        }
    };
    let runs = files.iter().enumerate().map(|(number, file)| {
        let context = copied(&scratch.context, cx, number);
        async move {
            let result = match context {
                Ok(context) => Ok(overlay::run(file, &context).await),
                Err(failure) => Err(failure),
            };
            (file, result)
        }
    });
    let results: Vec<_> = stream::iter(runs).buffered(AT_ONCE).collect().await;
    let mut hollow = false;
    for (file, result) in results {
        let name = format!("{} against {}", file.name, kind.words());
        match result {
            Ok(result) => hollow |= judge(cx, &file.name, &name, kind, result),
            Err(failure) => {
                cx.fail(&name, Origin::Overlay, failure, Duration::ZERO);
                hollow = true;
            }
        }
    }
    Ok(hollow)
}

struct Scratch {
    context: overlay::Context,
    /// Lives as long as the tests run against it.
    _impostor: Impostor,
}

/// The run's values, pointed at an impostor.
async fn scratch(cx: &Context, kind: impostor::Kind) -> Result<Scratch, Failure> {
    let impostor = Impostor::start(kind, &cx.spec.domain, cx.spec.recipe.as_str(), &cx.work).await?;
    let abra = cx.work.join("impostor-abra");
    executable(&abra, YES)?;
    let mut context = checks::context(cx, LIMIT.min(cx.time_left())).await;
    let (domain, port) = (&cx.spec.domain, impostor.port());
    let resolve = format!("{domain}:{port}:127.0.0.1");
    context.variables.set("CCCI_URL", format!("https://{domain}:{port}"));
    context.variables.set("CCCI_RESOLVE", resolve.clone());
    context.variables.set("CCCI_CA", impostor.ca().display().to_string());
    context.variables.set("CCCI_ABRA", abra.display().to_string());
    context.ca_pem_file = Some(impostor.ca().to_owned());
    context.resolve = vec![resolve];
    Ok(Scratch { context, _impostor: impostor })
}

/// A scratch folder for one test, with what earlier tests wrote down: it is to fail at the impostor, not
/// for want of a value.
fn copied(context: &overlay::Context, cx: &Context, number: usize) -> Result<overlay::Context, Failure> {
    let work = cx.dir.path().join("work").join(format!("prove-{number}"));
    std::fs::create_dir_all(&work).map_err(|error| disk("make", &work, &error))?;
    let entries = std::fs::read_dir(&cx.work).map_err(|error| disk("read", &cx.work, &error))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        let to = work.join(path.file_name().unwrap_or_default());
        std::fs::copy(&path, &to).map_err(|error| disk("write", &to, &error))?;
    }
    let mut context = context.clone();
    context.variables.set("CCCI_WORK", work.display().to_string());
    context.variables.set("CCCI_ARTIFACTS", work.display().to_string());
    context.work_dir = work;
    Ok(context)
}

fn executable(path: &Path, text: &str) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let written = std::fs::write(path, text)
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)));
    written.map_err(|error| disk("write", path, &error))
}

/// Records how a test did against an impostor; whether it is hollow.
fn judge(cx: &mut Context, file: &str, name: &str, kind: impostor::Kind, result: OverlayResult) -> bool {
    let failure = match result.outcome {
        OverlayOutcome::Failed => {
            let text = format!("red, as it should be: {}", result.text);
            cx.record(name, Origin::Overlay, Outcome::Passed, text, None, result.took);
            return false;
        }
        OverlayOutcome::Passed => Failure::new(
            Kind::Hollow,
            format!("{file} is hollow: it is green against {}", kind.words()),
            "assert something that only this app, doing its work, can answer",
        ),
        OverlayOutcome::Broken => Failure::new(
            Kind::CheckBroken,
            format!("{file} cannot be proven against {}: {}", kind.words(), result.text),
            "a value that the test needs and that no answer gives",
        ),
    };
    cx.fail(name, Origin::Overlay, failure.with_detail(result.detail), result.took);
    true
}
