//! Unknown secrets, recognized by their look or by the text in front of them: a provider's tokens, and cookies. A
//! server creates them during a test, so no list has them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::MARK;

/// Each masks its group `secret`. An invalid expression would fail every test here.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // A JSON web token: a header that begins with `{"`, a body, a signature.
        r"(?P<secret>\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})",
        // Headers, as a client or a server prints them in lines.
        r#"(?i)\b(?:set-)?cookie2?\\?"?[ \t]*:[ \t]*\\?"?(?P<secret>[^\s=;"]+=[^\r\n"\\]+)"#,
        r#"(?i)\bauthorization\\?"?[ \t]*:[ \t]*\\?"?(?:bearer|basic|token|digest)[ \t]+(?P<secret>[^\s"\\]+)"#,
        // Members of JSON, fields of forms, parameters of addresses.
        r#"(?i)\\?"(?:access_token|refresh_token|id_token|login_token|logintoken|client_secret|code_verifier|password)\\?"[ \t]*:[ \t]*\\?"(?P<secret>(?:[^"\\]|\\[^"])+)"#,
        r#"(?i)\b(?:access_token|refresh_token|id_token|id_token_hint|login_token|logintoken|client_secret|code_verifier|session_code|code|password)=(?P<secret>[^&\s"'<>;]+)"#,
    ]
    .iter()
    .filter_map(|shape| Regex::new(shape).ok())
    .collect()
});

/// The text without recognized secrets. Borrowed if unchanged.
pub(super) fn without(text: &str) -> Cow<'_, str> {
    let mut clean = Cow::Borrowed(text);
    for shape in SHAPES.iter() {
        if shape.is_match(&clean) {
            clean = Cow::Owned(shape.replace_all(&clean, marked).into_owned());
        }
    }
    clean
}

/// The match with its group `secret` replaced.
pub(crate) fn marked(found: &Captures<'_>) -> String {
    let whole = found.get(0).map_or("", |all| all.as_str());
    let (Some(all), Some(secret)) = (found.get(0), found.name("secret")) else { return whole.to_owned() };
    let (from, to) = (secret.start() - all.start(), secret.end() - all.start());
    format!("{}{MARK}{}", &whole[..from], &whole[to..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLWl0";

    #[test]
    fn tokens_and_cookies_that_nobody_told_are_taken_out() {
        for (text, clean) in [
            (format!("got {TOKEN} from it"), "got [redacted] from it"),
            (
                "> Authorization: Bearer abc.def\r\n> Host: a".to_owned(),
                "> Authorization: Bearer [redacted]\r\n> Host: a",
            ),
            ("set-cookie: KC=1; Path=/\nx".to_owned(), "set-cookie: [redacted]\nx"),
            (r#""set-cookie":"KC=abc","a":1"#.to_owned(), r#""set-cookie":"[redacted]","a":1"#),
            ("Cookie: a=1; b=2".to_owned(), "Cookie: [redacted]"),
            (r#""authorization": "token f00""#.to_owned(), r#""authorization": "token [redacted]""#),
            ("https://a/callback?state=1&code=abc.def".to_owned(), "https://a/callback?state=1&code=[redacted]"),
            (r#"{"access_token":"a1","expires_in":60}"#.to_owned(), r#"{"access_token":"[redacted]","expires_in":60}"#),
            (r#"{\"refresh_token\": \"a1\"}"#.to_owned(), r#"{\"refresh_token\": \"[redacted]\"}"#),
            ("grant_type=password&client_secret=s1&x=2".to_owned(), "grant_type=password&client_secret=[redacted]&x=2"),
            ("https://a/?loginToken=syl_1&y".to_owned(), "https://a/?loginToken=[redacted]&y"),
        ] {
            assert_eq!(without(&text), clean);
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_stays() {
        for text in [
            "the password grant was refused",
            "eyJ.a.b",
            "cookies: none were set",
            "access_token is missing",
            "no session cookie: expected 200, got 403",
            "authorization: it is refused",
            "exit code=",
            "\"password\": \"\"",
        ] {
            assert!(matches!(without(text), Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(SHAPES.len(), 5, "every shape is one that compiles");
    }
}
