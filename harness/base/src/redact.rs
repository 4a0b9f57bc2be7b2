//! Removes secrets from reports: every text passes a [`Redactor`] first.

pub(crate) mod shapes;

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::exchange::Clean;

/// The replacement of a secret.
pub(crate) const MARK: &str = "[redacted]";

/// Minimum length of a secret: removing shorter ones would break words, and they could be guessed from the gaps.
const SHORTEST: usize = 6;

/// Removes the known secrets of a run from texts: as they are, in base64 (both alphabets, also inside a longer encoded
/// text), percent-encoded, and escaped for JSON. Clones share the secrets.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a secret within a secret does not leave the rest of the longer one.
    forms: Arc<RwLock<Vec<String>>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(…)")
    }
}

impl Redactor {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret. Returns false for one of fewer than 6 characters, which is not added.
    pub fn add(&self, value: &str) -> bool {
        if value.chars().count() < SHORTEST {
            return false;
        }
        let mut forms = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        forms.extend(forms_of(value));
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        true
    }

    /// The text without known secrets, tokens and cookies. Borrowed if unchanged.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match shapes::without(text) {
            Cow::Borrowed(text) => self.without_known(text),
            Cow::Owned(text) => Cow::Owned(self.without_known(&text).into_owned()),
        }
    }

    /// The start of a longer text without secrets, including a partial secret at its end.
    pub fn start_of(&self, text: &str) -> String {
        let mut clean = self.text(text).into_owned();
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        let starts_at_the_end = |form: &String| {
            let ends = form.char_indices().map(|(at, _)| at).rev();
            ends.into_iter().find(|&end| end > 0 && clean.ends_with(&form[..end]))
        };
        if let Some(longest) = forms.iter().filter_map(starts_at_the_end).max() {
            clean.truncate(clean.len() - longest);
        }
        clean
    }

    fn without_known<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        if !forms.iter().any(|form| text.contains(form.as_str())) {
            return Cow::Borrowed(text);
        }
        let bytes = text.as_bytes();
        // All matches are marked before anything is removed, so that two overlapping secrets are both removed.
        let mut hidden = vec![false; bytes.len()];
        for form in forms.iter() {
            let mut from = 0;
            while let Some(at) = text[from..].find(form.as_str()).map(|at| from + at) {
                hidden[at..at + form.len()].fill(true);
                from = at + text[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        let mut out = String::with_capacity(text.len());
        let mut was_hidden = false;
        for (at, c) in text.char_indices() {
            if hidden[at] {
                if !was_hidden {
                    out.push_str(MARK);
                }
            } else {
                out.push(c);
            }
            was_hidden = hidden[at];
        }
        Cow::Owned(out)
    }

    /// Removes secrets from every string of a JSON value, including names in objects.
    pub fn json(&self, value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => {
                if let Cow::Owned(clean) = self.text(text) {
                    *text = clean;
                }
            }
            serde_json::Value::Array(values) => values.iter_mut().for_each(|value| self.json(value)),
            serde_json::Value::Object(map) => {
                if map.keys().any(|name| matches!(self.text(name), Cow::Owned(_))) {
                    *map = std::mem::take(map)
                        .into_iter()
                        .map(|(name, value)| (self.text(&name).into_owned(), value))
                        .collect();
                }
                map.values_mut().for_each(|value| self.json(value));
            }
            _ => {}
        }
    }
}

impl Clean for Redactor {
    fn whole(&self, text: &str) -> String {
        self.text(text).into_owned()
    }

    fn start(&self, text: &str) -> String {
        self.start_of(text)
    }
}

/// Every form in which a value may appear in a text.
fn forms_of(value: &str) -> Vec<String> {
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut forms = vec![
        value.to_owned(),
        percent(value, false, false),
        percent(value, false, true),
        percent(value, true, false),
        percent(value, true, true),
        percent(value, false, false).replace("%20", "+"),
        json.trim_matches('"').to_owned(),
        json_ascii(value),
    ];
    for shift in 0..3 {
        forms.push(base64_within(value.as_bytes(), shift, &STANDARD_NO_PAD));
        forms.push(base64_within(value.as_bytes(), shift, &URL_SAFE_NO_PAD));
    }
    // The whole encoded text with its last characters, which `base64_within` omits.
    forms.push(STANDARD_NO_PAD.encode(value));
    forms.push(URL_SAFE_NO_PAD.encode(value));
    forms.retain(|form| form.chars().count() >= SHORTEST);
    forms
}

