//! The bench's table: what was asked, what was measured, and whether it is met.

use std::fmt::Write as _;

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

/// The table as text.
#[must_use]
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
    fn a_figure_that_falls_short_says_so() {
        let figure = |met| Figure { what: "x".into(), wanted: "under 1 s".into(), measured: "2 s".into(), met };
        let text = render(&[figure(true), figure(false)]);
        assert!(text.contains("(met)") && text.contains("(SHORT)"));
    }
}
