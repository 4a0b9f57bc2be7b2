//! Makes text from outside safe for a report: no escape sequences, control characters or bidirectional overrides, and
//! bounded lines.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// Removes terminal escape sequences and control characters; keeps tabs and line breaks.
///
/// A carriage return counts as a line break. Characters that change the writing direction are removed too: they can
/// make a line read differently.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut chars),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\n' | '\t' => out.push(c),
            c if c.is_control() || turns_direction(c) || not_a_character(c) => {}
            c => out.push(c),
        }
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what follows ESC, by ECMA-48: a control sequence, a control string, or one more character after any
/// intermediate ones.
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_csi(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        _ => {
            while chars.next_if(|c| ('\u{20}'..='\u{2f}').contains(c)).is_some() {}
            chars.next_if(|c| ('\u{30}'..='\u{7e}').contains(c));
        }
    }
}

/// A control sequence: parameters, then one final character.
fn skip_csi(chars: &mut Chars<'_>) {
    while chars.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
    chars.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
}

/// A control string, up to its terminator (BEL or ST). An unterminated one stops at the line's end, so that it cannot
/// swallow the rest of a log.
fn skip_string(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next_if(|c| *c != '\n') {
        if c == '\u{7}' || c == '\u{9c}' {
            return;
        }
        if c == '\u{1b}' {
            chars.next_if(|c| *c == '\\');
            return;
        }
    }
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Code points that XML and HTML forbid.
fn not_a_character(c: char) -> bool {
    (c as u32 & 0xfffe) == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}' | '\u{feff}')
}

/// The text on one line, at most `max` columns wide on a terminal.
pub fn one_line(text: &str, max: usize) -> String {
    let joined = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&joined, max)
}

/// A line cut at `max` columns, with an ellipsis.
pub fn cut(line: &str, max: usize) -> String {
    let mut width = 0;
    let mut fits = 0;
    for (at, c) in line.char_indices() {
        width += c.width().unwrap_or(0);
        if width < max {
            fits = at + c.len_utf8();
        }
        if width > max {
            return format!("{}…", &line[..fits]);
        }
    }
    line.to_owned()
}

/// Bounds of a block of text in a report; the journal has the whole.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Maximum number of lines, counted from the end.
    pub lines: usize,
    /// Maximum width of each line.
    pub columns: usize,
}

/// A cleaned block within bounds: its last lines, with a remark if earlier ones were omitted.
pub fn block(text: &str, bounds: Bounds) -> String {
    let cleaned = clean(text);
    let trimmed = cleaned.trim_matches('\n').trim_end();
    let lines: Vec<&str> = trimmed.lines().collect();
    let start = lines.len().saturating_sub(bounds.lines);
    let mut out = String::new();
    if start > 0 {
        let _ = writeln!(out, "[{start} earlier lines are in the journal]");
    }
    for (n, line) in lines[start..].iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        out.push_str(&cut(line.trim_end(), bounds.columns));
    }
    out
}

/// Milliseconds for people: `40 ms`, `0.4 s`, `18.4 s`, `2 min 05 s`, `1 h 02 min`.
pub fn seconds(ms: u64) -> String {
    if ms < 100 {
        return format!("{ms} ms");
    }
    let tenths = ms / 100 + u64::from(ms % 100 >= 50);
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let whole = ms / 1000 + u64::from(ms % 1000 >= 500);
    if whole < 3600 {
        return format!("{} min {:02} s", whole / 60, whole % 60);
    }
    let minutes = whole / 60;
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

/// A number with its noun: "1 service", "2 services".
pub fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_go_and_the_text_stays() {
        for (dirty, wanted) in [
            ("\u{1b}[31;1mred\u{1b}[0m", "red"),
            ("\u{1b}]8;;https://evil.example\u{7}link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]0;a title that never ends\nnext", "\nnext"),
            ("\u{9b}2Jwiped", "wiped"),
            ("\u{1b}(Bplain\u{1b}7", "plain"),
            ("10%\r20%\r\ndone", "10%\n20%\ndone"),
            ("a\u{0}b\u{8}c\td", "abc\td"),
            ("good\u{202e}lave", "goodlave"),
            ("zażółć 日本 🦀", "zażółć 日本 🦀"),
        ] {
            assert_eq!(clean(dirty), wanted, "{dirty:?}");
        }
    }

    #[test]
    fn times_read_as_people_say_them() {
        let times = [0, 40, 99, 149, 949, 18_437, 59_949, 59_950, 125_000, 3_599_600, 3_725_000];
        let words: Vec<String> = times.into_iter().map(seconds).collect();
        let wanted = [
            "0 ms",
            "40 ms",
            "99 ms",
            "0.1 s",
            "0.9 s",
            "18.4 s",
            "59.9 s",
            "1 min 00 s",
            "2 min 05 s",
            "1 h 00 min",
            "1 h 02 min",
        ];
        assert_eq!(words, wanted);
    }

    #[test]
    fn a_block_keeps_its_end_and_says_what_is_missing() {
        let bounds = Bounds { lines: 2, columns: 5 };
        assert_eq!(block("\n1\n2\n3\n456789\n\n", bounds), "[2 earlier lines are in the journal]\n3\n4567…");
        assert_eq!(block("12345", bounds), "12345");
        assert_eq!(cut("日本語", 5), "日本…");
    }

    proptest! {
        #[test]
        fn nothing_that_moves_a_cursor_survives(text in any::<String>(), max in 1..40_usize) {
            let once = clean(&text);
            prop_assert!(once.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
            prop_assert_eq!(clean(&once), once.clone());
            let line = one_line(&text, max);
            prop_assert!(!line.contains(['\n', '\t']));
            prop_assert!(unicode_width::UnicodeWidthStr::width(line.as_str()) <= max + 1);
        }
    }
}
