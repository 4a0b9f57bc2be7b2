//! The live report: animated on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::{LineStyle, of_event};
use journal::emit::Sink;
use journal::event::{Event, Record, Stage};
use journal::fold::RunView;
use journal::text::{one_line, seconds};

/// The properties of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings {
    /// Standard output is a terminal.
    pub terminal: bool,
    /// `NO_COLOR` is set and not empty (no-color.org).
    pub no_color: bool,
    /// `TERM` is `dumb`.
    pub dumb: bool,
}

impl Surroundings {
    /// Those of this process. The moving line is written to standard error, so both must be terminals.
    pub fn of_process() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            terminal: io::stdout().is_terminal() && io::stderr().is_terminal(),
            no_color: set("NO_COLOR"),
            dumb: std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
        }
    }

    pub fn look(self) -> LineStyle {
        let moves = self.terminal && !self.dumb;
        LineStyle { colour: moves && !self.no_color, progress: !moves }
    }
}

/// The live report as lines, with a moving last line on a terminal.
#[derive(Debug)]
pub struct Terminal<W: Write + Send> {
    out: W,
    look: LineStyle,
    view: Option<RunView>,
    bar: Option<ProgressBar>,
    /// The last line of progress, to suppress repetitions.
    said: String,
}

impl Terminal<io::Stdout> {
    /// Writes lines to standard output, in the style for this process.
    pub fn stdout() -> Self {
        Self::new(io::stdout(), Surroundings::of_process().look())
    }
}

impl<W: Write + Send> Terminal<W> {
    pub fn new(out: W, look: LineStyle) -> Self {
        Self { out, look, view: None, bar: None, said: String::new() }
    }

    fn say(&mut self, lines: &[String]) -> io::Result<()> {
        let Self { out, bar, .. } = self;
        let mut write = || {
            for line in lines {
                writeln!(out, "{line}")?;
            }
            out.flush()
        };
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Updates the moving line, if there is one.
    fn animate(&mut self, event: &Event) {
        if self.look.progress {
            return;
        }
        match event {
            Event::StageStarted { stage, expected_ms, .. } => self.bar = Some(bar(*stage, *expected_ms)),
            Event::Progress { text, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(one_line(text, 100));
                }
            }
            Event::StageEnded { .. } | Event::RunEnded { .. } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }
}

impl<W: Write + Send> Sink for Terminal<W> {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        match &mut self.view {
            Some(view) => view.apply(record),
            None => self.view = RunView::begin(record).ok(),
        }
        self.animate(&record.event);
        if let Event::Progress { text, .. } = &record.event
            && std::mem::replace(&mut self.said, text.clone()) == *text
        {
            return Ok(());
        }
        let lines = match &self.view {
            Some(view) => of_event(view, &record.event, self.look),
            None => return Ok(()),
        };
        if lines.is_empty() { Ok(()) } else { self.say(&lines) }
    }

    fn is_needed(&self) -> bool {
        false
    }
}

impl<W: Write + Send> Drop for Terminal<W> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The moving line of a stage: its duration so far, the expected one, and what it waits for.
fn bar(stage: Stage, expected_ms: Option<u64>) -> ProgressBar {
    let usual = expected_ms.map_or(String::new(), |ms| format!(" / {}", seconds(ms)));
    let style = ProgressStyle::default_spinner().tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ").with_key(
        "took",
        move |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let ms = u64::try_from(state.elapsed().as_millis()).unwrap_or(u64::MAX);
            // A line that cannot be drawn is drawn again at the next tick.
            let _ = write!(out, "{}{usual}", seconds(ms));
        },
    );
    // The template is constant; if it were invalid, the default one would be used.
    let style = match style.clone().template("{spinner:.cyan} {prefix:<12} {took}  {wide_msg:.dim}") {
        Ok(good) => good,
        Err(_) => style,
    };
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
    bar.set_prefix(stage.name());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// The live report as journal lines, for programs.
#[derive(Debug)]
pub struct JsonLines<W: Write + Send>(pub W);

impl JsonLines<io::Stdout> {
    pub fn stdout() -> Self {
        Self(io::stdout())
    }
}

impl<W: Write + Send> Sink for JsonLines<W> {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        self.0.write_all(&journal::line(record)?)?;
        self.0.flush()
    }

    fn is_needed(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal_fixtures as fixtures;

    #[test]
    fn only_a_real_terminal_gets_colour_and_movement() {
        let here = Surroundings { terminal: true, no_color: false, dumb: false };
        assert_eq!(here.look(), LineStyle { colour: true, progress: false });
        let quiet = Surroundings { no_color: true, ..here };
        assert_eq!(quiet.look(), LineStyle { colour: false, progress: false });
        for away in [Surroundings { terminal: false, ..here }, Surroundings { dumb: true, ..here }] {
            assert_eq!(away.look(), LineStyle::PLAIN);
        }
    }

    #[test]
    fn a_log_tells_progress_once_and_ends_with_the_verdict() {
        let mut out = Vec::new();
        let mut terminal = Terminal::new(&mut out, LineStyle::PLAIN);
        let mut records = fixtures::passed();
        let again = records.iter().position(|record| matches!(record.event, Event::Progress { .. })).unwrap();
        records.insert(again, records[again].clone());
        for record in &records {
            terminal.record(record).unwrap();
        }
        drop(terminal);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("checking out 1a2b3c4d").count(), 1);
        assert!(text.lines().last().unwrap().starts_with("✓ passed: custom-html"), "{text}");
    }

    #[test]
    fn a_moving_line_never_reaches_the_output() {
        let mut out = Vec::new();
        let look = LineStyle { colour: false, progress: false };
        let mut terminal = Terminal::new(&mut out, look);
        for record in fixtures::killed() {
            terminal.record(&record).unwrap();
        }
        assert!(terminal.bar.is_some(), "the stage that was killed still moves");
        drop(terminal);
        assert!(!out.contains(&0x1b));
    }

    #[test]
    fn json_lines_are_the_journal() {
        let mut out = Vec::new();
        let records = fixtures::failed_upgrade();
        for record in &records {
            JsonLines(&mut out).record(record).unwrap();
        }
        assert_eq!(journal::parse(&out).unwrap().records, records);
    }
}
