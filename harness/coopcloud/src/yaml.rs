//! YAML parsed into a tree, and written again in a form that every reader parses alike.
//!
//! cc-ci checks untrusted compose files, and another program deploys them. If two YAML readers disagree, a file could
//! mean one thing to the check and another to the deployment. So the checked tree is deployed, written by
//! [`Node::text`]; and known differences between readers (tags, duplicate keys, other line breaks) are refused by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// Maximum number of nodes: with aliases a short text can represent a tree of any size.
const NODES: usize = 50_000;

/// Maximum depth of lists and mappings.
const DEPTH: usize = 60;

/// A part of a document. Anchors and merge keys are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// An unquoted scalar: its text determines whether it is a number, a boolean, or null.
    Plain(String),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Parses one document.
    ///
    /// # Errors
    /// The error in one line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // At the very beginning every reader skips it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if let Some(odd) = text.chars().find(|c| is_odd(*c)) {
            return Err(format!(
                "it contains the character {}, which YAML readers parse in two ways",
                odd.escape_unicode()
            ));
        }
        let options = granit_parser::options! { emit_comments: false, disallow_directives: true };
        let mut reader = Reader { open: Vec::new(), anchors: BTreeMap::new(), budget: NODES, done: None };
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error| first_line(&error.to_string()))?;
            reader.take(event).map_err(|why| format!("line {}: {why}", span.start.line()))?;
        }
        Ok(reader.done.unwrap_or(Self::Plain(String::new())))
    }

    /// As a value, with plain scalars resolved as in docker's loader.
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Plain(text) => plain(text),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(items) => Value::Array(items.iter().map(Self::value).collect()),
            Self::Map(pairs) => Value::Object(
                pairs.iter().map(|(key, value)| (key.key().to_owned(), value.value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// A mapping with another value for one of its keys.
    pub(super) fn with(self, key: &str, value: Self) -> Self {
        let Self::Map(mut pairs) = self else { return self };
        match pairs.iter_mut().find(|(name, _)| name.key() == key) {
            Some((_, old)) => *old = value,
            None => pairs.insert(0, (Self::Text(key.to_owned()), value)),
        }
        Self::Map(pairs)
    }

    /// A copy without the value at a path of keys.
    pub(super) fn without(self, path: &[&str]) -> Self {
        let (Self::Map(pairs), Some((first, rest))) = (self.clone(), path.split_first()) else { return self };
        let kept = pairs.into_iter().filter_map(|(key, value)| match key.key() == *first {
            true if rest.is_empty() => None,
            true => Some((key, value.without(rest))),
            false => Some((key, value)),
        });
        Self::Map(kept.collect())
    }

    /// As unambiguous YAML: brackets, and quotes around everything except bare words.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out.push('\n');
        out
    }

    fn key(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Text(text) => text,
            Self::List(_) | Self::Map(_) => "",
        }
    }

    fn write(&self, out: &mut String, depth: usize) {
        let line = |out: &mut String, depth: usize| {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        };
        match self {
            Self::Plain(text) => out.push_str(&bare(text).unwrap_or_else(|| quoted(text))),
            Self::Text(text) => out.push_str(&quoted(text)),
            Self::List(items) if items.is_empty() => out.push_str("[]"),
            Self::Map(pairs) if pairs.is_empty() => out.push_str("{}"),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    line(out, depth + 1);
                    item.write(out, depth + 1);
                }
                line(out, depth);
                out.push(']');
            }
            Self::Map(pairs) => {
                out.push('{');
                for (at, (key, value)) in pairs.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    line(out, depth + 1);
                    key.write(out, depth + 1);
                    out.push_str(": ");
                    value.write(out, depth + 1);
                }
                line(out, depth);
                out.push('}');
            }
        }
    }

    fn size(&self) -> usize {
        1 + match self {
            Self::Plain(_) | Self::Text(_) => 0,
            Self::List(items) => items.iter().map(Self::size).sum(),
            Self::Map(pairs) => pairs.iter().map(|(_, value)| 1 + value.size()).sum(),
        }
    }
}

