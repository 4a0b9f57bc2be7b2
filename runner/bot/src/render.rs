//! The bot's answer: one comment in markdown, and the commit's status. Pure.
//!
//! Constant texts and names of checked types are inserted into the markdown as they are; everything else goes through
//! [`escape`](journal::markdown).

mod live;
mod red;
mod verdict;
mod without_verdict;

use std::fmt::Write as _;

use forge::api::{ANSWER_MARKER, PullEnd, Status, StatusState};
use forge::grammar::{Command, TestMe};
use url::Url;

use super::builds::AtDrone;
use super::job::{End, Job, Phase, Stopped};
use journal::event::VerdictKind;
use journal::fold::RunView;
use journal::markdown::span;
use journal::on_main::OnMain;
use journal::text::{cut, one_line, seconds};
use journal::tone::Tone;

/// Identifies the answer among a pull request's comments.
pub const MARKER: &str = ANSWER_MARKER;
/// Maximum length of an answer.
pub const BYTES: usize = 60_000;
/// Number of newest results of other commands to show.
const WORDS: usize = 6;

/// The content of an answer.
#[derive(Debug, Clone, Copy)]
pub struct CommentPage<'a> {
    /// The run that it is about, if one was requested.
    pub main: Option<ShownRun<'a>>,
    /// Runs that wait for that one.
    pub next: &'a [&'a Job],
    /// The commands on the pull request, in order.
    pub words: &'a [&'a Job],
    /// Base URL of the reports.
    pub public_url: Option<&'a Url>,
    /// Whether cc-ci is shutting down.
    pub stopping: bool,
}

/// The run that an answer is about.
#[derive(Debug, Clone, Copy)]
pub struct ShownRun<'a> {
    pub job: &'a Job,
    /// The run's records so far.
    pub view: Option<&'a RunView>,
    /// The status of its build, while that is in progress.
    pub build: Option<&'a AtDrone>,
    /// How many runs cc-ci starts before this one.
    pub before: usize,
    /// The usual duration of such a run in milliseconds, if known.
    pub expected_ms: Option<u64>,
    /// Failures that the default branch has too, if the run is red and the history knows.
    pub on_main: Option<&'a OnMain>,
}

/// Limits on shown text from outside; smaller if the answer would be too long.
#[derive(Debug, Clone, Copy)]
struct Detail {
    /// Failures, opt-outs and the like, of each kind.
    items: usize,
    /// Lines of a log.
    lines: usize,
    /// Columns of a line.
    columns: usize,
}

const DETAILS: [Detail; 4] = [
    Detail { items: 30, lines: 30, columns: 300 },
    Detail { items: 15, lines: 15, columns: 200 },
    Detail { items: 8, lines: 5, columns: 120 },
    Detail { items: 3, lines: 0, columns: 80 },
];

/// The comment's text, of at most [`BYTES`].
pub fn render(page: &CommentPage<'_>) -> String {
    let mut text = String::new();
    for detail in DETAILS {
        text = at(page, detail);
        if text.len() <= BYTES {
            break;
        }
    }
    text
}

fn at(page: &CommentPage<'_>, detail: Detail) -> String {
    let mut text = format!("{MARKER}\n");
    match page.main {
        None => text.push_str("### cc-ci\n\nNo run was started yet: `!testme` starts one.\n"),
        Some(shown) => main(&mut text, page, shown, detail),
    }
    for job in page.next.iter().take(detail.items) {
        let _ = writeln!(text, "\nThen: {} of commit `{}`, requested by {}.", asked(job), job.head, name(job));
    }
    words(&mut text, page.words, detail);
    text
}

