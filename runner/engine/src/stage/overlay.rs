//! The checks that the recipe's folder brings.

use std::collections::BTreeMap;
use std::time::Duration;

use base::exchange::mask;
use base::failure::{Failure, Kind};
use overlay::{self, OverlayFile, OverlayOutcome, OverlayResult, Variables};

use super::no_answer::blamed;
use crate::context::{StageRun, Step, Stopped};
use crate::variables::{Deployed, LOGINS, VARIABLES};
use journal::event::{CheckTrace, Origin, Outcome};
use journal::run_dir::RunDir;

/// The most lines of a green test's output that are kept, and the most bytes of them.
const OUTPUT_LINES: usize = 20;
const OUTPUT_BYTES: usize = 4 * 1024;

/// Runs every file of a folder; all of them, also when one is red.
pub(super) async fn run_all(cx: &mut StageRun, folder: &str) -> Step {
    let files = cx.app.overlays.checks.get(folder).cloned().unwrap_or_default();
    let mut red = false;
    for file in &files {
        red |= run_one(cx, file).await.is_err();
    }
    if red { Err(Stopped) } else { Ok(()) }
}

/// Tells of the tests that this form of the recipe cannot have.
pub(super) fn tell_blocked(cx: &mut StageRun) {
    let blocked = cx.app.overlays.blocked.clone();
    for (name, why) in &blocked {
        cx.record(name, Origin::Overlay, Outcome::Blocked, why.clone(), None, Duration::ZERO);
    }
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, why) in blocked {
        by_reason.entry(why).or_default().push(name);
    }
    let reasons: Vec<String> = by_reason.iter().map(|(why, names)| format!("{} ({why})", names.join(", "))).collect();
    cx.not_shown = (!reasons.is_empty()).then(|| format!("not shown: {}", reasons.join("; ")));
}

/// Runs one file and records it as a check.
pub(super) async fn run_one(cx: &mut StageRun, file: &OverlayFile) -> Step {
    cx.progress(format!("runs {}", file.name));
    let limit = cx.time_left();
    let result = tried(cx, file, &context(cx, limit).await).await;
    record(cx, &file.name, result).await
}

/// Runs one file. What it tells to keep secret is hidden before anything of it is told.
pub(crate) async fn tried(cx: &StageRun, file: &OverlayFile, context: &overlay::Context) -> OverlayResult {
    let result = overlay::run(file, context).await;
    for value in overlay::told_secrets(&context.work_dir) {
        if let Err(failure) = cx.hide(&value) {
            cx.note(format!("a secret of {} cannot be kept for a later look: {}", file.name, failure.what));
        }
    }
    result
}

/// Records how a file ended.
pub(super) async fn record(cx: &mut StageRun, name: &str, result: OverlayResult) -> Step {
    let (files, shown) = (kept(cx, &result), shown(cx, &result));
    match result.outcome {
        OverlayOutcome::Passed => {
            let shown = CheckTrace { files, ..shown };
            cx.record_shown(name, Origin::Overlay, Outcome::Passed, result.text, None, result.took, shown);
            Ok(())
        }
        OverlayOutcome::Failed => {
            let failure = Failure::new(
                Kind::CheckFailed,
                format!("{name}: {}", result.text),
                "what the test saw: the request and the answer, its output, or the browser's picture",
            );
            let failure = blamed(cx, failure.with_files(files).with_detail(result.detail)).await;
            cx.fail_shown(name, Origin::Overlay, failure, result.took, shown);
            Err(Stopped)
        }
        OverlayOutcome::Broken => {
            let failure = Failure::new(
                Kind::CheckBroken,
                format!("{name} cannot run: {}", result.text),
                "the file in cc-ci's folder for this recipe",
            );
            let failure = failure.with_files(files).with_detail(result.detail);
            cx.fail_shown(name, Origin::Overlay, failure, result.took, shown);
            Err(Stopped)
        }
    }
}