/// An unfinished list or mapping, with its anchor.
struct Open {
    anchor: usize,
    is_map: bool,
    /// Of a mapping: keys and values in turn.
    nodes: Vec<Node>,
}

struct Reader {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    budget: usize,
    done: Option<Node>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        let tagged = || Err("a tag (!) is not taken: readers of YAML differ on them".to_owned());
        match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, _, Some(_))
            | Event::MappingStart(_, _, Some(_)) => tagged(),
            Event::Scalar(text, style, anchor, None) => {
                let text = text.into_owned();
                let node = if style == ScalarStyle::Plain { Node::Plain(text) } else { Node::Text(text) };
                self.put(node, anchor)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => self.put(node.clone(), 0),
                None => Err("an alias inside its own anchor".to_owned()),
            },
            Event::SequenceStart(_, anchor, None) => self.begin(anchor, false),
            Event::MappingStart(_, anchor, None) => self.begin(anchor, true),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let node = if open.is_map { mapping(open.nodes)? } else { Node::List(open.nodes) };
                self.put(node, open.anchor)
            }
            Event::DocumentStart(..) if self.done.is_some() => Err("a second document; only one is read".to_owned()),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, is_map: bool) -> Result<(), String> {
        if self.open.len() >= DEPTH {
            return Err(format!("more than {DEPTH} lists and mappings in each other"));
        }
        self.open.push(Open { anchor, is_map, nodes: Vec::new() });
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        let too_large = || format!("more than {NODES} entries, with its aliases resolved");
        let size = if self.anchors.is_empty() { 1 } else { node.size() };
        self.budget = self.budget.checked_sub(size).ok_or_else(too_large)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.nodes.push(node),
            None => self.done = Some(node),
        }
        Ok(())
    }
}

/// Pairs up keys and values, and merges mappings under `<<` below the mapping's own keys.
fn mapping(nodes: Vec<Node>) -> Result<Node, String> {
    let (mut own, mut merged) = (Vec::new(), Vec::new());
    let mut nodes = nodes.into_iter();
    while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
        match key {
            Node::Plain(text) if text == "<<" => merged.push(value),
            Node::List(_) | Node::Map(_) => return Err("a key must be a text".to_owned()),
            // Readers have different names for a null key.
            Node::Plain(text) if plain(&text).is_null() => return Err("a key must be a text".to_owned()),
            key => {
                if own.iter().any(|(other, _): &(Node, Node)| other.key() == key.key()) {
                    return Err(format!("the key {} is given twice", key.key()));
                }
                own.push((key, value));
            }
        }
    }
    for value in merged {
        let maps = match value {
            Node::Map(_) => vec![value],
            Node::List(items) => items,
            _ => return Err("only a mapping can be merged with <<".to_owned()),
        };
        for map in maps {
            let Node::Map(pairs) = map else { return Err("only a mapping can be merged with <<".to_owned()) };
            for (key, value) in pairs {
                if !own.iter().any(|(other, _)| other.key() == key.key()) {
                    own.push((key, value));
                }
            }
        }
    }
    Ok(Node::Map(own))
}

/// Control characters, a byte order mark, and line breaks of only some versions of YAML.
fn is_odd(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// A plain scalar that needs no quotes; without letters and digits it may be syntax.
fn bare(text: &str) -> Option<String> {
    if text.is_empty() || text == "~" {
        return Some("null".to_owned());
    }
    let fine = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'+' | b'-'));
    (fine && text.bytes().any(|b| b.is_ascii_alphanumeric())).then(|| text.to_owned())
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        // Writing to a String cannot fail.
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            ' '..='~' => write!(out, "{c}"),
            c if u32::from(c) <= 0xffff => write!(out, "\\u{:04x}", u32::from(c)),
            c => write!(out, "\\U{:08x}", u32::from(c)),
        };
    }
    out.push('"');
    out
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

