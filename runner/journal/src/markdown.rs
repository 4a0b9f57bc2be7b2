//! Text from outside in markdown. All of it becomes code: there a forge renders no link, image, HTML, mention or issue
//! number, and notifies no user. Pure.

use crate::text::{Bounds, block, one_line};

/// A text as one code span, on one line of a maximum width.
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

/// A text's last lines as a code block, to be surrounded by blank lines.
pub fn fenced(text: &str, bounds: Bounds) -> String {
    let text = block(text, bounds).replace("are in the journal]", "are in the run's journal]");
    let lines: Vec<String> = text.lines().map(|line| chars(line, bounds.columns + 40)).collect();
    let text = lines.join("\n");
    let fence = "`".repeat((longest_ticks(&text) + 1).max(3));
    format!("{fence}text\n{text}\n{fence}")
}

/// Columns are no sufficient bound: many characters have no width.
fn chars(text: &str, max: usize) -> String {
    if text.chars().count() <= max { text.to_owned() } else { text.chars().take(max).chain(['…']).collect() }
}

fn longest_ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
