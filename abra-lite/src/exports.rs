//! The exports of `abra.sh` as the real abra takes them: by a pattern on the line, and not as a shell would.

use std::collections::BTreeMap;

/// The exports; the line that ends the program where one cannot be taken apart. A line counts that begins with `export`,
/// a name, `=` and a letter, digit or `_`. Its value is all that follows the last `export ` on it, and holds no second `=`.
pub(crate) fn by_pattern(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| counts(line)) {
        let last = line.rsplit("export ").next().unwrap_or(line);
        match last.split('=').collect::<Vec<_>>()[..] {
            [name, value] => found.insert(name.to_owned(), value.to_owned()),
            _ => return Err(format!("couldn't parse {line} of abra.sh")),
        };
    }
    Ok(found)
}

fn counts(line: &str) -> bool {
    let word = |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').count();
    let Some(rest) = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])) else { return false };
    let rest = rest.trim_start_matches([' ', '\t']);
    let name = word(rest);
    name > 0 && rest[name..].strip_prefix('=').is_some_and(|value| word(value) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_by_their_beginning_and_are_taken_to_their_end() {
        let text = "export A=v1\n  export INDENTED=v1\nexport QUOTED=\"v1\"\nexport NOTED=v1 # note\nexport DOT=v1.2\n\
                    export EMPTY=\nexport NAME\nexported=1\nfoo() {\n  B=2\n}\n";
        let found = by_pattern(text).unwrap();
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("A", "v1"), ("DOT", "v1.2"), ("NOTED", "v1 # note")]);
        assert!(by_pattern("export A=v1 B=v2\n").unwrap_err().starts_with("couldn't parse export A=v1 B=v2"));
    }
}
