//! A run as lines for a terminal or a log, as pure functions of the view.

use journal::event::{Event, Fault, Outcome};
use journal::fold::{RunView, StageView};
use journal::text::{Bounds, block, one_line, seconds};
use journal::tone::Tone;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineStyle {
    /// Whether to write ANSI colours.
    pub colour: bool,
    /// Whether to write progress as lines; a terminal has a moving line instead.
    pub progress: bool,
}

impl LineStyle {
    /// For logs and files.
    pub const PLAIN: Self = Self { colour: false, progress: true };
}

/// Maximum length of a line of text from outside.
const COLUMNS: usize = 400;
const EVIDENCE: Bounds = Bounds { lines: 20, columns: 200 };

/// The lines that an event adds. `view` includes the event.
pub fn of_event(view: &RunView, event: &Event, look: LineStyle) -> Vec<String> {
    match event {
        Event::RunStarted(_) => header(view, look),
        Event::StageStarted { stage, deadline_s, expected_ms } if look.progress => {
            let usual = expected_ms.map_or(String::new(), |ms| format!(", usually {}", seconds(ms)));
            let most = seconds(deadline_s.saturating_mul(1_000));
            vec![look.dim(&format!("▸ {stage} (at most {most}{usual})"))]
        }
        Event::Progress { text, .. } if look.progress => {
            vec![look.dim(&format!("  {}", one_line(text, COLUMNS)))]
        }
        Event::StageEnded { stage, .. } => {
            view.stage(*stage).map_or_else(Vec::new, |stage| stage_ended(view, stage, look))
        }
        Event::RunEnded { .. } => summary(view, look),
        _ => Vec::new(),
    }
}

/// What is tested and where.
pub fn header(view: &RunView, look: LineStyle) -> Vec<String> {
    let started = &view.started;
    let subject = one_line(&started.head_subject, 72);
    let request = started.pull_request.map_or(String::new(), |number| format!(", pull request {number}"));
    let to = one_line(started.head_version.as_deref().unwrap_or("the head, which names no version"), 60);
    let path = match &started.base {
        Some(base) => format!("{} → {to}", one_line(base, 60)),
        None if !started.only.is_empty() => to,
        None => format!("{to}, the first release"),
    };
    let mut lines = vec![
        look.bold(&format!("{} at {} “{subject}”{request}", started.recipe, started.head.short())),
        format!("  {path} on https://{}", started.domain),
        look.dim(&format!("  run {}, cc-ci {}, {}", started.run, started.cc_ci, one_line(&started.host.name, 60))),
    ];
    lines.extend(
        started.restart_of.iter().map(|first| look.dim(&format!("  restarted: the first attempt was run {first}"))),
    );
    for other in &started.dependencies {
        lines.push(format!("  with {} {}: {}", other.recipe, one_line(&other.release, 60), one_line(&other.why, 60)));
    }
    for planned in &started.stages {
        for opt_out in &planned.opt_outs {
            let check = one_line(&opt_out.check, 80);
            lines.push(format!("  – opted out of {check}: {}", one_line(&opt_out.reason, COLUMNS)));
        }
    }
    lines
}

/// An ended stage: one line, and the evidence if it is red.
pub fn stage_ended(view: &RunView, stage: &StageView, look: LineStyle) -> Vec<String> {
    let tone = stage.tone();
    if let (Tone::Skipped | Tone::Blocked, Some(reason)) = (tone, stage.reason()) {
        return vec![format!("{} {}: {}", head(stage, look), tone.word(), one_line(reason, COLUMNS))];
    }
    let expected = stage.expected_ms.map_or(String::new(), |ms| format!("  (expected {})", seconds(ms)));
    let took = stage.took_ms.map_or_else(String::new, seconds);
    let used = stage.used.as_ref().map_or_else(String::new, |used| look.dim(&format!("  {}", used.words())));
    let mut lines = vec![format!("{}{took:>12}{expected}{}{used}", head(stage, look), checks_note(stage))];
    let fault = stage.result().and_then(|result| result.fault.as_ref());
    if let Some(fault) = fault {
        // The failure that blocks a stage is shown in full where it happened.
        let evidence = view.stages.iter().take_while(|other| other.stage != stage.stage).all(|other| {
            other.result().and_then(|result| result.fault.as_ref()).map(|known| &known.failure.detail)
                != Some(&fault.failure.detail)
        });
        lines.extend(fault_lines(tone, fault, evidence, look));
    }
    for check in &stage.checks {
        let same = check.fault.is_some() && check.fault.as_ref() == fault;
        if same || check.outcome == Outcome::Passed {
            continue;
        }
        let what = check.fault.as_ref().map_or(&check.text, |fault| &fault.failure.what);
        let mark = look.paint(Tone::from(check.outcome), Tone::from(check.outcome).symbol());
        lines.push(format!("  {mark} {}: {}", one_line(&check.name, 120), one_line(what, COLUMNS)));
    }
    for note in &stage.notes {
        lines.push(format!("  note: {}", one_line(note, COLUMNS)));
    }
    lines
}

fn head(stage: &StageView, look: LineStyle) -> String {
    let tone = stage.tone();
    format!("{} {:<12}", look.paint(tone, tone.symbol()), stage.stage)
}

