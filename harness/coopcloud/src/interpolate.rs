//! Variables in compose files: `$X`, `${X}`, `${X:-default}`, `${X-default}`, `${X:?message}`, `${X?message}`, and `$$`
//! for a dollar. Defaults do not nest.
//!
//! docker searches for the first of `:-`, `-`, `:?`, `?` anywhere in the expression, so `${X?not-set}` is for it a
//! variable `X?not` with the default `set`; and it parses `$X-more` as `${X-more}`. Text that docker parses differently
//! from a human reader is refused.

use std::collections::BTreeMap;

/// Replaces every variable in a text.
///
/// # Errors
/// A form that is none of the above, or a required variable that is not set.
pub fn interpolate(text: &str, vars: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(next) = after.strip_prefix('$') {
            out.push('$');
            rest = next;
        } else if let Some(inside) = after.strip_prefix('{') {
            let (expression, next) = inside.split_once('}').ok_or_else(|| invalid(text))?;
            out.push_str(&evaluate(expression, vars).map_err(|why| why.unwrap_or_else(|| invalid(text)))?);
            rest = next;
        } else {
            let end = name_length(after);
            if end == 0 {
                return Err(invalid(text));
            }
            rest = &after[end..];
            if is_operator(rest) || rest.starts_with(folded) {
                return Err(format!("docker parses the text after ${} differently; write ${{{0}}}", &after[..end]));
            }
            out.push_str(vars.get(&after[..end]).map_or("", String::as_str));
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// One use of a variable in a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub name: String,
    /// The replacement if it is not set.
    pub unset: Unset,
}

/// The replacement of an unset variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unset {
    Empty,
    Default(String),
    /// The file is refused.
    Refused {
        /// Whether an empty value is accepted.
        empty_is_fine: bool,
    },
}

/// The variables in a text that [`interpolate`] replaces, each as often as it is used.
pub fn uses_in(text: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('$') {
        if let Some(next) = after.strip_prefix('$') {
            rest = next;
            continue;
        }
        let inside = after.strip_prefix('{').and_then(|inside| inside.split_once('}')).map(|(inside, _)| inside);
        let start = after.strip_prefix('{').unwrap_or(after);
        let end = name_length(start);
        if end > 0 {
            let unset = inside.map_or(Unset::Empty, |inside| unset(inside.get(end..).unwrap_or_default()));
            uses.push(Use { name: start[..end].to_owned(), unset });
        }
        rest = after;
    }
    uses
}

/// The meaning of an operator after a name.
fn unset(operator: &str) -> Unset {
    if operator.starts_with('?') || operator.starts_with(":?") {
        return Unset::Refused { empty_is_fine: operator.starts_with('?') };
    }
    match operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-')) {
        Some(default) => Unset::Default(default.to_owned()),
        None => Unset::Empty,
    }
}

/// The variables in a text without a value, a default or a message.
pub fn unset_in(text: &str, vars: &BTreeMap<String, String>) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('$') {
        if let Some(next) = after.strip_prefix('$') {
            rest = next;
            continue;
        }
        let start = after.strip_prefix('{').unwrap_or(after);
        let end = name_length(start);
        let is_bare = start.len() == after.len() || start[end..].starts_with('}');
        if end > 0 && is_bare && !vars.contains_key(&start[..end]) {
            names.push(start[..end].to_owned());
        }
        rest = after;
    }
    names
}

/// Whether a default or a message begins here.
fn is_operator(text: &str) -> bool {
    [":-", "-", ":?", "?"].iter().any(|operator| text.starts_with(operator))
}

/// Characters that docker's case-insensitive pattern accepts as s and k.
fn folded(c: char) -> bool {
    matches!(c, '\u{17f}' | '\u{212a}')
}