/// The characters of a base64 text that depend only on the value after `shift` other bytes (modulo 3): those at its
/// borders mix with adjacent bytes.
fn base64_within(value: &[u8], shift: usize, engine: &impl Engine) -> String {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(value);
    let text = engine.encode(&padded);
    let first = (shift * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    text.get(first..last).unwrap_or_default().to_owned()
}

/// Percent-encoding of everything except letters and digits, or also except the four unreserved characters; with upper-
/// or lower-case hexadecimal digits.
fn percent(value: &str, all: bool, small: bool) -> String {
    value
        .bytes()
        .map(|b| match b {
            b'-' | b'.' | b'_' | b'~' if !all => char::from(b).to_string(),
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b if small => format!("%{b:02x}"),
            b => format!("%{b:02X}"),
        })
        .collect()
}

/// A JSON string with everything beyond ASCII escaped, as some writers do.
fn json_ascii(value: &str) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut units = [0; 2];
    json.trim_matches('"')
        .chars()
        .map(|c| {
            if c.is_ascii() {
                return c.to_string();
            }
            c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use proptest::prelude::*;

    fn knows(value: &str) -> Redactor {
        let redactor = Redactor::new();
        assert!(redactor.add(value));
        redactor
    }

    #[test]
    fn a_short_value_is_not_learnt() {
        let redactor = Redactor::new();
        assert!(!redactor.add("admin"));
        assert_eq!(redactor.text("admin"), "admin");
    }

    #[test]
    fn nothing_shows_what_is_known() {
        assert_eq!(format!("{:?}", knows("hunter22")), "Redactor(…)");
    }

    #[test]
    fn a_clone_learns_too() {
        let redactor = Redactor::new();
        redactor.clone().add("hunter22");
        assert_eq!(redactor.text("pw=hunter22."), "pw=[redacted].");
    }

    #[test]
    fn a_secret_within_a_secret_leaves_nothing() {
        let redactor = knows("hunter22");
        redactor.add("my-hunter22-long");
        assert_eq!(redactor.text("a my-hunter22-long b hunter22 c"), "a [redacted] b [redacted] c");
    }

    #[test]
    fn the_start_of_a_text_ends_with_no_start_of_a_secret() {
        let redactor = knows("abcdefgh");
        assert_eq!(redactor.start_of("x abcdefgh y abcd"), "x [redacted] y ");
        assert_eq!(redactor.start_of("x abcdefgh"), "x [redacted]");
        assert_eq!(redactor.start_of("x y"), "x y");
    }

    #[test]
    fn secrets_that_overlap_both_go() {
        let redactor = knows("abcdefgh");
        redactor.add("efghijkl");
        assert_eq!(redactor.text("xabcdefghijklx"), "x[redacted]x");
        let redactor = knows("aabaab");
        assert_eq!(redactor.text("aabaabaab"), MARK);
    }

    #[test]
    fn a_password_in_basic_authorization_goes() {
        for user in ["a", "ab", "abc"] {
            let header = STANDARD.encode(format!("{user}:correct-horse"));
            let clean = knows("correct-horse").text(&header).into_owned();
            assert!(clean.contains(MARK), "{clean}");
            let left = clean.replace(MARK, "");
            assert!(left.len() <= header.len() - 15, "{clean}");
        }
    }

    #[test]
    fn json_loses_secrets_in_values_and_names() {
        let mut json = serde_json::json!({"hunter22": [{"a": "x hunter22"}, 7, null]});
        knows("hunter22").json(&mut json);
        assert_eq!(json, serde_json::json!({"[redacted]": [{"a": "x [redacted]"}, 7, null]}));
    }

    proptest! {
        #[test]
        fn no_encoded_form_survives(value in "[ -~äß€😀\\n\"]{6,40}", before in ".{0,9}", after in ".{0,9}") {
            prop_assume!(!MARK.contains(&value));
            let redactor = knows(&value);
            let json = serde_json::to_string(&value).unwrap();
            for form in [
                value.clone(),
                STANDARD.encode(&value),
                URL_SAFE.encode(&value),
                STANDARD_NO_PAD.encode(&value),
                URL_SAFE_NO_PAD.encode(&value),
                percent(&value, true, false),
                percent(&value, false, true),
                json.trim_matches('"').to_owned(),
                json_ascii(&value),
            ] {
                let clean = redactor.text(&format!("{before}{form}{after}")).into_owned();
                prop_assert!(clean.contains(MARK));
                let around = before.contains(&form) || after.contains(&form);
                prop_assert!(around || !clean.replace(MARK, "\u{0}").contains(&form), "{} in {}", form, clean);
            }
        }

        #[test]
        fn a_value_inside_an_encoded_text_does_not_survive(
            value in "[a-zA-Z0-9]{8,40}", before in "[a-z]{0,9}", after in "[a-z]{0,9}",
        ) {
            let whole = format!("{before}{value}{after}");
            for text in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                let clean = knows(&value).text(&text).into_owned();
                prop_assert!(clean.contains(MARK), "{} in {}", value, text);
            }
        }

        #[test]
        fn a_text_without_secrets_is_unchanged(text in "[a-z {}\":=+/%]{0,80}") {
            let redactor = knows("SECRET-VALUE-1");
            prop_assert!(matches!(redactor.text(&text), Cow::Borrowed(same) if same == text));
        }
    }
}
