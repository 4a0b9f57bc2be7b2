//! A run that has ended.

use std::fmt::Write as _;

use super::{Detail, red, why};
use crate::job::{Job, KeptJob, Stopped};
use crate::kept::has_kept;
use journal::event::{CheckResult, Outcome, Stage, VerdictKind};
use journal::fold::{RunView, StageView};
use journal::markdown::span;
use journal::text::{count, seconds};
use journal::tone::Tone;

pub(super) fn heading(view: &RunView, stopped: Option<Stopped<'_>>) -> String {
    let tone = view.tone();
    let by = match (&view.verdict, stopped) {
        (Some(verdict), Some(stopped)) if verdict.word == VerdictKind::Cancelled => why(stopped),
        (Some(verdict), _) => match verdict.word {
            VerdictKind::Failed(cause) => format!(" by {}", cause.words()),
            _ => String::new(),
        },
        (None, _) => String::new(),
    };
    let part = if view.started.only.is_empty() { "" } else { ", in part" };
    format!("{} {}{by}{part}", tone.symbol(), tone.word())
}

pub(super) fn ended(text: &mut String, job: &Job, view: &RunView, detail: Detail) {
    let _ = writeln!(text, "{}\n", span(&view.line(), 2 * detail.columns));
    stages(text, view);
    let _ = writeln!(text, "\n**Counted:** {}.", counted(view));
    if has_kept(view) {
        app(text, job, view, detail);
    }
    red::failures(text, view, detail);
    not_run(text, view, detail);
    left(text, view, detail);
}

/// The address of the kept app, or why it is gone.
fn app(text: &mut String, job: &Job, view: &RunView, detail: Detail) {
    let ended = job.pull_ended.map_or_else(String::new, |end| format!("The pull request was {end}"));
    let app = format!("<https://{}/>", view.started.domain);
    let _ = match &job.kept {
        None => writeln!(text, "\nThe app stays: {app}"),
        Some(KeptJob::Goes) => writeln!(text, "\n{ended}, so the kept app is being removed."),
        Some(KeptJob::Gone) => writeln!(text, "\n{ended}, so the kept app was removed."),
        Some(KeptJob::Stays { why }) => writeln!(
            text,
            "\n{ended}, and the app {app} could not be removed ({}). It goes when its time is over; `cc-ci reap --run \
             {}` retries it.",
            span(why, detail.columns),
            view.started.run
        ),
    };
}

/// The stages as a table.
pub(super) fn stages(text: &mut String, view: &RunView) {
    text.push_str("| stage | outcome | cause | checks | time |\n|---|---|---|---|---:|\n");
    for stage in &view.stages {
        let cause = stage.result().and_then(|result| result.fault.as_ref()).map_or("", |fault| fault.cause.words());
        let took = stage.took_ms.map_or_else(String::new, seconds);
        let (tone, checks) = (stage.tone(), checks(stage));
        let _ = writeln!(text, "| {} | {} {} | {cause} | {checks} | {took} |", stage.stage, tone.symbol(), tone.word());
    }
    let _ = writeln!(text, "| all | {} {} | | | {} |", view.tone().symbol(), view.tone().word(), seconds(view.took_ms));
}

/// Green checks out of those that ran.
fn checks(stage: &StageView) -> String {
    let ran = stage.checks.iter().filter(|check| check.outcome != Outcome::Skipped).count();
    let green = stage.checks.iter().filter(|check| check.outcome == Outcome::Passed).count();
    if ran == 0 { String::new() } else { format!("{green} of {ran}") }
}

/// Details that the word green does not convey.
fn counted(view: &RunView) -> String {
    let all = || view.stages.iter().flat_map(|stage| &stage.checks);
    let of = |outcome| all().filter(|check| check.outcome == outcome).count();
    let stages = |tone| view.stages.iter().filter(|stage| stage.tone() == tone).count();
    let mut parts = vec![
        format!("{} green", count(of(Outcome::Passed), "check")),
        format!("{} red", of(Outcome::Failed)),
        format!("{} blocked", of(Outcome::Blocked)),
        format!("{} skipped", of(Outcome::Skipped)),
        count(opt_outs(view).count(), "opt-out"),
        format!("{} skipped, {} blocked", count(stages(Tone::Skipped), "stage"), stages(Tone::Blocked)),
    ];
    if let Some(prove) = view.stage(Stage::Prove).filter(|stage| stage.outcome().is_some()) {
        let hollow = prove.checks.iter().filter(|check| is_hollow(check)).count();
        parts.push(format!("{hollow} hollow of {} against impostors", prove.checks.len()));
    }
    parts.join(", ")
}

fn is_hollow(check: &CheckResult) -> bool {
    check.fault.as_ref().is_some_and(|fault| fault.failure.kind == base::failure::Kind::Hollow)
}

fn opt_outs(view: &RunView) -> impl Iterator<Item = (Stage, &str, &str)> {
    let planned = view.stages.iter().flat_map(|stage| stage.planned.iter().map(|planned| (stage.stage, planned)));
    planned.flat_map(|(stage, planned)| {
        planned.opt_outs.iter().map(move |opt_out| (stage, opt_out.check.as_str(), opt_out.reason.as_str()))
    })
}

/// Opt-outs, and everything skipped or blocked, each with its reason.
fn not_run(text: &mut String, view: &RunView, detail: Detail) {
    let mut lines = Vec::new();
    for (stage, check, reason) in opt_outs(view) {
        lines.push(format!("{stage}: opted out of {}: {}", span(check, 80), span(reason, detail.columns)));
    }
    for stage in &view.stages {
        if let (Tone::Skipped | Tone::Blocked, Some(reason)) = (stage.tone(), stage.reason()) {
            lines.push(format!("{} {}: {}", stage.stage, stage.tone().word(), span(reason, detail.columns)));
        }
        let opted_out = |name: &str| opt_outs(view).any(|(_, check, _)| check == name);
        let unrun = |check: &&CheckResult| matches!(check.outcome, Outcome::Skipped) && !opted_out(&check.name);
        for check in stage.checks.iter().filter(unrun) {
            let (name, why) = (span(&check.name, 80), span(&check.text, detail.columns));
            lines.push(format!("{}: skipped {name}: {why}", stage.stage));
        }
        for note in &stage.notes {
            lines.push(format!("{}: note: {}", stage.stage, span(note, detail.columns)));
        }
    }
    list(text, "Not run, and noticed", &lines, detail);
}

fn left(text: &mut String, view: &RunView, detail: Detail) {
    let objects = view.left.iter().flatten();
    let lines: Vec<String> =
        objects.map(|object| format!("{} {}", span(&object.kind, 40), span(&object.name, detail.columns))).collect();
    list(text, "Left behind", &lines, detail);
}

fn list(text: &mut String, title: &str, lines: &[String], detail: Detail) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n**{title}:**\n");
    for line in lines.iter().take(detail.items) {
        let _ = writeln!(text, "- {line}");
    }
    if let Some(more) = lines.len().checked_sub(detail.items).filter(|more| *more > 0) {
        let _ = writeln!(text, "- and {more} more, in the report");
    }
}