fn main(text: &mut String, page: &CommentPage<'_>, shown: ShownRun<'_>, detail: Detail) {
    let job = shown.job;
    let _ = writeln!(text, "### {}\n", heading(shown));
    match (&job.phase, shown.view) {
        (Phase::New | Phase::Queued, _) => live::queued(text, shown),
        (Phase::Running { .. }, None) => live::begins(text, shown),
        (Phase::Running { .. }, Some(view)) => live::running(text, view, detail),
        (Phase::Ended(End::Ran { .. }), view) if let Some(end) = without_verdict::of(shown) => {
            without_verdict::ended(text, job, end, view, detail);
        }
        (Phase::Ended(End::Ran { .. }), Some(view)) => {
            verdict::ended(text, job, view, detail);
            if let Some(on_main) = shown.on_main {
                compared(text, on_main, page.public_url, detail);
            }
        }
        (Phase::Ended(End::Ran { run }), None) => {
            let _ = writeln!(text, "The journal of run `{run}` is no longer readable.");
        }
        (Phase::Ended(End::Stopped), _) => text.push_str("It was stopped before it began.\n"),
        (Phase::Ended(End::NoRun { what, look_at }), _) => {
            let _ = writeln!(text, "{}", span(what, 2 * detail.columns));
            if !look_at.is_empty() {
                let _ = writeln!(text, "\n**Look at:** {}", span(look_at, 2 * detail.columns));
            }
        }
        (Phase::Ended(End::Done), _) => {}
    }
    if job.is_active() {
        if job.restarts > 0 {
            text.push_str("\nIt began again after a restart of cc-ci.\n");
        }
        match shown.build {
            Some(AtDrone::Away(why)) => {
                let why = span(why, 2 * detail.columns);
                let _ = writeln!(text, "\ncc-ci cannot query Drone and retries: {why}");
            }
            Some(AtDrone::EndsSoon { left, limit }) => {
                let _ = writeln!(
                    text,
                    "\n**Drone kills this build in about {left} min:** the repository's time limit there is {limit} min. \
                     An administrator of Drone can raise it (Settings, Timeout)."
                );
            }
            _ => {}
        }
        if page.stopping && job.build.is_some() {
            text.push_str(
                "\ncc-ci is shutting down; the build continues, and its result is posted when cc-ci is back.\n",
            );
        } else if page.stopping {
            text.push_str("\ncc-ci is shutting down; this run begins again when it is back.\n");
        } else if let Some(stopped) = job.stopped() {
            let what = match stopped {
                Stopped::By(by) => format!("`{by}` stopped it"),
                Stopped::PullEnded(end) => format!("The pull request was {end}, which ends it"),
            };
            let _ = writeln!(text, "\n{what}; everything is torn down first.");
        }
        if let Some(hold) = job.hold_s {
            let time = seconds(hold.saturating_mul(1_000));
            let _ = writeln!(text, "\nIts app stays for {time} when it has ended.");
        }
    } else if job.restarts > 0 {
        text.push_str("\nIt had begun again after a restart of cc-ci.\n");
    }
    if !job.is_active() && job.pull_ended == Some(PullEnd::Closed) {
        text.push_str("\nThe pull request was closed. After it is reopened, a new `!testme` tests it.\n");
    }
    facts(text, page, shown, detail);
}

/// Failures that the default branch has too.
fn compared(text: &mut String, on_main: &OnMain, public_url: Option<&Url>, detail: Detail) {
    let report = public_url.and_then(|url| report(url, on_main.run.as_str()));
    let report = report.map_or_else(String::new, |url| format!(" ([report](<{url}>))"));
    let _ = writeln!(text, "\n**On main**, by run `{}` of {}{report}:\n", on_main.run, on_main.place());
    for (names, word) in [(&on_main.red, "red on main too"), (&on_main.green, "green on main")] {
        let shown: Vec<String> = names.iter().take(detail.items).map(|name| span(name, 120)).collect();
        let more = names.len().saturating_sub(detail.items);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        if !shown.is_empty() {
            let _ = writeln!(text, "- {word}: {}{more}", shown.join(", "));
        }
    }
}

/// The request, its author, and the tested revision.
fn facts(text: &mut String, page: &CommentPage<'_>, shown: ShownRun<'_>, detail: Detail) {
    let job = shown.job;
    let _ = writeln!(text, "\n**Requested:**\n\n- {} of `{}`, by {}", asked(job), job.pull.repo.name, name(job));
    let _ = writeln!(text, "- commit `{}`", job.head);
    if let Some(only) = job.only.as_ref().filter(|only| !only.is_empty()) {
        let _ = writeln!(text, "- in part: {}", span(&only.join(", "), detail.columns));
    }
    build(text, job, page.public_url);
    let Some(view) = shown.view else { return };
    let to =
        view.started.head_version.as_deref().map_or("the head, which names no version".to_owned(), |to| span(to, 60));
    let _ = match &view.started.base {
        Some(base) => writeln!(text, "- versions: {} → {to}", span(base, 60)),
        None if !view.started.only.is_empty() => writeln!(text, "- version: {to}"),
        None => writeln!(text, "- version: {to}, the first release"),
    };
    for other in view.started.dependencies.iter().take(detail.items) {
        let _ = writeln!(text, "- with `{}` {}", other.recipe, span(&other.release, 60));
    }
    let run = &view.started.run;
    let word = if job.is_active() { "live report" } else { "report" };
    let report = page.public_url.and_then(|url| report(url, run.as_str()));
    let report = report.map_or_else(String::new, |url| format!(": [{word}](<{url}>)"));
    let _ = writeln!(text, "- run `{run}`{report}");
}

/// The run's build.
fn build(text: &mut String, job: &Job, public_url: Option<&Url>) {
    let Some(build) = &job.build else { return };
    if let (Some(name), Some(link)) = (&build.name, &build.link) {
        let _ = writeln!(text, "- build [{name}](<{link}>)");
    }
    for earlier in &build.earlier {
        let of = match (&earlier.name, &earlier.link) {
            (Some(name), Some(link)) => format!("build [{name}](<{link}>), "),
            _ => String::new(),
        };
        let url = public_url.and_then(|url| report(url, earlier.run.as_str()));
        let report = url.map_or_else(String::new, |url| format!(": [report](<{url}>)"));
        let _ = writeln!(text, "- restarted in Drone; before it: {of}run `{}`{report}", earlier.run);
    }
}

