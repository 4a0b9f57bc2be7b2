//! The bench's table: what was asked, what was measured, and whether it is met.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// What it should be, in words.
    pub wanted: String,
    /// What it is, in words.
    pub measured: String,
    /// Whether it is met.
    pub met: bool,
}

impl Figure {
    /// A line of a table.
    pub fn new(what: &str, measured: String, wanted: &str, met: bool) -> Self {
        Self { what: what.to_owned(), wanted: wanted.to_owned(), measured, met }
    }

    /// The memory that a process holds, by its folder's name in `/proc`. What cannot be read is not met.
    pub(super) fn memory(what: &str, process: &str) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        let mb = kib.map(|kib| kib * 1024 / 1_000_000);
        let measured = mb.map_or_else(|| "not to be read".to_owned(), |mb| format!("{mb} MB"));
        Self::new(what, measured, "under 100 MB", mb.is_some_and(|mb| mb < 100))
    }
}

/// A time as the tables have it, of many seconds.
pub fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// A time as the tables have it.
pub(super) fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// The table as text.
pub fn render(figures: &[Figure]) -> String {
    let width = |column: fn(&Figure) -> &String| figures.iter().map(|f| column(f).chars().count()).max().unwrap_or(0);
    let (what, measured) = (width(|f| &f.what).max(6), width(|f| &f.measured).max(8));
    let mut text = format!("{:<what$}  {:<measured$}  wanted\n", "figure", "measured");
    for figure in figures {
        let mark = if figure.met { "met" } else { "SHORT" };
        let _ = writeln!(text, "{:<what$}  {:<measured$}  {} ({mark})", figure.what, figure.measured, figure.wanted);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_cannot_be_read_is_not_met() {
        let own = Figure::memory("x", "self");
        assert!(own.measured.ends_with(" MB") && own.measured != "0 MB", "{own:?}");
        assert!(!Figure::memory("x", "no-process").met);
    }

    #[test]
    fn a_figure_that_falls_short_says_so() {
        let figure = |met| Figure { what: "x".into(), wanted: "under 1 s".into(), measured: "2 s".into(), met };
        let text = render(&[figure(true), figure(false)]);
        assert!(text.contains("(met)") && text.contains("(SHORT)"));
    }
}
