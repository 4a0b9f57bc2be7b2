//! What is true of every page: well-formed, with nothing of anybody else in it.

use std::collections::BTreeMap;

/// Elements that have no end.
const VOID: [&str; 8] = ["meta", "link", "img", "input", "br", "hr", "source", "wbr"];

/// A start or an end of an element, with what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) is_end: bool,
    pub(crate) is_whole: bool,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// Every tag of a page, in order. A page of ours escapes `<` and quotes every value, so that a plain reader finds
/// exactly what was meant; a stranger's `<` would show as a tag that nobody closes.
pub(crate) fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if rest.starts_with(['!', '?']) {
            continue;
        }
        let mut quoted = None;
        let end = rest.find(|c| match quoted {
            Some(quote) => {
                quoted = (c != quote).then_some(quote);
                false
            }
            None if c == '"' || c == '\'' => {
                quoted = Some(c);
                false
            }
            None => c == '>',
        });
        let Some(end) = end else { panic!("a tag does not end: {:.80}", rest) };
        tags.push(tag(&rest[..end]));
        rest = &rest[end + 1..];
    }
    tags
}

fn tag(text: &str) -> Tag {
    let (is_end, text) = text.strip_prefix('/').map_or((false, text), |text| (true, text));
    let (text, is_whole) = text.strip_suffix('/').map_or((text, false), |text| (text, true));
    let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let mut attributes = BTreeMap::new();
    while let Some((before, after)) = rest.trim_start().split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a value ends");
        let name = before.split_whitespace().last().unwrap_or_default();
        attributes.insert(name.to_owned(), value.to_owned());
        rest = after;
    }
    Tag { name: name.to_ascii_lowercase(), is_end, is_whole, attributes }
}

/// Fails where an element is not closed, or closed in another's place.
pub(crate) fn check_nested(what: &str, page: &str) {
    let mut open: Vec<Tag> = Vec::new();
    for tag in tags(page) {
        if tag.is_end {
            let begun = open.pop();
            assert_eq!(begun.as_ref().map(|tag| &tag.name), Some(&tag.name), "{what}: {tag:?} closes {begun:?}");
        } else if !tag.is_whole && !VOID.contains(&tag.name.as_str()) {
            open.push(tag);
        }
    }
    assert!(open.is_empty(), "{what}: {open:?} stay open");
}

/// Fails where a page fetches or runs what is not the server's own.
pub(crate) fn check_own(what: &str, page: &str) {
    for tag in tags(page) {
        for (name, value) in &tag.attributes {
            assert!(!name.starts_with("on") && name != "style", "{what}: {tag:?}");
            let is_fetched = matches!(name.as_str(), "src" | "action" | "srcset" | "poster" | "data")
                || (name == "href" && matches!(tag.name.as_str(), "link" | "use" | "image" | "base"));
            let is_own = value.starts_with(['/', '.', '#']) || value.starts_with("data:image/") || !value.contains(':');
            assert!(!is_fetched || (is_own && !value.starts_with("//")), "{what}: {tag:?}");
            assert!(!value.trim_start().to_ascii_lowercase().starts_with("javascript:"), "{what}: {tag:?}");
        }
        assert!(!matches!(tag.name.as_str(), "iframe" | "object" | "embed" | "base" | "style"), "{what}: {tag:?}");
        assert!(tag.name != "script" || tag.attributes.contains_key("src") || tag.is_end, "{what}: {tag:?}");
    }
}

/// Fails where a character is there that no page shows.
pub(crate) fn check_characters(what: &str, text: &str) {
    let is_odd = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{ffff}')
    };
    if let Some((at, c)) = text.char_indices().find(|(_, c)| is_odd(*c)) {
        panic!("{what} holds {c:?} behind {:?}", &text[text.floor_char_boundary(at.saturating_sub(80))..at]);
    }
}

/// How often each element is in a page.
pub(crate) fn census(page: &str) -> BTreeMap<String, usize> {
    let mut census = BTreeMap::new();
    for tag in tags(page).into_iter().filter(|tag| !tag.is_end) {
        *census.entry(tag.name).or_default() += 1;
    }
    census
}
