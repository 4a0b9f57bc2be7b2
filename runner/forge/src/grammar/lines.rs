//! Finds the lines of a markdown text that begin with ordinary text. Pure.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The lines that begin with `!` as ordinary text, from the source, trimmed.
pub(super) fn of(markdown: &str) -> Vec<&str> {
    // Extensions that forges render: a table cell or deleted text is no ordinary text.
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES | Options::ENABLE_MATH;
    let (mut found, mut outside) = (Vec::new(), 0_usize);
    for (event, range) in Parser::new_ext(markdown, options).into_offset_iter() {
        match event {
            Event::Start(tag) if !is_plain(&tag) => outside += 1,
            Event::End(tag) if !is_plain_end(tag) => outside = outside.saturating_sub(1),
            Event::Text(_) if outside == 0 => found.extend(line_at(markdown, range.start)),
            _ => {}
        }
    }
    found
}

/// The line that starts at this offset, if it starts with `!`.
fn line_at(markdown: &str, start: usize) -> Option<&str> {
    let (before, rest) = (markdown.get(..start)?, markdown.get(start..)?);
    if !rest.starts_with('!') || !before.trim_end_matches([' ', '\t']).is_empty_or_ends_line() {
        return None;
    }
    rest.split(['\n', '\r']).next().map(str::trim)
}

trait EndsLine {
    fn is_empty_or_ends_line(&self) -> bool;
}

impl EndsLine for str {
    fn is_empty_or_ends_line(&self) -> bool {
        self.is_empty() || self.ends_with(['\n', '\r'])
    }
}

/// Whether text directly inside is ordinary. Inside a list it is, since a line after a list belongs to its last item
/// without an empty line in between; inside a heading too, since a signature's `---` creates one.
fn is_plain(tag: &Tag<'_>) -> bool {
    matches!(tag, Tag::Paragraph | Tag::Heading { .. } | Tag::List(_) | Tag::Item)
}

fn is_plain_end(tag: TagEnd) -> bool {
    matches!(tag, TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::List(_) | TagEnd::Item)
}