fn checks_note(stage: &StageView) -> String {
    let all = stage.checks.len();
    let green = stage.checks.iter().filter(|check| check.outcome == Outcome::Passed).count();
    let skipped = stage.checks.iter().filter(|check| check.outcome == Outcome::Skipped).count();
    let skipped_note = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
    match (green, all - skipped) {
        (0, 0) if skipped == 0 => String::new(),
        (1, 1) => format!("  1 check{skipped_note}"),
        (green, ran) if green == ran => format!("  {ran} checks{skipped_note}"),
        (green, ran) => format!("  {green} of {ran} checks green{skipped_note}"),
    }
}

fn fault_lines(tone: Tone, fault: &Fault, evidence: bool, look: LineStyle) -> Vec<String> {
    let failure = &fault.failure;
    let words = format!("{} by {}:", tone.word(), fault.cause.words());
    let mut lines = vec![
        format!("  {} {}", look.paint(tone, &words), one_line(&failure.what, COLUMNS)),
        format!("  {} {}", look.bold("look at:"), one_line(&failure.look_at, COLUMNS)),
    ];
    if evidence && !failure.detail.is_empty() {
        let block = block(&failure.detail, EVIDENCE);
        lines.extend(block.lines().map(|line| format!("    {} {line}", look.dim("│"))));
    }
    lines
}

/// The end: the verdict, the durations, what is left.
pub fn summary(view: &RunView, look: LineStyle) -> Vec<String> {
    let tone = view.tone();
    let mut lines = vec![String::new()];
    let longest = view.stages.iter().filter_map(|stage| stage.took_ms).max().unwrap_or(0).max(1);
    for stage in view.stages.iter() {
        let Some(took) = stage.took_ms else {
            lines.push(format!("  {:<12}{:>12}", stage.stage, stage.tone().word()));
            continue;
        };
        let bar = "▇".repeat(usize::try_from(took.saturating_mul(24) / longest).unwrap_or(24));
        let line = format!("  {:<12}{:>12}  {}", stage.stage, seconds(took), look.paint(stage.tone(), &bar));
        lines.push(line.trim_end().to_owned());
    }
    lines.push(format!("  {:<12}{:>12}", "all", seconds(view.took_ms)));
    for object in view.left.iter().flatten() {
        let (kind, name) = (one_line(&object.kind, 40), one_line(&object.name, COLUMNS));
        lines.push(format!("  {} left behind: {kind} {name}", look.paint(Tone::Failed, Tone::Failed.symbol())));
    }
    lines.push(String::new());
    lines.push(look.paint(tone, &format!("{} {}", tone.symbol(), one_line(&view.line(), COLUMNS))));
    if let Some(text) = view.look_at() {
        lines.push(format!("  {} {}", look.bold("look at:"), one_line(text, COLUMNS)));
    }
    lines
}

impl LineStyle {
    fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Passed => "32",
            Tone::Failed => "31",
            Tone::Blocked | Tone::Cancelled | Tone::NoEnd => "33",
            Tone::Skipped | Tone::NotReached => "2",
        };
        self.ansi(code, text)
    }

    fn bold(self, text: &str) -> String {
        self.ansi("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.ansi("2", text)
    }

    fn ansi(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::event::Record;
    use journal_fixtures as fixtures;

    fn all_lines(records: &[Record], look: LineStyle) -> String {
        let mut view = RunView::begin(&records[0]).unwrap();
        let mut lines = of_event(&view, &records[0].event, look);
        for record in &records[1..] {
            view.apply(record);
            lines.extend(of_event(&view, &record.event, look));
        }
        lines.join("\n")
    }

    #[test]
    fn a_green_run_in_a_log() {
        insta::assert_snapshot!(all_lines(&fixtures::passed(), LineStyle::PLAIN));
    }

    #[test]
    fn a_failed_upgrade_on_a_terminal_without_colours() {
        let look = LineStyle { colour: false, progress: false };
        insta::assert_snapshot!(all_lines(&fixtures::failed_upgrade(), look));
    }

    #[test]
    fn a_restarted_run_names_the_first_attempt() {
        let text = all_lines(&fixtures::restarted(), LineStyle::PLAIN);
        assert!(text.contains("  restarted: the first attempt was run 20261121-091403-kxqv\n"), "{text}");
        assert!(!all_lines(&fixtures::passed(), LineStyle::PLAIN).contains("restarted"));
    }

    #[test]
    fn objects_left_behind_are_named() {
        let look = LineStyle { colour: false, progress: false };
        let text = all_lines(&fixtures::left_behind(), look);
        insta::assert_snapshot!(text.split_once("\n\n").unwrap().1);
    }

    #[test]
    fn a_log_has_no_escape_and_no_long_line() {
        for (name, records) in fixtures::all() {
            let text = all_lines(&records, LineStyle::PLAIN);
            assert!(text.chars().all(|c| !c.is_control() || c == '\n'), "{name}");
            let longest = text.lines().map(|line| line.chars().count()).max();
            assert!(longest < Some(COLUMNS + 200), "{name}: {longest:?}");
        }
    }

    #[test]
    fn colours_change_no_word() {
        let records = fixtures::failed_upgrade();
        let colour = LineStyle { colour: true, progress: true };
        let coloured = all_lines(&records, colour);
        assert!(coloured.contains("\u{1b}[31m"));
        assert_eq!(journal::text::clean(&coloured), all_lines(&records, LineStyle::PLAIN));
    }
}
