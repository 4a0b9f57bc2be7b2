//! Whether the recipe's tests can be red: each is run against impostors, and the data check against the
//! wiped app. One that stays green is hollow: it would be green whatever the app did.

use std::path::Path;
use std::time::Duration;

use base::failure::{Failure, Kind};
use futures_util::{StreamExt as _, stream};
use overlay::{self, OverlayFile, OverlayOutcome, OverlayResult};

use super::{data, overlay as checks};
use crate::context::{StageRun, Step, Stopped};
use fence::impostor::{self, Impostor};
use journal::event::{Origin, Outcome};

/// How long one test may take against an impostor: one that waits in vain for the app is red.
const LIMIT: Duration = Duration::from_secs(20);
/// Tests that run at once.
const AT_ONCE: usize = 4;
/// In place of abra and of `CCCI_EXEC`: it always succeeds, since a test may ask the app through them.
const YES: &str = "#!/bin/sh\necho asked >>\"$0.asked\"\n[ -t 0 ] || cat >/dev/null\necho ok\n";

pub(super) async fn run(cx: &mut StageRun) -> Step {
    let mut files = cx.app.overlays.proven.clone();
    files.extend(cx.app.overlays.data.as_ref().map(|data| data.check.clone()));
    // The data is there, so that the check has what it looks for: only then red means something.
    data::seed(cx).await?;
    data::check(cx, "prove").await?;
    let hollow = against_impostors(cx, &files).await?;
    data::wipe(cx).await?;
    if hollow { Err(Stopped) } else { Ok(()) }
}

/// Runs every test against every impostor; whether one of them is hollow.
async fn against_impostors(cx: &mut StageRun, files: &[OverlayFile]) -> Step<bool> {
    let kinds = impostor::Kind::ALL;
    cx.progress(format!("runs {} tests against {} impostors", files.len(), kinds.len()));
    let context = checks::context(cx, LIMIT.min(cx.time_left())).await;
    let results: Vec<_> = {
        let (cx, context) = (&*cx, &context);
        let pairs = files.iter().flat_map(|file| kinds.map(|kind| (file, kind)));
        let runs = pairs
            .enumerate()
            .map(|(number, (file, kind))| async move { (file, kind, one(cx, context, number, file, kind).await) });
        stream::iter(runs).buffered(AT_ONCE).collect().await
    };
    let mut hollow = false;
    for (file, kind, result) in results {
        let name = format!("{} against {}", file.name, kind.words());
        match result {
            Ok((result, asked)) => hollow |= judge(cx, &file.name, &name, kind, result, asked),
            Err(failure) => {
                cx.fail(&name, Origin::Overlay, failure, Duration::ZERO);
                hollow = true;
            }
        }
    }
    Ok(hollow)
}

/// Runs one test against an impostor of its own, in a scratch folder of its own with what earlier tests
/// wrote down: it is to fail at the impostor, not for want of a value. Tells whether it asked anything.
async fn one(
    cx: &StageRun,
    context: &overlay::Context,
    number: usize,
    file: &OverlayFile,
    kind: impostor::Kind,
) -> Result<(OverlayResult, bool), Failure> {
    let work = cx.app.dir.work().join(format!("prove-{number}"));
    std::fs::create_dir_all(&work).map_err(|error| Failure::disk("make", &work, &error))?;
    let entries = std::fs::read_dir(&cx.run.work).map_err(|error| Failure::disk("read", &cx.run.work, &error))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        let to = work.join(path.file_name().unwrap_or_default());
        std::fs::copy(&path, &to).map_err(|error| Failure::disk("write", &to, &error))?;
    }
    let impostor = Impostor::start(kind, &cx.app.spec.domain, cx.app.spec.recipe.as_str(), &work).await?;
    let yes = work.join("impostor-yes");
    executable(&yes, YES)?;
    let (domain, port) = (&cx.app.spec.domain, impostor.port());
    let resolve = format!("{domain}:{port}:127.0.0.1");
    // The apps beside it are the real ones: a test that only asks those proves nothing about this one.
    let ca = work.join("ca.pem");
    trust_both(impostor.ca(), cx.run.ca.as_deref(), &ca).map_err(|error| Failure::disk("write", &ca, &error))?;
    let mut context = context.clone();
    let ports = impostor.in_place_of(context.variables.get("CCCI_PORTS").unwrap_or_default());
    for (name, value) in [
        ("CCCI_PORTS", ports),
        ("CCCI_URL", format!("https://{domain}:{port}")),
        ("CCCI_RESOLVE", resolve.clone()),
        ("CCCI_CA", ca.display().to_string()),
        ("CCCI_EXEC", yes.display().to_string()),
        ("CCCI_ABRA", yes.display().to_string()),
        ("CCCI_WORK", work.display().to_string()),
        ("CCCI_ARTIFACTS", work.display().to_string()),
    ] {
        context.variables.set(name, value);
    }
    context.ca_pem_file = Some(ca);
    context.resolve = [vec![resolve], cx.app.resolve_beside.clone()].concat();
    context.work_dir.clone_from(&work);
    let result = checks::tried(cx, file, &context).await;
    Ok((result, impostor.asked() > 0 || work.join("impostor-yes.asked").exists()))
}

fn trust_both(impostor: &Path, world: Option<&Path>, both: &Path) -> std::io::Result<()> {
    let mut text = std::fs::read_to_string(impostor)?;
    if let Some(world) = world {
        text.push('\n');
        text.push_str(&std::fs::read_to_string(world)?);
    }
    std::fs::write(both, text)
}

fn executable(path: &Path, text: &str) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let written = std::fs::write(path, text)
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)));
    written.map_err(|error| Failure::disk("write", path, &error))
}

/// Records how a test did against an impostor; whether it is hollow.
fn judge(cx: &mut StageRun, file: &str, name: &str, kind: impostor::Kind, result: OverlayResult, asked: bool) -> bool {
    let shown = checks::shown(cx, &result);
    let failure = match result.outcome {
        OverlayOutcome::Failed if asked => {
            let text = format!("red, as it should be: {}", result.text);
            cx.record_shown(name, Origin::Overlay, Outcome::Passed, text, None, result.took, shown);
            return false;
        }
        OverlayOutcome::Passed => Failure::new(
            Kind::Hollow,
            format!("{file} is hollow: it is green against {}", kind.words()),
            "assert something that only this app, doing its work, can answer",
        ),
        // Red for another reason than what the impostor said shows nothing.
        OverlayOutcome::Failed => Failure::new(
            Kind::CheckBroken,
            format!("{file} cannot be proven against {}: it asked nothing and is red: {}", kind.words(), result.text),
            "a test asks CCCI_URL by CCCI_RESOLVE and CCCI_CA, CCCI_PORTS, or the app's containers by CCCI_EXEC",
        ),
        OverlayOutcome::Broken => Failure::new(
            Kind::CheckBroken,
            format!("{file} cannot be proven against {}: {}", kind.words(), result.text),
            "a value that the test needs and that no answer gives",
        ),
    };
    cx.fail_shown(name, Origin::Overlay, failure.with_detail(result.detail), result.took, shown);
    true
}
