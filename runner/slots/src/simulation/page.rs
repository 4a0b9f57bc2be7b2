//! Compares the tests' output with `docs/dev/simulation.md`: a figure there that differs fails the test.

use std::time::Duration;

use super::judge::Count;
use super::scenario::Report;

const PAGE: &str = include_str!("../../../../docs/dev/simulation.md");

/// Asserts that the page has this line.
pub(super) fn says(line: &str) {
    println!("{line}");
    assert!(PAGE.contains(line), "docs/dev/simulation.md lacks this line, which is what was played:\n{line}");
}

/// One line of the page's first table, over histories of one kind.
pub(super) fn row(name: &str, (hosts, runs): (u32, u32), reports: &[Report]) -> String {
    let sum = |of: fn(&Count) -> usize| reports.iter().map(|report| of(&report.count)).sum::<usize>();
    let most = |of: fn(&Count) -> usize| reports.iter().map(|report| of(&report.count)).max().unwrap_or(0);
    let longest = |of: fn(&Count) -> Duration| {
        reports.iter().map(|report| of(&report.count)).max().unwrap_or_default().as_secs_f64()
    };
    format!(
        "| {name} | {hosts} | {} × {runs} | {} | {} | {} | {} | {} | {:.1} s | {:.1} s | {} |",
        reports.len(),
        sum(|count| count.ended),
        reports.iter().map(|report| report.died).sum::<usize>(),
        sum(|count| count.fenced + count.removed),
        most(|count| count.most_live),
        most(|count| count.longest_queue),
        longest(|count| count.idle),
        longest(|count| count.passed_over),
        reports.iter().map(|report| report.reads + report.writes).sum::<u64>(),
    )
}
