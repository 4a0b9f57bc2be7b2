//! A run that waits or is in progress.

use std::fmt::Write as _;

use super::{Detail, ShownRun};
use crate::builds::AtDrone;
use journal::event::Stage;
use journal::fold::{RunView, StageProgress, StageView};
use journal::markdown::span;
use journal::text::{count, seconds};
use journal::tone::Tone;

/// Where a run that was not started yet is in the queue.
pub(super) fn place(shown: ShownRun<'_>) -> String {
    match shown.before {
        0 => "begins at once".to_owned(),
        before => format!("place {} in the queue, {} before it", before + 1, count(before, "run")),
    }
}

pub(super) fn queued(text: &mut String, shown: ShownRun<'_>) {
    let usual = shown.expected_ms.map_or_else(String::new, |ms| format!("; such a run usually takes {}", seconds(ms)));
    let _ = writeln!(text, "It {}{usual}.", place(shown).replacen("place", "has place", 1));
}

/// A run without records.
pub(super) fn begins(text: &mut String, shown: ShownRun<'_>) {
    text.push_str(match (shown.job.build.as_ref(), shown.build) {
        (None, _) | (Some(_), Some(AtDrone::Runs | AtDrone::EndsSoon { .. })) => "It begins: the repository is fetched.\n",
        (Some(_), Some(AtDrone::Blocked)) => {
            "Its build waits in Drone for an approval: its repository is protected there, or an extension requires one. Approve it on the build's page.\n"
        }
        (Some(build), _) if build.number.is_none() => "A build of Drone is to be started for it.\n",
        (Some(_), _) => "Its build waits in Drone for a runner.\n",
    });
}

/// The same for the commit's status.
pub(super) fn first(shown: ShownRun<'_>) -> String {
    match (shown.job.build.is_some(), shown.build) {
        (true, None | Some(AtDrone::Waits)) => "waits for a runner of Drone",
        (true, Some(AtDrone::Blocked)) => "waits for an approval in Drone",
        (true, Some(AtDrone::Away(_))) => "waits for Drone",
        _ => "begins",
    }
    .to_owned()
}

/// One line for the commit's status. It changes rarely, since a forge stores every status.
pub(super) fn line(view: &RunView) -> String {
    let slot = view.stage(Stage::Slot).filter(|stage| stage.state == StageProgress::Running);
    match slot.and_then(|stage| stage.busy_with.as_deref()) {
        // Only the place: the expected times change constantly.
        Some(busy) => busy.split(", expected").next().unwrap_or(busy).to_owned(),
        None => "is being tested".to_owned(),
    }
}

pub(super) fn running(text: &mut String, view: &RunView, detail: Detail) {
    text.push_str("| stage | | time |\n|---|---|---:|\n");
    for stage in &view.stages {
        let _ = writeln!(text, "| {} | {} | {} |", stage.stage, word(stage), time(stage));
    }
    if let Some(busy) = view.running().and_then(|stage| stage.busy_with.as_deref()) {
        let _ = writeln!(text, "\nNow: {}", span(busy, detail.columns));
    }
    let red = view.stages.iter().filter_map(|stage| Some((stage, stage.result()?.fault.as_ref()?)));
    for (stage, fault) in red.take(detail.items) {
        let _ = writeln!(
            text,
            "\n**{} {} by {}:** {}",
            stage.stage,
            stage.tone().word(),
            fault.cause.words(),
            span(&fault.failure.what, detail.columns)
        );
    }
}

fn word(stage: &StageView) -> String {
    match stage.state {
        StageProgress::Running => "▸ runs".to_owned(),
        StageProgress::Waiting if stage.tone() == Tone::NotReached => "waits".to_owned(),
        _ => format!("{} {}", stage.tone().symbol(), stage.tone().word()),
    }
}

fn time(stage: &StageView) -> String {
    match (stage.took_ms, stage.expected_ms, &stage.state) {
        (Some(took), _, _) => seconds(took),
        (None, Some(usual), StageProgress::Running) => format!("usually {}", seconds(usual)),
        _ => String::new(),
    }
}
