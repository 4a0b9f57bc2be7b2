//! A whole journal as lines of text, record by record: nothing is folded, and only the width is cut. A page can begin
//! at any record, and the same records always give the same lines.

use journal::event::{CheckResult, Event, Fault, Outcome, Record, Stage, StageResult, VerdictKind};
use journal::text::{clean, cut, one_line, seconds};
use journal::tone::Tone;

/// Maximum width in columns.
const COLUMNS: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The number of its record.
    pub seq: u64,
    /// Milliseconds since the run began.
    pub ms: u64,
    /// The stage of the record, if any.
    pub stage: Option<Stage>,
    /// The tone of a result; `None` for other records.
    pub tone: Option<Tone>,
    /// Whether it belongs to the line above: output, evidence, a file.
    pub inner: bool,
    /// The text, without control characters.
    pub text: String,
}

/// The lines of one record; at least one.
pub fn lines(record: &Record) -> Vec<LogLine> {
    let mut log = LogFile { record, stage: None, lines: Vec::new() };
    log.event(&record.event);
    log.lines
}

struct LogFile<'a> {
    record: &'a Record,
    stage: Option<Stage>,
    lines: Vec<LogLine>,
}

impl LogFile<'_> {
    fn event(&mut self, event: &Event) {
        self.stage = stage_of(event);
        match event {
            Event::RunStarted(started) => {
                let request = started.pull_request.map_or(String::new(), |number| format!(", pull request {number}"));
                self.line(None, &format!("{} at {}{request}: {}", started.recipe, started.head, started.head_subject));
                self.inner(&format!("run {} on {}, cc-ci {}", started.run, started.host.name, started.cc_ci));
                if let Some(first) = &started.restart_of {
                    self.inner(&format!("restarted: the first attempt was run {first}"));
                }
            }
            Event::StageStarted { stage, deadline_s, .. } => {
                let most = seconds(deadline_s.saturating_mul(1_000));
                self.line(None, &format!("{stage} begins, with a timeout of {most}"));
            }
            Event::Progress { text, .. } => self.line(None, text),
            Event::Noted { text, .. } => self.line(None, &format!("note: {text}")),
            Event::AbraCalled { call, .. } => {
                let tone = if call.exit == Some(0) { Tone::Passed } else { Tone::Failed };
                let exit = call.exit.map_or_else(|| "killed".to_owned(), |code| format!("exit {code}"));
                let said = format!("abra {} ({exit}, {})", call.args.join(" "), seconds(call.took_ms));
                self.line(Some(tone), &said);
                self.inner(&call.output);
            }
            Event::CheckEnded { check, .. } => self.check(check),
            Event::ServiceLogs { service, text, cut, .. } => {
                let last = if *cut { " (its last lines)" } else { "" };
                self.line(None, &format!("log of {service}{last}"));
                self.inner(text);
            }
            Event::TaskHistory { tasks, .. } => {
                self.line(None, &format!("{} tasks", tasks.len()));
                for task in tasks {
                    let exit = task.exit.map_or_else(String::new, |code| format!(", exit {code}"));
                    let what = format!("{} {}: {} (wanted: {}){exit}", task.at, task.service, task.state, task.desired);
                    self.inner(&format!("{what} {} {}", task.image, task.error));
                }
            }
            Event::ComposeDeployed { version, yaml, .. } => {
                self.line(None, &format!("compose as deployed for {version}"));
                self.inner(yaml);
            }
            Event::StageEnded { stage, result, took_ms, .. } => self.stage_ended(*stage, result, *took_ms),
            Event::ObjectsLeft { objects } if objects.is_empty() => self.line(None, "nothing was left behind"),
            Event::ObjectsLeft { objects } => {
                self.line(Some(Tone::Failed), &format!("{} objects were left behind", objects.len()));
                objects.iter().for_each(|object| self.inner(&format!("{} {}", object.kind, object.name)));
            }
            Event::RunEnded { verdict } => {
                let tone = match verdict.word {
                    VerdictKind::Passed => Tone::Passed,
                    VerdictKind::Failed(_) => Tone::Failed,
                    VerdictKind::Cancelled => Tone::Cancelled,
                };
                self.line(Some(tone), &verdict.line);
            }
        }
    }

    fn check(&mut self, check: &CheckResult) {
        let tone = Tone::from(check.outcome);
        let text = match &check.fault {
            Some(fault) if check.outcome != Outcome::Passed => &fault.failure.what,
            _ => &check.text,
        };
        self.line(Some(tone), &format!("{} {}: {text}", check.name, tone.word()));
        check.fault.iter().for_each(|fault| self.fault(fault));
    }

    fn stage_ended(&mut self, stage: Stage, result: &StageResult, took_ms: u64) {
        let tone = Tone::from(result.outcome);
        let reason = result.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        self.line(Some(tone), &format!("{stage} {} after {}{reason}", tone.word(), seconds(took_ms)));
        if let Some(fault) = &result.fault {
            self.inner(&format!("by {}: {}", fault.cause.words(), fault.failure.what));
        }
    }

    fn fault(&mut self, fault: &Fault) {
        self.inner(&format!("by {}, {}", fault.cause.words(), fault.failure.kind.code()));
        self.inner(&format!("look at: {}", fault.failure.look_at));
        self.inner(&fault.failure.detail);
    }

    fn line(&mut self, tone: Option<Tone>, text: &str) {
        self.push(tone, false, one_line(text, COLUMNS));
    }

    /// Lines that belong to the one above; none for an empty text.
    fn inner(&mut self, text: &str) {
        for line in clean(text).trim_matches('\n').lines() {
            self.push(None, true, cut(line.trim_end(), COLUMNS));
        }
    }

    fn push(&mut self, tone: Option<Tone>, inner: bool, text: String) {
        let (seq, ms, stage) = (self.record.seq, self.record.ms, self.stage);
        self.lines.push(LogLine { seq, ms, stage, tone, inner, text });
    }
}

