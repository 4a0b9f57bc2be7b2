//! Addresses in reports.

use super::mask::{MARK, is_by_chance, names_a_secret};

/// Minimum length of a path segment or query value that counts as a secret if it looks random.
const CHANCE: usize = 24;

/// An address without user, password and fragment: the fragment of some logins is a token.
fn bare(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("//") else { return url.to_owned() };
    let end = rest.find(['/', '?', '\\']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}//{host}{rest}")
}

/// An address without login, fragment, and parts that are secrets by their name or look.
pub(super) fn masked(url: &str) -> String {
    let url = bare(url);
    let (place, query) = match url.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (url.as_str(), None),
    };
    let mut out: Vec<&str> = Vec::new();
    for segment in place.split('/') {
        out.push(if is_token(segment) { MARK } else { segment });
    }
    let mut out = out.join("/");
    if let Some(query) = query {
        let pairs: Vec<String> = query.split('&').map(pair).collect();
        out = format!("{out}?{}", pairs.join("&"));
    }
    out
}

fn pair(pair: &str) -> String {
    match pair.split_once('=') {
        // An address in a query has its own query.
        Some((name, value)) if names_a_secret(name) || is_token(value) || value.contains("%3F") => {
            format!("{name}={MARK}")
        }
        None if is_token(pair) => MARK.to_owned(),
        _ => pair.to_owned(),
    }
}

/// Whether a part of an address looks random.
fn is_token(part: &str) -> bool {
    part.len() >= CHANCE && is_by_chance(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_no_login_and_no_token() {
        for (url, want) in [
            ("https://a.ci/x/y.txt?page=2&q=a", "https://a.ci/x/y.txt?page=2&q=a"),
            ("https://eve:pw@a.ci:8443/x", "https://a.ci:8443/x"),
            ("https://eve:p@w@a.ci?x=1#access_token=1", "https://a.ci?x=1"),
            ("/back?code=abc&State=1&x=2", "/back?code=[redacted]&State=[redacted]&x=2"),
            ("/reset/Abcdefgh1234567890IJKLMNop/now", "/reset/[redacted]/now"),
            ("/login?next=%2Fback%3Fcode%3Dabc", "/login?next=[redacted]"),
            ("/x?Abcdefgh1234567890IJKLMNop", "/x?[redacted]"),
            ("/w/3f2504e0-4f89-41d3-9a0c-0305e82c3301", "/w/3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
            ("//eve@b.ci/x", "//b.ci/x"),
            ("", ""),
        ] {
            assert_eq!(masked(url), want, "{url}");
        }
    }
}
