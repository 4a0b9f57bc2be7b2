//! Short texts for messages and reports.

/// The first bytes of a text, up to the end of a character.
pub fn start(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The first characters of a text.
pub fn characters(text: &str, limit: usize) -> &str {
    text.char_indices().nth(limit).map_or(text, |(at, _)| &text[..at])
}

/// The first characters of a text, followed by `…` if there are more.
pub fn shortened(text: &str, limit: usize) -> String {
    let short = characters(text, limit);
    if short.len() < text.len() { format!("{short}…") } else { text.to_owned() }
}

/// The words of a text on one line, without control characters, cut as in [`shortened`].
pub fn one_line(text: &str, limit: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    shortened(&words.collect::<Vec<_>>().join(" "), limit)
}

/// The last lines of a text.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// A boolean in traefik's labels.
pub fn is_true(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "true" | "1" | "t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        assert_eq!((start("aé", 2), start("aé", 3), start("aé", 9)), ("a", "aé", "aé"));
        assert_eq!((characters("éab", 2), characters("éab", 3)), ("éa", "éab"));
        assert_eq!((shortened("éab", 2), shortened("éab", 3)), ("éa…".to_owned(), "éab".to_owned()));
    }

    #[test]
    fn one_line_has_no_control_characters() {
        assert_eq!(one_line(" a\r\n\tb \u{1b}[0m c", 20), "a b [0m c");
        assert_eq!(one_line("a\nb c", 3), "a b…");
    }

    #[test]
    fn last_lines_are_all_where_there_are_fewer() {
        assert_eq!((last_lines("a\nb\nc\n", 2), last_lines("a", 2)), ("b\nc".to_owned(), "a".to_owned()));
    }
}
