//! Variables in compose files: `$X`, `${X}`, `${X:-default}`, `${X-default}`, `${X:?message}`,
//! `${X?message}`, and `$$` for a dollar. Defaults do not nest.

use std::collections::BTreeMap;

/// Replaces every variable in a text.
///
/// # Errors
/// What is wrong: a form that is none of the above, or a required variable that is not set.
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
            out.push_str(vars.get(&after[..end]).map_or("", String::as_str));
            rest = &after[end..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The value of what stands between braces; an error without words is a form that is not known.
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
        assert!(interpolate("${E:?no e}", &vars).unwrap_err().contains("no e"));
        assert_eq!(ok("${E?no e}"), "");
        for bad in ["${", "${A", "${}", "$1", "${A:x}", "cost: 5$"] {
            assert!(interpolate(bad, &vars).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_escaped_text_comes_back(text in ".{0,100}") {
            let _ = interpolate(&text, &BTreeMap::new());
            prop_assert_eq!(interpolate(&text.replace('$', "$$"), &BTreeMap::new()).unwrap(), text);
        }
    }
}
