//! What a config's template requires: `{{ env "NAME" }}`, `{{ secret "NAME" }}`. Source of the functions: swarmkit,
//! `template/context.go`; the language is Go's `text/template`.

use std::collections::BTreeSet;

/// Words that may handle an empty value.
const CHOOSES: [&str; 13] = ["or", "and", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "default", ":=", "="];

/// The names that a template passes to a function unconditionally, at any depth of an expression. Blocks may be skipped
/// on purpose and do not count; neither does an `env` in an expression that may handle an empty value. A missing secret
/// is refused anywhere.
pub fn asked(text: &str, function: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut depth = 0_usize;
    for action in text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
        let action = action.trim_matches('-').trim();
        match action.split_whitespace().next() {
            Some("if" | "with" | "range" | "block" | "define") => depth += 1,
            Some("end") => depth = depth.saturating_sub(1),
            _ => {}
        }
        let words = || action.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|'));
        let chooses = function == "env" && words().any(|word| CHOOSES.contains(&word));
        if depth > 0 || chooses || action.starts_with("/*") {
            continue;
        }
        for (at, _) in action.match_indices(function) {
            let starts = action[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || c == '(' || c == '|');
            let rest = action[at + function.len()..].trim_start();
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '`'));
            if let (true, Some(quote)) = (starts, quote)
                && let Some((name, _)) = rest[1..].split_once(quote)
            {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_whatever_is_set() {
        let text = "{{ env \"A\" }}{{- env `B` -}}{{ printf \"%s:%s\" (env \"C\") (secret \"s\") }}\
                    {{ if env \"OPT\" }}{{ env \"IN\" }}{{ else }}{{ secret \"in\" }}{{ end }}{{/* env \"NO\" */}}\
                    {{ or (env \"D\") (secret \"t\") }}{{ $x := env \"E\" }}{{ environment \"F\" }}{{ \"env\" }}";
        let of = |function| asked(text, function).into_iter().collect::<Vec<_>>();
        assert_eq!(of("env"), ["A", "B", "C"]);
        assert_eq!(of("secret"), ["s", "t"]);
    }
}
