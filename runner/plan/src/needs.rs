//! What a chosen test needs from the tests before it: one test hands values to later ones by name, so a test that uses a name needs
//! the test that gives it. Read from the text of the tests, without running any. Pure.
//!
//! A name that is put together at run time, such as `"${name}_token"`, counts as every name of that form. What is taken
//! along too much costs a moment; what is missing makes a chosen test red for no reason of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

/// A test, and what its file says.
#[derive(Debug, Clone, Copy)]
pub struct TestText<'a> {
    /// Its name, with its folder.
    pub name: &'a str,
    /// The file.
    pub text: &'a str,
}

/// The tests before the chosen ones whose values those use, and so on. `tests` are in the order in which they run, `libraries`
/// are the scripts of `lib/`, and `known` are names that have a value already.
pub fn needed(
    tests: &[TestText<'_>],
    libraries: &[&str],
    known: &BTreeSet<String>,
    is_chosen: impl Fn(&str) -> bool,
) -> BTreeSet<String> {
    let functions: Functions<'_> = libraries.iter().flat_map(|text| functions_of(text)).collect();
    let handed: Vec<Handed> = tests.iter().map(|test| Handed::of(test, &functions)).collect();
    let mut wanted: Vec<usize> = (0..tests.len()).filter(|at| is_chosen(tests[*at].name)).collect();
    let mut found: BTreeSet<usize> = wanted.iter().copied().collect();
    while let Some(at) = wanted.pop() {
        for name in handed[at].uses.iter().filter(|name| !known.contains(*name)) {
            let is_new = |giver: &usize| !found.contains(giver);
            let givers = givers(&handed[..at], name);
            let new: Vec<usize> = givers.into_iter().filter(is_new).collect();
            found.extend(&new);
            wanted.extend(new);
        }
    }
    found.into_iter().map(|at| tests[at].name).filter(|name| !is_chosen(name)).map(str::to_owned).collect()
}

/// The last test that gives this very name, since its value counts; else all that may give it.
fn givers(before: &[Handed], name: &str) -> Vec<usize> {
    match before.iter().rposition(|one| one.gives.contains(name)) {
        Some(last) => vec![last],
        None => (0..before.len()).filter(|at| before[*at].may_give.iter().any(|form| form.is_match(name))).collect(),
    }
}

/// What a test takes from earlier ones and hands to later ones.
struct Handed {
    uses: BTreeSet<String>,
    gives: BTreeSet<String>,
    may_give: Vec<Regex>,
}

impl Handed {
    fn of(test: &TestText<'_>, functions: &Functions<'_>) -> Self {
        let (uses, given) = match test.name.rsplit_once('.').map(|(_, end)| end) {
            Some("hurl") => (all(&HURL_USE, test.text), all(&HURL_GIVE, test.text)),
            Some("rs") => (all(&RUST_USE, test.text), rust_gives(test.text)),
            _ => shell(test.text, functions),
        };
        let (mut gives, mut may_give) = (BTreeSet::new(), Vec::new());
        for name in given {
            match form(&name) {
                None => drop(gives.insert(name)),
                Some(form) => may_give.push(form),
            }
        }
        // What a test makes itself it does not need.
        let uses = uses.into_iter().filter(|name| !gives.contains(name)).collect();
        Self { uses, gives, may_give }
    }
}

/// The form of a name that is put together at run time; none for a plain name.
fn form(name: &str) -> Option<Regex> {
    let parts: Vec<&str> = HOLE.as_ref()?.split(name).collect();
    if parts.len() == 1 {
        return None;
    }
    let literal: Vec<String> = parts.into_iter().map(regex::escape).collect();
    Regex::new(&format!("^{}$", literal.join("[A-Za-z0-9_-]*"))).ok()
}

type Functions<'a> = BTreeMap<&'a str, &'a str>;

/// The functions of a script, by name, each with its body.
fn functions_of(text: &str) -> Vec<(&str, &str)> {
    let part = |found: regex::Captures<'_>| {
        let (name, body) = (found.get(1)?, found.get(2)?);
        Some((&text[name.range()], &text[body.range()]))
    };
    captures(&FUNCTION, text).filter_map(part).collect()
}

