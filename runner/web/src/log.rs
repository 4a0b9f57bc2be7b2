//! The log of a run: its journal, line by line, in windows.

use askama::Template;

use super::line::{class, href, is_live};
use super::shell::Shell;
use history::RunRow;
use journal::event::{Record, Stage};
use report::log::{LogLine, lines};

/// Records of one window.
pub(super) const SIZE: u64 = 400;

#[derive(Template)]
#[template(path = "pages/loglines.html")]
pub(super) struct Lines {
    from: u64,
    total: u64,
    over: bool,
    lines: Vec<LogRow>,
}

#[derive(Template)]
#[template(path = "pages/log.html")]
pub(super) struct LogPage {
    shell: Shell,
    recipe: String,
    run: String,
    run_href: String,
    shown: String,
    total: u64,
    over: bool,
    from: u64,
    size: u64,
    first: Option<String>,
    earlier: Option<String>,
    later: Option<String>,
    last: Option<String>,
    lines: Vec<LogRow>,
}

struct LogRow {
    /// Only the first line of a record can be linked to.
    id: Option<String>,
    seq: u64,
    class: String,
    time: String,
    stage: &'static str,
    text: String,
}

impl Lines {
    /// The lines of a window's records, which begin at `from`.
    pub(super) fn new(run: &RunRow, from: u64, records: &[Record]) -> Self {
        Self { from, total: run.lines, over: !is_live(run), lines: of(records) }
    }
}

impl LogPage {
    /// `from` is the start of the window.
    pub(super) fn new(shell: Shell, run: &RunRow, from: u64, records: &[Record]) -> Self {
        let total = run.lines;
        let to = from.saturating_add(records.len() as u64);
        let at = |from: u64| format!("log?from={from}");
        let last = window(total.saturating_sub(1));
        Self {
            shell,
            recipe: run.recipe.to_string(),
            run: run.run.to_string(),
            run_href: href(run),
            shown: match records.len() {
                0 => format!("no record of {total}"),
                _ => format!("records {from} to {} of {total}", to - 1),
            },
            total,
            over: !is_live(run),
            from,
            size: SIZE,
            first: (from > SIZE).then(|| at(0)),
            earlier: (from > 0).then(|| at(from.saturating_sub(SIZE))),
            later: (to < total).then(|| at(to)),
            last: (to < last).then(|| at(last)),
            lines: of(records),
        }
    }
}

/// The first record of a record's window.
pub(super) fn window(record: u64) -> u64 {
    record - record % SIZE
}

fn of(records: &[Record]) -> Vec<LogRow> {
    let mut of = Vec::new();
    for record in records {
        for (at, line) in lines(record).into_iter().enumerate() {
            of.push(LogRow {
                id: (at == 0).then(|| format!("r{}", line.seq)),
                seq: line.seq,
                class: classes(&line),
                time: if at == 0 { clock(line.ms) } else { String::new() },
                stage: if at == 0 { line.stage.map_or("", Stage::name) } else { "" },
                text: line.text,
            });
        }
    }
    of
}

fn classes(line: &LogLine) -> String {
    let tone = line.tone.map_or("", class);
    let inner = if line.inner { "inner" } else { "" };
    [tone, inner].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Time since the run's start: `1:02.345`.
fn clock(ms: u64) -> String {
    format!("{}:{:02}.{:03}", ms / 60_000, ms / 1_000 % 60, ms % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_at_multiples_of_their_size() {
        assert_eq!([0, 1, SIZE - 1, SIZE, SIZE + 1].map(window), [0, 0, 0, SIZE, SIZE]);
        assert_eq!(clock(62_345), "1:02.345");
    }
}
