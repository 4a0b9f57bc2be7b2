//! Text from outside, in markdown. All of it becomes code: there a forge sees no link, no image, no HTML, no
//! mention of a person and no number of an issue, and nobody is notified. Pure.

use crate::text::{Bounds, block, one_line};

/// A text as one span of code, on one line of at most so many columns.
pub fn span(text: &str, columns: usize) -> String {
    let line = chars(&one_line(text, columns), columns);
    let line = line.trim();
    if line.is_empty() {
        return "(nothing)".to_owned();
    }
    let ticks = "`".repeat(longest_ticks(line) + 1);
    let space = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{ticks}{space}{line}{space}{ticks}")
}

/// A text's last lines as a block of code, to stand between blank lines.
pub fn fenced(text: &str, bounds: Bounds) -> String {
    let text = block(text, bounds).replace("are in the journal]", "are in the run's journal]");
    let lines: Vec<String> = text.lines().map(|line| chars(line, bounds.columns + 40)).collect();
    let text = lines.join("\n");
    let fence = "`".repeat((longest_ticks(&text) + 1).max(3));
    format!("{fence}text\n{text}\n{fence}")
}

/// Columns alone are no bound: many characters have none.
fn chars(text: &str, max: usize) -> String {
    if text.chars().count() <= max { text.to_owned() } else { text.chars().take(max).chain(['…']).collect() }
}

fn longest_ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
