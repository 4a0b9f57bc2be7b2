//! A Rust file in two parts: what is compiled for tests alone, and the rest. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

use syn::spanned::Spanned as _;
use syn::{Attribute, Item, Meta};

/// What a Rust file has for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RustFile {
    /// Its tests by their path in the file, such as `tests::adds`, with their text.
    pub(super) tests: BTreeMap<String, String>,
    /// Modules that are files of their own and are compiled for tests alone.
    pub(super) test_files: Vec<String>,
    /// Where the items at the top are that are compiled for tests alone, in bytes.
    parts: Vec<Range<usize>>,
}

/// Reads a file; none where it is no Rust that can be parsed.
pub(super) fn read(text: &str) -> Option<RustFile> {
    let file = syn::parse_file(text).ok()?;
    // A byte order mark is no part of what the parser counts.
    if !text.is_char_boundary(0) || text.starts_with('\u{feff}') {
        return None;
    }
    let mut read = RustFile::default();
    for item in &file.items {
        if for_tests(attributes(item)) {
            read.parts.push(item.span().byte_range());
            if let Item::Mod(module) = item
                && module.content.is_none()
            {
                read.test_files.push(module.ident.to_string());
            }
        }
    }
    collect(&file.items, "", text, &mut read.tests);
    Some(read)
}

/// `code` without what it has for tests, and what `tests` has for tests behind it. None where one of them cannot
/// be parsed.
pub(super) fn put_together(code: &str, tests: &str) -> Option<String> {
    let (of_code, of_tests) = (read(code)?, read(tests)?);
    let mut out = String::with_capacity(code.len() + tests.len());
    let mut from = 0;
    for part in &of_code.parts {
        out.push_str(code.get(from..part.start)?);
        from = part.end;
    }
    out.push_str(code.get(from..)?);
    for part in of_tests.parts {
        out.push('\n');
        out.push_str(tests.get(part)?);
        out.push('\n');
    }
    Some(out)
}

fn collect(items: &[Item], above: &str, text: &str, tests: &mut BTreeMap<String, String>) {
    for item in items {
        match item {
            Item::Fn(function) if function.attrs.iter().any(is_test) => {
                tests.insert(format!("{above}{}", function.sig.ident), slice(text, item));
            }
            Item::Mod(module) => {
                if let Some((_, inside)) = &module.content {
                    collect(inside, &format!("{above}{}::", module.ident), text, tests);
                }
            }
            Item::Macro(call) if call.mac.path.segments.last().is_some_and(|last| last.ident == "proptest") => {
                let said = slice(text, item);
                for name in functions(call.mac.tokens.clone()) {
                    tests.insert(format!("{above}{name}"), said.clone());
                }
            }
            _ => {}
        }
    }
}

fn slice(text: &str, item: &Item) -> String {
    text.get(item.span().byte_range()).unwrap_or_default().to_owned()
}

/// The names of the functions at the top of a macro's tokens.
fn functions(tokens: proc_macro2::TokenStream) -> Vec<String> {
    let words: Vec<String> = tokens.into_iter().map(|token| token.to_string()).collect();
    words.windows(2).filter(|pair| pair[0] == "fn").map(|pair| pair[1].clone()).collect()
}

/// `#[test]`, `#[tokio::test]`, `#[rstest]`.
fn is_test(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "test" || last.ident == "rstest")
}

/// `#[cfg(test)]`, also among others in `all`.
fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        let said = list.tokens.to_string().replace(' ', "");
        let all = said.strip_prefix("all(").and_then(|rest| rest.strip_suffix(')'));
        list.path.is_ident("cfg") && all.unwrap_or(&said).split(',').any(|word| word == "test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r####"//! ü
use std::fmt;

/// Adds.
pub fn add(a: u8, b: u8) -> u8 { a + b }

#[cfg(test)]
mod fixtures;

#[cfg(all(test, unix))]
use std::path::Path;

#[cfg(test)]
mod tests {
    use super::*;

    /// Why.
    #[test]
    fn adds() { assert_eq!(add(1, 2), 3, r#"
}
"#); }

    #[tokio::test]
    async fn waits() {}

    fn helper() {}

    proptest! {
        #[test]
        fn always(a in 0..9_u8) { prop_assert!(add(a, 0) == a); }
    }
}

pub fn last() {}
"####;

    #[test]
    fn tests_are_found_and_told_from_the_rest() {
        let read = read(FILE).unwrap();
        assert_eq!(read.tests.keys().collect::<Vec<_>>(), ["tests::adds", "tests::always", "tests::waits"]);
        assert!(
            read.tests["tests::adds"].starts_with("/// Why.")
                && read.tests["tests::adds"].ends_with("3, r#\"\n}\n\"#); }")
        );
        assert_eq!(read.test_files, ["fixtures"]);
        assert!(super::read("fn {").is_none());
    }

    #[test]
    fn code_of_one_and_tests_of_the_other_are_put_together() {
        let old = "pub fn add(a: u8, b: u8) -> u8 { a - b }\n#[cfg(test)]\nmod tests { #[test] fn old() {} }\n";
        let both = put_together(old, FILE).unwrap();
        assert!(
            both.contains("a - b") && !both.contains("a + b") && !both.contains("fn old") && !both.contains("last")
        );
        assert!(both.contains("mod fixtures;") && both.contains("fn adds()") && both.contains("use std::path::Path"));
        assert_eq!(super::read(&both).unwrap().tests, super::read(FILE).unwrap().tests);
        let gone = put_together(FILE, "pub fn add() {}\n").unwrap();
        assert!(gone.contains("pub fn last() {}") && !gone.contains("cfg(test)"));
    }
}
