//! One run as a row of a table. Pure.

use jiff::Timestamp;

use super::when::{ago, iso};
use history::{RunRow, RunState};
use journal::text::{one_line, seconds};
use journal::tone::Tone;

/// Maximum width of its text, in columns.
const COLUMNS: usize = 160;

#[derive(Debug, Clone)]
pub(super) struct RunLine {
    pub(super) href: String,
    pub(super) recipe: String,
    pub(super) recipe_href: String,
    pub(super) tone: &'static str,
    pub(super) word: &'static str,
    /// Pull request, commit, versions.
    pub(super) about: String,
    /// The failure, if it is not green.
    pub(super) line: String,
    pub(super) took: String,
    pub(super) at: String,
    pub(super) ago: String,
}

impl RunLine {
    pub(super) fn of(run: &RunRow, now: Timestamp) -> Self {
        let tone = run.tone;
        Self {
            href: href(run),
            recipe: run.recipe.to_string(),
            recipe_href: format!("recipes/{}", run.recipe),
            tone: tone.map_or("live", class),
            word: tone.map_or("under way", Tone::word),
            about: about(run),
            line: if tone == Some(Tone::Passed) { String::new() } else { one_line(&run.line, COLUMNS) },
            took: seconds(run.took_ms),
            at: iso(run.at),
            ago: ago(run.at, now),
        }
    }
}

/// The address of a run's page.
pub(super) fn href(run: &RunRow) -> String {
    format!("runs/{}", run.run)
}

/// The class of a tone in the style sheet.
pub(super) fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::NoEnd => "no-end",
        Tone::NotReached => "not-reached",
        tone => tone.word(),
    }
}

/// What was tested: `pull request 7, 1a2b3c4d, 1.2.0 → 1.3.0, in part: backup`.
pub(super) fn about(run: &RunRow) -> String {
    let mut parts = Vec::new();
    parts.extend(run.pull_request.map(|number| format!("pull request {number}")));
    parts.push(run.head.short().to_owned());
    parts.extend(match (&run.base, &run.head_version) {
        (Some(base), Some(head)) => Some(format!("{} → {}", one_line(base, 40), one_line(head, 40))),
        (None, Some(head)) => Some(one_line(head, 40)),
        _ => None,
    });
    if !run.is_whole() {
        parts.push(format!("in part: {}", one_line(&run.only.join(", "), 60)));
    }
    parts.join(", ")
}

pub(super) fn is_live(run: &RunRow) -> bool {
    run.state == RunState::Live
}