/// The value of an expression in braces; an error without a message is an unknown form.
fn evaluate(expression: &str, vars: &BTreeMap<String, String>) -> Result<String, Option<String>> {
    let end = name_length(expression);
    let (name, operator) = expression.split_at(end);
    if name.is_empty() {
        return Err(None);
    }
    let value = vars.get(name).map(String::as_str);
    let filled = value.filter(|value| !value.is_empty());
    let required = |found: Option<&str>, message: &str| {
        found.map(str::to_owned).ok_or_else(|| Some(format!("required variable {name} is missing a value: {message}")))
    };
    let two_ways = |earlier: &[&str], text: &str| earlier.iter().any(|operator| text.contains(operator));
    let ambiguous = match operator.strip_prefix(":?").or_else(|| operator.strip_prefix('?')) {
        Some(message) => two_ways(&["-", ":?"], message),
        None => operator.strip_prefix('-').is_some_and(|default| two_ways(&[":-"], default)),
    };
    if ambiguous {
        return Err(Some(format!("docker parses ${{{expression}}} differently from how it reads")));
    }
    if operator.is_empty() {
        Ok(value.unwrap_or_default().to_owned())
    } else if let Some(default) = operator.strip_prefix(":-") {
        Ok(filled.unwrap_or(default).to_owned())
    } else if let Some(default) = operator.strip_prefix('-') {
        Ok(value.unwrap_or(default).to_owned())
    } else if let Some(message) = operator.strip_prefix(":?") {
        required(filled, message)
    } else if let Some(message) = operator.strip_prefix('?') {
        required(value, message)
    } else {
        Err(None)
    }
}

fn name_length(text: &str) -> usize {
    let mut chars = text.char_indices();
    match chars.next() {
        Some((_, c)) if c.is_ascii_alphabetic() || c == '_' => {}
        _ => return 0,
    }
    chars.find(|(_, c)| !c.is_ascii_alphanumeric() && *c != '_').map_or(text.len(), |(at, _)| at)
}

fn invalid(text: &str) -> String {
    let line: String = text.chars().take(80).collect();
    format!("invalid interpolation format in {line:?}; a dollar that is meant is written $$")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form() {
        let vars = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("E".to_owned(), String::new())]);
        let ok = |text: &str| interpolate(text, &vars).unwrap();
        assert_eq!(ok("$A ${A} x$$A $NONE."), "1 1 x$A .");
        assert_eq!(ok("${E:-d} ${E-d} ${N:-d} ${N-d} ${A:-d}"), "d  d d 1");
        assert_eq!(ok("${N:-a-b:-c} ${N-a-b} $A:x $A."), "a-b:-c a-b 1:x 1.");
        assert!(interpolate("${E:?no e}", &vars).unwrap_err().contains("no e"));
        assert_eq!(ok("${E?no e}"), "");
        for bad in [
            "${",
            "${A",
            "${}",
            "$1",
            "${A:x}",
            "cost: 5$",
            "${A-x:-/etc}",
            "${A?not-set}",
            "${A:?x-/etc}",
            "$A-x",
            "$A:-x",
            "$A?x",
            "$A\u{17f}/etc",
            "${A\u{212a}}",
        ] {
            assert!(interpolate(bad, &vars).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_found() {
        let names: Vec<_> = uses_in("$A x$$B ${C:-$} ${D-d}${E}").into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["A", "C", "D", "E"]);
        let unset = |text: &str| uses_in(text)[0].unset.clone();
        assert_eq!(unset("$A"), Unset::Empty);
        assert_eq!(unset("${A:-}"), Unset::Default(String::new()));
        assert_eq!(unset("${A-x}"), Unset::Default("x".to_owned()));
        assert_eq!(unset("${A:?say it}"), Unset::Refused { empty_is_fine: false });
        assert_eq!(unset("${A?}"), Unset::Refused { empty_is_fine: true });
    }

    proptest! {
        #[test]
        fn no_text_panics_and_escaped_text_comes_back(text in ".{0,100}") {
            let _ = interpolate(&text, &BTreeMap::new());
            prop_assert_eq!(interpolate(&text.replace('$', "$$"), &BTreeMap::new()).unwrap(), text);
        }
    }
}