/// What a test did. What a red one printed is its failure's detail.
pub(super) fn shown(cx: &StageRun, result: &OverlayResult) -> CheckTrace {
    let output = match result.outcome {
        OverlayOutcome::Passed => last_lines(&mask(&cx.run.emitter.clean(&result.detail)), &result.text),
        OverlayOutcome::Failed | OverlayOutcome::Broken => String::new(),
    };
    CheckTrace { output, ..cx.shown((*result.exchanges).clone()) }
}

/// The last lines of a clean output, unless they say no more than what the check says anyway.
fn last_lines(output: &str, text: &str) -> String {
    let lines: Vec<&str> = output.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let (mut first, mut bytes) = (lines.len(), 0);
    while first > 0 && lines.len() - first < OUTPUT_LINES {
        bytes += lines[first - 1].len() + 1;
        if bytes > OUTPUT_BYTES {
            break;
        }
        first -= 1;
    }
    match &lines[first..] {
        [] => String::new(),
        [only] if *only == text => String::new(),
        kept if first == 0 => kept.join("\n"),
        kept => format!("[{first} earlier lines]\n{}", kept.join("\n")),
    }
}

/// The files that a test kept, by their path below the run's folder. A page may hold what no report
/// shows, so pages are cleaned as events are.
pub(super) fn kept(cx: &StageRun, result: &OverlayResult) -> Vec<String> {
    let folder = cx.app.dir.artifacts();
    for name in result.files.iter().filter(|name| !name.ends_with(".png")) {
        let path = folder.join(name);
        let cleaned =
            std::fs::read_to_string(&path).and_then(|text| std::fs::write(&path, cx.run.emitter.clean(&text)));
        if let Err(error) = cleaned {
            cx.note(format!("{} could not be cleaned of secrets and is removed: {error}", path.display()));
            let _ = std::fs::remove_file(&path);
        }
    }
    result.files.iter().map(|name| format!("{}/{name}", RunDir::ARTIFACTS)).collect()
}

/// `CCCI_SH`, and what it reads itself.
fn leave_library(cx: &StageRun) -> std::io::Result<()> {
    let path = cx.app.dir.shell();
    if !path.exists() {
        std::fs::write(path.with_file_name("mailbox.js"), harness::shell::MAILBOX)?;
        std::fs::write(path, harness::shell::LIBRARY)?;
    }
    Ok(())
}

/// What a file is given: the run's values under the names of the docs.
pub(crate) async fn context(cx: &StageRun, limit: Duration) -> overlay::Context {
    if let Err(error) = leave_library(cx) {
        cx.note(format!(
            "{} cannot be written, and scripts that read it are red: {error}",
            cx.app.dir.shell().display()
        ));
    }
    let deployed = Deployed::of(cx).await;
    let mut variables = Variables::default();
    for variable in VARIABLES {
        variables.set(variable.name, (variable.value)(cx, &deployed));
    }
    for (variable, logins) in LOGINS.iter().flat_map(|variable| Some((variable, cx.holdings.logins.as_ref()?))) {
        let value = (variable.value)(&logins.sso);
        if variable.secret { variables.set_secret(variable.name, value) } else { variables.set(variable.name, value) }
    }
    overlay::Context {
        variables,
        work_dir: cx.run.work.clone(),
        deadline: limit,
        ca_pem_file: cx.run.ca.clone(),
        resolve: [cx.app.resolve.clone(), cx.app.resolve_beside.clone()].concat(),
        recipe_tests: cx.run.recipe_tests.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_an_output_are_kept_and_the_others_counted() {
        let many: String = (1..=50).map(|n| format!("line {n}\n")).collect();
        let kept = last_lines(&many, "line 50");
        assert!(kept.starts_with("[30 earlier lines]\nline 31\n") && kept.ends_with("line 50"), "{kept}");
        let long = "x".repeat(OUTPUT_BYTES - 10);
        assert_eq!(last_lines(&format!("{long}\n{long}\n"), ""), format!("[1 earlier lines]\n{long}"));
        assert_eq!(last_lines("one\n\ntwo\n", ""), "one\ntwo");
        assert_eq!(last_lines("all is well\n", "all is well"), "");
        assert_eq!(last_lines("", "x"), "");
    }
}
