//! The time line: durations as percentages.

use journal::fold::{RunView, StageProgress, StageView};

/// A mark at a round time.
pub(super) struct Tick {
    pub(super) at: String,
    pub(super) label: String,
}

/// Percentages of the time line.
pub(super) struct Bar {
    pub(super) from: String,
    pub(super) width: String,
    pub(super) expected: Option<String>,
}

/// The length of the time line: the run's duration, or longer if an expected time ends after it.
pub(super) fn span_ms(view: &RunView) -> u64 {
    let ends =
        view.stages.iter().filter_map(|stage| Some(stage.from_ms?.saturating_add(stage.expected_ms.unwrap_or(0))));
    ends.max().unwrap_or(0).max(view.took_ms).max(1)
}

pub(super) fn bar(view: &RunView, stage: &StageView, span: u64) -> Option<Bar> {
    let from = stage.from_ms?;
    let took = match stage.state {
        StageProgress::Running => view.took_ms.saturating_sub(from),
        _ => stage.took_ms?,
    };
    Some(Bar {
        from: percent(from, span),
        width: percent(took, span),
        expected: stage.expected_ms.map(|expected| percent(expected, span)),
    })
}

/// A percentage, to one hundredth.
fn percent(part: u64, whole: u64) -> String {
    let hundredths = u128::from(part.min(whole)) * 10_000 / u128::from(whole.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// At most seven ticks at round times.
pub(super) fn ticks(span: u64) -> Vec<Tick> {
    const STEPS: [u64; 14] =
        [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000];
    let step = STEPS.into_iter().find(|step| span / step < 7).unwrap_or(span / 6).max(1);
    (0..=span / step).map(|n| n * step).map(|ms| Tick { at: percent(ms, span), label: tick_label(ms, step) }).collect()
}

fn tick_label(ms: u64, step: u64) -> String {
    match (ms, step) {
        (0, _) => "0".to_owned(),
        (_, ..1_000) => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        (_, ..60_000) if ms < 120_000 => format!("{} s", ms / 1_000),
        (_, ..60_000) => format!("{}:{:02} min", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} min", ms / 60_000),
    }
}
