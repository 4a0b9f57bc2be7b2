//! Red and blocked results: one line each, with evidence.

use std::fmt::Write as _;

use super::Detail;
use journal::event::{Fault, Outcome};
use journal::fold::{RunView, StageView};
use journal::markdown::{fenced, span};
use journal::text::Bounds;

/// Number of services whose logs are shown for each red stage.
const LOGS: usize = 3;

pub(super) fn failures(text: &mut String, view: &RunView, detail: Detail) {
    if view.verdict.is_none() {
        let look_at = view.look_at().unwrap_or_default();
        let _ = writeln!(text, "\n**Look at:** {}", span(look_at, detail.columns));
    }
    let mut shown = 0;
    for stage in &view.stages {
        let red = faults(stage);
        for (name, fault) in &red {
            shown += 1;
            if shown <= detail.items {
                one(text, stage, name.as_deref(), fault, detail);
            }
        }
        if !red.is_empty() && shown <= detail.items && stage.outcome() == Some(Outcome::Failed) {
            logs(text, stage, detail);
        }
    }
    if shown > detail.items {
        let _ = writeln!(text, "\nAnd {} more, in the report.", shown - detail.items);
    }
    // A verdict may have its own reason, which belongs to no stage.
    let decided = view.verdict.as_ref().and_then(|verdict| verdict.decided_by.as_ref());
    if let Some(decision) = decided.filter(|_| shown == 0) {
        let failure = &decision.fault.failure;
        let _ = writeln!(text, "\n**Look at:** {}", span(&failure.look_at, 2 * detail.columns));
    }
}

/// The red checks of a stage by name, and the stage's own fault if no check has it.
fn faults(stage: &StageView) -> Vec<(Option<String>, Fault)> {
    let checks = stage.checks.iter().filter_map(|check| Some((Some(check.name.clone()), check.fault.clone()?)));
    let mut found: Vec<(Option<String>, Fault)> = checks.collect();
    if let Some(own) = stage.result().and_then(|result| result.fault.clone())
        && !found.iter().any(|(_, fault)| *fault == own)
    {
        found.insert(0, (None, own));
    }
    found
}

fn one(text: &mut String, stage: &StageView, check: Option<&str>, fault: &Fault, detail: Detail) {
    let failure = &fault.failure;
    let check = check.map_or_else(String::new, |name| format!(" {}", span(name, 120)));
    let _ = writeln!(
        text,
        "\n**✗ {}{check}, by {}:** {}\n\n**Look at:** {}",
        stage.stage,
        fault.cause.words(),
        span(&failure.what, 2 * detail.columns),
        span(&failure.look_at, 2 * detail.columns)
    );
    if !failure.detail.is_empty() && detail.lines > 0 {
        folded(text, "What was seen", &fenced(&failure.detail, bounds(detail)));
    }
}

fn logs(text: &mut String, stage: &StageView, detail: Detail) {
    if stage.logs.is_empty() || detail.lines == 0 {
        return;
    }
    let mut blocks = String::new();
    for log in stage.logs.iter().rev().take(LOGS) {
        let _ = writeln!(blocks, "Service {}:\n\n{}\n", span(&log.service, 80), fenced(&log.text, bounds(detail)));
    }
    folded(text, "The last lines of its logs", blocks.trim_end());
}

fn bounds(detail: Detail) -> Bounds {
    Bounds { lines: detail.lines, columns: detail.columns }
}

/// A collapsed section. In markdown, the blank lines end the HTML.
fn folded(text: &mut String, title: &str, inside: &str) {
    let _ = writeln!(text, "\n<details><summary>{title}</summary>\n\n{inside}\n\n</details>");
}
