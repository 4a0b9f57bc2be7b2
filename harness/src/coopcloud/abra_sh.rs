//! `abra.sh`: config versions, read as text. The file is a stranger's code and is never run here.

use std::collections::BTreeMap;

/// The values of `export NAME=value`; several may stand on a line. Values with substitutions are
/// taken as they are written.
#[must_use]
pub fn exports(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let Some(rest) = line.trim_start().strip_prefix("export ") else { continue };
        for word in rest.split_whitespace().take_while(|word| !word.starts_with('#')) {
            if let Some((name, value)) = word.split_once('=')
                && !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            {
                let value = value.trim_end_matches(';').trim_matches(['"', '\'']);
                found.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    found
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
}