/// Decimal, `0x`, `0o`, `0b`, the old octal with a leading zero, and floats.
fn number(text: &str) -> Option<Number> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let based = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(mark, base)| Some((digits.strip_prefix(mark)?, base)));
    let octal = || digits.strip_prefix('0').filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    let (digits, base) = based.or_else(|| octal().map(|rest| (rest, 8))).unwrap_or((digits, 10));
    if let Ok(found) = i64::from_str_radix(digits, base) {
        return Some(Number::from(sign * found));
    }
    if base != 10 || !digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+')) {
        return None;
    }
    text.parse().ok().and_then(Number::from_f64)
}

/// The first line of a YAML reader's error.
pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("not YAML").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn value(text: &str) -> Value {
        Node::parse(text).unwrap().value()
    }

    #[test]
    fn scalars_are_what_docker_takes_them_for() {
        let text = "a: 0555\nb: '0555'\nc: 1.20\nd:\ne: ~\nf: yes\ng: True\nh: 0x1f\ni: |\n  two\n  lines\nj: v1.2.3\nk: -5\nl: 1e3x\n";
        let wanted = json!({ "a": 365, "b": "0555", "c": 1.2, "d": null, "e": null, "f": "yes", "g": true, "h": 31,
            "i": "two\nlines\n", "j": "v1.2.3", "k": -5, "l": "1e3x" });
        assert_eq!(value(text), wanted);
    }

    #[test]
    fn what_is_written_keeps_the_notation_and_says_the_same() {
        let text = "a: 0555\nb: \"0555\"\nc: [x y, '#', '-', '- ', {k: }]\nd: {}\ne: \"\\e[31m ü 🟠\"\nf: !\n";
        let node = Node::parse(&text.replace("f: !\n", "")).unwrap();
        let written = node.text();
        assert!(written.is_ascii() && written.contains("a: 0555") && written.contains("b: \"0555\""), "{written}");
        assert_eq!(Node::parse(&written).unwrap().value(), node.value());
    }

    #[test]
    fn own_keys_win_over_merged_ones_wherever_the_merge_stands() {
        for text in ["x: &x {a: 1, b: 1}\ny:\n  a: 2\n  <<: *x\n", "x: &x {a: 1, b: 1}\ny:\n  <<: [*x]\n  a: 2\n"] {
            assert_eq!(value(text)["y"], json!({ "a": 2, "b": 1 }), "{text}");
        }
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        let nested = format!("{}{}", "[".repeat(100), "]".repeat(100));
        for (text, mark) in [
            ("a: !!binary L2V0YzoveA==", "tag"),
            ("!x {a: 1}", "tag"),
            ("a: 1\na: 2", "twice"),
            ("a: 1\n'a': 2", "twice"),
            ("a: 1\n---\nb: 2", "second document"),
            ("%YAML 1.1\n---\na: 1", "irective"),
            ("# x\u{2028}a: 1", "2028"),
            ("# x\u{85}a: 1", "85"),
            ("a: \u{feff}1", "feff"),
            ("? [a]\n: 1", "key"),
            ("? \n: 1", "key"),
            ("~: 1", "key"),
            ("<<: 1", "mapping"),
            ("a: &a [*a]", "alias"),
            (nested.as_str(), "each other"),
        ] {
            let why = Node::parse(text).unwrap_err();
            assert!(why.contains(mark), "{text}: {why}");
        }
        let mut bomb = "a0: &a0 [a,a,a,a,a,a,a,a,a]\n".to_owned();
        for n in 1..10 {
            let list = vec![format!("*a{}", n - 1); 9].join(",");
            bomb.push_str(&format!("a{n}: &a{n} [{list}]\n"));
        }
        assert!(Node::parse(&bomb).unwrap_err().contains("entries"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_it_was(text in "(?s)[a-z0-9:\\[\\]{}\\-$ \\n'\"&*<#|>?!]{0,120}") {
            if let Ok(node) = Node::parse(&text) {
                prop_assert_eq!(Node::parse(&node.text()).unwrap().value(), node.value());
            }
        }
    }
}
