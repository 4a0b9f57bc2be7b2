//! Masks unknown secrets by the names in front of them. An app's responses contain them, and a test need not know that.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

pub(super) use crate::redact::MARK;
use crate::redact::shapes::marked;

/// Parts of names that indicate a secret value.
const PARTS: &str = "token|passw|passphrase|secret|signature|session|cookie|credential|api[_-]?key|private[_-]?key\
    |access[_-]?key|authori[sz]ation|jwt|otp|csrf|xsrf|nonce|verifier|recovery|invite";
/// Whole names that indicate a secret value.
const NAMES: &str = "code|state|sid|sig|key|auth|pass|pwd|pw|pin";

static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("(?i)(?:{PARTS})|^(?:{NAMES})$")).ok());

/// Each masks its group `secret`. An invalid expression would fail every test here.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let key = format!(r"(?:[\w.\[\]%-]*(?:{PARTS})[\w.\[\]%-]*|\b(?:{NAMES})\b)");
    let quoted = format!(r#""(?:[^"\\\n]{{0,60}}(?:{PARTS})[^"\\\n]{{0,60}}|(?:{NAMES}))"\s*:\s*"#);
    [
        // JSON: a text, or a list of texts; and the same inside a text of JSON.
        format!(r#"(?i){quoted}"(?P<secret>(?:[^"\\]|\\.)+)"#),
        format!(r#"(?i){quoted}\[(?P<secret>[^\]]+)"#),
        format!(r#"(?i){key}\\"\s*:\s*\\"(?P<secret>[^"\\]+)"#),
        // Scripts and settings.
        format!(r#"(?i){key}["']?\s*[:=]\s*"(?P<secret>(?:[^"\\]|\\.)+)"#),
        format!(r#"(?i){key}["']?\s*[:=]\s*'(?P<secret>(?:[^'\\]|\\.)+)"#),
        // Forms, lines of headers and of YAML.
        format!(r#"(?i){key}=(?P<secret>[^&\s"'<>;]+)"#),
        format!(r#"(?im)^[ \t]*[\w-]*(?:{PARTS})[\w-]*:[ \t]+(?P<secret>[^\s"'\[{{<][^\n]*)"#),
        // XML.
        format!(r"(?i)<[\w:-]*(?:{PARTS})[\w-]*(?:\s[^<>]*)?>(?P<secret>[^<]+)"),
        // HTTP credentials, and keys in PEM.
        r"(?i)\b(?:bearer|basic|negotiate)[ \t]+(?P<secret>[\w.~+/=-]{8,})".to_owned(),
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<secret>[^-]+)".to_owned(),
    ]
    .iter()
    .filter_map(|shape| Regex::new(shape).ok())
    .collect()
});

/// A tag with a value; at the end of a text it may be unterminated.
static TAG: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)<(?:input|meta|option|button|textarea)\b[^<>]*>?").ok());
/// Values of such a tag.
static VALUE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i)\b(?:value|content)\s*=\s*["']?(?P<secret>[^"'<>]+)"#).ok());

/// A long word: see [`is_by_chance`].
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9_~+%=-]{32,}").ok());

/// Whether a word looks random: characters of tokens, with upper case, lower case and digits. UUIDs and checksums have
/// no upper case.
pub(super) fn is_by_chance(word: &str) -> bool {
    let sign = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~' | b'+' | b'%' | b'=');
    let has = |what: fn(&u8) -> bool| word.as_bytes().iter().any(what);
    word.bytes().all(sign) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

/// Whether a name indicates a secret value.
pub(super) fn names_a_secret(name: &str) -> bool {
    NAMED.as_ref().is_none_or(|named| named.is_match(name))
}

/// The text without secrets by name or look.
pub fn mask(text: &str) -> String {
    let mut clean = Cow::Borrowed(text);
    if let (Some(tag), Some(value)) = (TAG.as_ref(), VALUE.as_ref()) {
        let tagged = tag.replace_all(&clean, |found: &Captures<'_>| {
            let tag = found.get(0).map_or("", |all| all.as_str());
            let lower = tag.to_ascii_lowercase();
            let hidden = lower.contains("hidden") || !lower.ends_with('>') || names_a_secret(&lower);
            if hidden { value.replace_all(tag, marked).into_owned() } else { tag.to_owned() }
        });
        clean = Cow::Owned(tagged.into_owned());
    }
    for shape in SHAPES.iter() {
        if shape.is_match(&clean) {
            clean = Cow::Owned(shape.replace_all(&clean, marked).into_owned());
        }
    }
    if let Some(word) = WORD.as_ref() {
        let by_chance = |found: &Captures<'_>| {
            let word = found.get(0).map_or("", |all| all.as_str());
            if is_by_chance(word) { MARK.to_owned() } else { word.to_owned() }
        };
        clean = Cow::Owned(word.replace_all(&clean, by_chance).into_owned());
    }
    clean.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_of_telling_names_are_hidden() {
        for (text, want) in [
            (
                r#"{"my token": "a\"b", "id": "7", "tokens": 3}"#,
                r#"{"my token": "[redacted]", "id": "7", "tokens": 3}"#,
            ),
            (r#"{"backup_tokens":["a1","b2"],"x":1}"#, r#"{"backup_tokens":[[redacted]],"x":1}"#),
            (r#""{\"rawApiKey\": \"abc\", \"n\": 1}""#, r#""{\"rawApiKey\": \"[redacted]\", \"n\": 1}""#),
            ("csrfToken: 'abc', user: 'eve'", "csrfToken: '[redacted]', user: 'eve'"),
            (r#"const apiKey = "abc";"#, r#"const apiKey = "[redacted]";"#),
            ("user=eve&user[password]=p%20w&x=1", "user=eve&user[password]=[redacted]&x=1"),
            ("X-Token: abc def\nname: eve", "X-Token: [redacted]\nname: eve"),
            ("<sessionKey a='1'>abc</sessionKey><n>1</n>", "<sessionKey a='1'>[redacted]</sessionKey><n>1</n>"),
            ("<input value=\"abc\" name=_csrf><p>x", "<input value=\"[redacted]\" name=_csrf><p>x"),
            ("<input type=hidden value=abc>", "<input type=hidden value=[redacted]>"),
            ("<input value='abc", "<input value='[redacted]"),
            ("<input name=title value='abc'>", "<input name=title value='abc'>"),
            ("Bearer abc.def-ghi", "Bearer [redacted]"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII", "-----BEGIN RSA PRIVATE KEY-----[redacted]"),
            ("{\"data\":\"U2FsdGVkX19K5dJDKhzl1YQmnlRtItIAYiPC\"}", "{\"data\":\"[redacted]\"}"),
            ("a8b98f4d-b615-4f91-8065-de182138b0d5", "a8b98f4d-b615-4f91-8065-de182138b0d5"),
            (r#"say "token" and "password""#, r#"say "token" and "password""#),
            ("<h1>Welcome</h1> 3 items", "<h1>Welcome</h1> 3 items"),
        ] {
            assert_eq!(mask(text), want);
        }
        assert_eq!(SHAPES.len(), 10, "every shape is one that compiles");
        assert!(TAG.is_some() && VALUE.is_some() && NAMED.is_some() && WORD.is_some());
    }

    proptest! {
        #[test]
        fn nothing_is_hidden_twice(text in "[ -~\n]{0,80}") {
            let once = mask(&text);
            prop_assert_eq!(mask(&once).matches(MARK).count(), once.matches(MARK).count());
        }
    }
}