/// Names that a script uses and gives, by itself and in the functions of `lib/` that it calls.
fn shell(text: &str, functions: &Functions<'_>) -> (BTreeSet<String>, BTreeSet<String>) {
    let own = functions_of(text);
    let mut functions = functions.clone();
    functions.extend(own);
    let writes =
        |body: &str, form: &Pattern| body.contains(FILE) && form.as_ref().is_some_and(|form| form.is_match(body));
    let is_setter = |body: &str| writes(body, &SETTER) || writes(body, &SETTER_OF_ALL);
    let mut called: BTreeSet<&str> = BTreeSet::new();
    let mut parts = vec![text];
    let mut at = 0;
    while let Some(part) = parts.get(at).copied() {
        for (name, body) in functions.iter().filter(|(_, body)| !is_setter(body)) {
            if !called.contains(name) && mentions(part, name) {
                called.insert(name);
                parts.push(body);
            }
        }
        at += 1;
    }
    let whole = parts.join("\n");
    let mut given = BTreeSet::new();
    if whole.contains(FILE) {
        given.extend(all(&SHELL_GIVE, &whole));
    }
    let calls = |name: &str, arguments: &str| {
        Regex::new(&format!(r"(?m)(?:^|[;&|{{(]|\bthen|\bdo)\s*{}{arguments}", regex::escape(name))).ok()
    };
    for (name, body) in functions.iter().filter(|(_, body)| is_setter(body)) {
        if writes(body, &SETTER_OF_ALL) {
            let lines = all(&calls(name, r"\b((?:\\\n|.)*)"), &whole);
            given.extend(lines.iter().flat_map(|line| all(&SHELL_PAIR, line)));
        } else {
            given.extend(all(&calls(name, r#"\s+["']?([^\s"']+)"#), &whole));
        }
    }
    let assigned = all(&SHELL_ASSIGN, &whole);
    let uses = all(&SHELL_USE, &whole).into_iter().filter(|name| !assigned.contains(name)).collect();
    (uses, given)
}

/// Names that a test in Rust gives: a text, a format, or a variable, which may be any name.
fn rust_gives(text: &str) -> BTreeSet<String> {
    captures(&RUST_GIVE, text)
        .map(|found| found.get(1).map_or_else(|| "{}".to_owned(), |text| text.as_str().to_owned()))
        .collect()
}

fn captures<'a>(regex: &'a Option<Regex>, text: &'a str) -> impl Iterator<Item = regex::Captures<'a>> {
    regex.iter().flat_map(move |regex| regex.captures_iter(text))
}

fn mentions(text: &str, word: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).any(|one| one == word)
}

fn all(regex: &Option<Regex>, text: &str) -> BTreeSet<String> {
    captures(regex, text)
        .filter_map(|found| found.iter().skip(1).flatten().next())
        .map(|one| one.as_str().to_owned())
        .collect()
}

/// The file that hands values on, as scripts call it.
const FILE: &str = "CCCI_WORK/variables";

type Pattern = LazyLock<Option<Regex>>;

macro_rules! regex {
    ($name:ident, $text:expr) => {
        // The text is a constant, and a test shows that it is a pattern.
        static $name: Pattern = LazyLock::new(|| Regex::new($text).ok());
    };
}

regex!(HURL_USE, r"\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}");
regex!(HURL_GIVE, r"(?m)^\s*(keep_[A-Za-z0-9_-]*)\s*:");
regex!(RUST_USE, r#"\.value\(\s*"([^"]+)""#);
regex!(RUST_GIVE, r#"\.remember\(\s*(?:&?format!\(\s*)?(?:"([^"]+)"|&?[a-z_][a-z_0-9.]*\s*,)"#);
regex!(SHELL_USE, r"\$\{?([A-Za-z_][A-Za-z0-9_]*)");
regex!(SHELL_ASSIGN, r"(?m)(?:^|[\s;(])(?:for\s+([A-Za-z_][A-Za-z0-9_]*)\s+in\b|([A-Za-z_][A-Za-z0-9_]*)=)");
regex!(SHELL_GIVE, r#"(?:printf|echo)\s+["']?([A-Za-z0-9_$%{}]+)="#);
regex!(SHELL_PAIR, r#"\s["']?([A-Za-z_$][A-Za-z0-9_${}]*)="#);
regex!(FUNCTION, r"(?ms)^([A-Za-z_][A-Za-z0-9_-]*)\s*\(\)\s*\{\n(.*?)^\}");
regex!(SETTER, r#"(?:printf|echo)\s+["']?(?:%s|\$\{?1\}?)="#);
regex!(SETTER_OF_ALL, r#"printf\s+["']%s\\n["']\s+"\$@""#);
// What stands for another text in a name: of a shell, of printf, or of a format in Rust.
regex!(HOLE, r"\$\{[^}]*\}|\$[0-9@*]|\$[A-Za-z_][A-Za-z0-9_]*|%s|\{[^}]*\}");

#[cfg(test)]
mod tests;
