//! `abra.sh`: config versions, parsed as text. The file is untrusted and is never executed here.

use std::collections::{BTreeMap, BTreeSet};

/// The values of `export NAME=value`; a line may have several. Substitutions in values are not expanded.
pub fn exports(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let Some(rest) = line.trim_start().strip_prefix("export ") else { continue };
        for word in rest.split_whitespace().take_while(|word| !word.starts_with('#')) {
            if let Some((name, value)) = word.split_once('=')
                && is_name(name)
            {
                let value = value.trim_end_matches(';').trim_matches(['"', '\'']);
                found.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    found
}

/// The names that readers of the file may parse differently. abra's pattern is unknown, so only `export NAME=value`
/// alone on a line and from its start is unambiguous. A compose file that uses one of these could differ between a
/// check and a deployment.
pub fn doubtful(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines().filter(|line| plain(line).is_none()) {
        let Some((_, rest)) = line.split_once("export") else { continue };
        let ends = rest.match_indices('=').map(|(at, _)| &rest[..at]);
        let name = |before: &str| {
            let start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            before[start.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))..].to_owned()
        };
        found.extend(ends.map(name).filter(|name| is_name(name)));
    }
    found
}

/// The names with a quoted value: a reader may skip such a line.
pub fn quoted(text: &str) -> BTreeSet<String> {
    let quotes = |value: &str| value.starts_with(['"', '\'']);
    let found = text.lines().filter_map(plain).filter(|(_, value)| quotes(value));
    found.map(|(name, _)| name.to_owned()).collect()
}

/// A line that every reader parses as one name and one value.
fn plain(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix("export ")?.trim_end().split_once('=')?;
    let inner = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"_.+:/@,-".contains(&b);
    (is_name(name) && inner.unwrap_or(value).bytes().all(fine)).then_some((name, value))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_read_and_functions_are_not() {
        let found = exports("export A_VERSION=v1\nexport B=\"v2\" C='v3' # D=x\nfoo() {\n  E=v5\n}\n");
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("A_VERSION".into(), "v1".into()), ("B".into(), "v2".into()), ("C".into(), "v3".into())]
        );
    }

    #[test]
    fn what_two_readers_may_take_in_two_ways_is_doubtful() {
        let plain = "export A_VERSION=v1\nexport B=1.2-3+x  \r\nfoo() {\n  C=1\n}\n# exports nothing\n";
        assert_eq!(doubtful(plain), BTreeSet::new());
        let quotes = "export A=\"v1\"\nexport B='v2'\nexport C=v3\n";
        assert_eq!((doubtful(quotes), quoted(quotes)), (BTreeSet::new(), BTreeSet::from(["A".into(), "B".into()])));
        for line in [
            "  export EVIL=/etc",
            "# export EVIL=/etc",
            "export A=v1 # export EVIL=/etc",
            "export A=v1 EVIL=/etc",
            "export EVIL=\"/etc\" # x",
            "export\tEVIL=/etc",
            "export EVIL=$(cat x)",
            "é export é EVIL=/etc",
        ] {
            assert!(doubtful(line).contains("EVIL"), "{line}: {:?}", doubtful(line));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(?s)(export |[A=é #\\n$\"])*{0,40}") {
            let _ = (exports(&text), doubtful(&text));
        }
    }
}
