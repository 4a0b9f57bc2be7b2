//! A build whose run has no verdict here: Drone's status is the result.

use std::fmt::Write as _;

use base::failure::Cause;
use forge::api::StatusState;
use forge::drone::BuildEnd;

use super::{Detail, ShownRun, verdict, why};
use crate::job::Job;
use journal::exit::Exit;
use journal::fold::RunView;
use journal::markdown::{fenced, span};
use journal::text::Bounds;

/// The build's end, if its run has no verdict.
pub(super) fn of<'a>(shown: ShownRun<'a>) -> Option<&'a BuildEnd> {
    let end = shown.job.build.as_ref()?.end.as_ref()?;
    shown.view.is_none_or(|view| view.verdict.is_none()).then_some(end)
}

/// Who ended it, if known.
fn stopper(job: &Job, end: &BuildEnd) -> Option<String> {
    match (job.stopped(), end) {
        (Some(stopped), BuildEnd::Exited { .. }) if exit(end) == Some(Exit::Cancelled) => {
            Some(format!("cancelled{}", why(stopped)))
        }
        (_, BuildEnd::Exited { .. } | BuildEnd::Error { .. } | BuildEnd::TimeLimit { .. }) => None,
        (Some(stopped), _) => Some(format!("cancelled{}", why(stopped))),
        (None, BuildEnd::Cancelled) => Some("stopped in Drone".to_owned()),
        (None, _) => None,
    }
}

pub(super) fn heading(job: &Job, end: &BuildEnd) -> String {
    if let Some(how) = stopper(job, end) {
        return format!("× {how}");
    }
    match end {
        BuildEnd::Exited { .. } => match exit(end) {
            Some(exit) => format!("{} {}, by the exit code of its step", symbol(exit), words(exit)),
            None => "? no verdict: its step ended with a code that is not cc-ci's".to_owned(),
        },
        BuildEnd::TimeLimit { minutes } => format!("! no verdict: Drone's time limit of {minutes} min"),
        BuildEnd::Killed => "! no verdict: its step was killed".to_owned(),
        BuildEnd::FoundDead => "! no verdict: its run was found dead".to_owned(),
        BuildEnd::Error { .. } => "! no verdict: its build broke in Drone".to_owned(),
        BuildEnd::Cancelled | BuildEnd::Forgotten => "? no verdict: Drone no longer has the build".to_owned(),
    }
}

pub(super) fn ended(text: &mut String, job: &Job, end: &BuildEnd, view: Option<&RunView>, detail: Detail) {
    let (what, look_at) = told(job, end);
    let _ = writeln!(text, "{}", span(&what, 2 * detail.columns));
    if !look_at.is_empty() {
        let _ = writeln!(text, "\n**Look at:** {look_at}");
    }
    if let Some(view) = view {
        text.push_str("\nProgress:\n\n");
        verdict::stages(text, view);
    }
    let log = job.build.as_ref().map(|build| build.log.join("\n")).unwrap_or_default();
    if !log.is_empty() && detail.lines > 0 {
        let bounds = Bounds { lines: detail.lines, columns: detail.columns };
        let _ = writeln!(
            text,
            "\n<details><summary>The last lines of its log in Drone</summary>\n\n{}\n\n</details>",
            fenced(&log, bounds)
        );
    }
}

/// One line for the commit's status.
pub(super) fn line(job: &Job, end: &BuildEnd) -> String {
    told(job, end).0
}

pub(super) fn state(end: &BuildEnd) -> StatusState {
    match exit(end) {
        Some(Exit::Passed) => StatusState::Success,
        Some(Exit::Recipe | Exit::Test | Exit::BaseRelease | Exit::Dependency) => StatusState::Failure,
        _ => StatusState::Error,
    }
}

/// What happened, and what to look at.
fn told(job: &Job, end: &BuildEnd) -> (String, &'static str) {
    let own = |text: &str| text.to_owned();
    // This line is shown as code.
    let plain = |stopped| why(stopped).replace('`', "");
    if let (Some(stopped), Some(Exit::Cancelled)) = (job.stopped(), exit(end)) {
        return (format!("cancelled{}", plain(stopped)), "");
    }
    match (job.stopped(), end) {
        (_, BuildEnd::Exited { code }) => {
            let what =
                exit(end).map_or("none of cc-ci's".to_owned(), |exit| format!("cc-ci's for \"{}\"", words(exit)));
            let what = format!("the step's exit code {code} is {what}; its journal did not arrive here whole");
            (what, "the log of the build; whether the runner reaches `cc-ci serve` (report_to of the pipeline)")
        }
        (_, BuildEnd::TimeLimit { minutes }) => (
            format!("Drone killed the build after {minutes} min, its repository's time limit"),
            "Settings, Timeout of cc-ci's repository in Drone; a run may wait up to two hours for its slot",
        ),
        (_, BuildEnd::Error { why }) => (format!("Drone could not go on: {why}"), "the page of the build"),
        (Some(stopped), _) => {
            (format!("cancelled{}; the janitor of its machine removes what it had deployed", plain(stopped)), "")
        }
        (None, BuildEnd::Cancelled) => {
            let what = "stopped in Drone, which does not record by whom; the janitor of its machine removes what it had deployed";
            (own(what), "")
        }
        (None, BuildEnd::Killed) => (
            own("the step was killed, and not by Drone; the janitor of its machine removes what it left"),
            "the log of Drone's runner, and the kernel's log of its machine",
        ),
        (None, BuildEnd::FoundDead) => (
            own("the run died with its runner or its machine, and the janitor removed what it left"),
            "whether the runner and its machine are up; `!testme` runs it again",
        ),
        (None, BuildEnd::Forgotten) => (own("Drone no longer has the build"), "`!testme` runs it again"),
    }
}

fn exit(end: &BuildEnd) -> Option<Exit> {
    match end {
        BuildEnd::Exited { code } => Exit::ALL.iter().copied().find(|exit| i32::from(exit.code()) == *code),
        _ => None,
    }
}

fn symbol(exit: Exit) -> &'static str {
    match exit {
        Exit::Passed => "✓",
        Exit::Cancelled => "×",
        Exit::Recipe | Exit::Test | Exit::BaseRelease | Exit::Dependency => "✗",
        Exit::Usage | Exit::Infrastructure | Exit::NoSlot | Exit::Bug => "!",
    }
}

/// The meaning of an exit code.
fn words(exit: Exit) -> String {
    let cause = match exit {
        Exit::Recipe => Cause::Recipe,
        Exit::Test => Cause::Test,
        Exit::BaseRelease => Cause::BaseRelease,
        Exit::Dependency => Cause::Dependency,
        Exit::Infrastructure => Cause::Infrastructure,
        Exit::Passed | Exit::Usage | Exit::NoSlot | Exit::Bug | Exit::Cancelled => {
            return exit.name().replace('-', " ");
        }
    };
    format!("failed by {}", cause.words())
}