fn stage_of(event: &Event) -> Option<Stage> {
    match event {
        Event::RunStarted(_) | Event::RunEnded { .. } => None,
        Event::ObjectsLeft { .. } => Some(Stage::Teardown),
        Event::StageStarted { stage, .. }
        | Event::Progress { stage, .. }
        | Event::AbraCalled { stage, .. }
        | Event::CheckEnded { stage, .. }
        | Event::Noted { stage, .. }
        | Event::ServiceLogs { stage, .. }
        | Event::TaskHistory { stage, .. }
        | Event::ComposeDeployed { stage, .. }
        | Event::StageEnded { stage, .. } => Some(*stage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal_fixtures as fixtures;

    fn text(records: &[Record]) -> String {
        let line = |line: LogLine| {
            let stage = line.stage.map_or("", Stage::name);
            let tone = line.tone.map_or(" ", Tone::symbol);
            let inner = if line.inner { "  " } else { "" };
            format!("{:>4} {:>7} {stage:<12} {tone} {inner}{}", line.seq, line.ms, line.text)
        };
        records.iter().flat_map(lines).map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_log_of_a_failed_upgrade() {
        insta::assert_snapshot!(text(&fixtures::failed_upgrade()));
    }

    #[test]
    fn every_record_has_a_line_and_no_line_moves_a_cursor() {
        for (name, records) in fixtures::all().into_iter().chain([("hostile", fixtures::hostile())]) {
            for record in &records {
                let lines = lines(record);
                assert!(!lines.is_empty() && !lines[0].inner, "{name}: {record:?}");
                for line in lines {
                    assert!(line.text.chars().all(|c| !c.is_control() || c == '\t'), "{name}: {line:?}");
                    assert_eq!((line.seq, line.ms), (record.seq, record.ms));
                }
            }
        }
    }
}