fn report(url: &Url, run: &str) -> Option<Url> {
    let mut url = url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["runs", run]);
    Some(url)
}

fn heading(shown: ShownRun<'_>) -> String {
    match (&shown.job.phase, shown.view) {
        (Phase::New | Phase::Queued, _) => "… queued".to_owned(),
        (Phase::Running { .. }, view) => match view.and_then(RunView::running) {
            Some(stage) => format!("▸ under way: {}", stage.stage),
            None => "▸ under way".to_owned(),
        },
        (Phase::Ended(End::Ran { .. }), _) if let Some(end) = without_verdict::of(shown) => {
            without_verdict::heading(shown.job, end)
        }
        (Phase::Ended(End::Ran { .. }), Some(view)) => verdict::heading(view, shown.job.stopped()),
        (Phase::Ended(End::Stopped), _) => format!("× stopped{}", shown.job.stopped().map_or_else(String::new, why)),
        (Phase::Ended(_), _) => "! no run".to_owned(),
    }
}

/// Why a run was stopped, as the end of a sentence.
fn why(stopped: Stopped<'_>) -> String {
    match stopped {
        Stopped::By(by) => format!(" by `{by}`"),
        Stopped::PullEnded(end) => format!(": the pull request was {end}"),
    }
}

/// The command as text.
fn asked(job: &Job) -> String {
    let command = job.testme().map(|testme| Command::TestMe(testme.clone()).to_string());
    span(&command.unwrap_or_default(), 400)
}

/// A name in code notifies no user.
fn name(job: &Job) -> String {
    span(job.member.as_str(), 100)
}

/// The results of the newest commands.
fn words(text: &mut String, words: &[&Job], detail: Detail) {
    let told: Vec<&&Job> = words.iter().filter(|job| !job.remarks.is_empty()).collect();
    let shown = &told[told.len().saturating_sub(WORDS.min(detail.items))..];
    if shown.is_empty() {
        return;
    }
    text.push_str("\n---\n\n");
    for job in shown {
        for remark in &job.remarks {
            let _ = writeln!(text, "- {}: {remark}", name(job));
        }
    }
}

/// The name of the status of a whole run. A run of a part has another name, so that it does not satisfy a rule which
/// requires this one.
const WHOLE: &str = "cc-ci";
const PART: &str = "cc-ci (in part)";

/// The status for the run's commit, if there is anything to say.
pub fn status(shown: ShownRun<'_>, public_url: Option<&Url>) -> Option<Status> {
    let job = shown.job;
    let in_part = match job.testme()? {
        TestMe::Failed => job.only.as_ref().is_none_or(|only| !only.is_empty()),
        TestMe::Run { only, .. } => only.is_some(),
    };
    let (state, line) = match (&job.phase, shown.view) {
        (Phase::New | Phase::Queued, _) => (StatusState::Pending, live::place(shown)),
        (Phase::Running { .. }, view) => (StatusState::Pending, view.map_or_else(|| live::first(shown), live::line)),
        (Phase::Ended(End::Ran { .. }), _) if let Some(end) = without_verdict::of(shown) => {
            (without_verdict::state(end), without_verdict::line(job, end))
        }
        (Phase::Ended(End::Ran { .. }), Some(view)) => (state_of(view), view.line()),
        (Phase::Ended(End::Ran { .. }), None) => (StatusState::Error, "its journal is no longer readable".to_owned()),
        (Phase::Ended(End::Stopped), _) => (StatusState::Error, "stopped before it began".to_owned()),
        (Phase::Ended(End::NoRun { what, .. }), _) => (StatusState::Error, what.clone()),
        (Phase::Ended(End::Done), _) => return None,
    };
    let target = match (&job.phase, public_url) {
        (Phase::Running { run } | Phase::Ended(End::Ran { run }), Some(url)) => report(url, run.as_str()),
        (Phase::Running { .. } | Phase::Ended(End::Ran { .. } | End::NoRun { .. }), _) => {
            job.build.as_ref().and_then(|build| build.link.clone())
        }
        _ => None,
    };
    let context = if in_part { PART } else { WHOLE }.to_owned();
    Some(Status { state, context, description: cut(&one_line(&line, 140), 140), target })
}

/// Red says something about the change; other results that are not green are inconclusive.
fn state_of(view: &RunView) -> StatusState {
    match (view.tone(), view.verdict.as_ref().map(|verdict| verdict.word)) {
        (Tone::Passed, Some(VerdictKind::Passed)) => StatusState::Success,
        (Tone::Failed, Some(VerdictKind::Failed(cause))) if cause != base::failure::Cause::Infrastructure => {
            StatusState::Failure
        }
        _ => StatusState::Error,
    }
}

#[cfg(test)]
mod tests;
