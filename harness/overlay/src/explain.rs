//! What a person reads about a Hurl file that has run: a line for each thing that is wrong, then
//! the request and the answer.

use std::fmt::Write as _;

use hurl::http::Call;
use hurl::runner::{AssertResult, EntryResult, HurlResult, RunnerError, RunnerErrorKind as Kind};
use hurl_core::error::DisplaySourceError as _;
use hurl_core::text::Format;

use super::{OverlayResult, one_line};

/// The most that a detail holds, in bytes.
const DETAIL: usize = 8 * 1024;
/// The most that a wanted or a found value takes in a line, in characters.
const VALUE: usize = 200;
/// The most that is shown of a body, in bytes.
const BODY: usize = 2 * 1024;
/// Headers whose values open doors.
const SECRET_HEADERS: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-csrf-token"];

/// The result, and every value that the file captured.
pub(super) fn result(ran: &HurlResult, content: &str, name: &str) -> (OverlayResult, Vec<(String, String)>) {
    let captures: Vec<_> = ran
        .entries
        .iter()
        .flat_map(|entry| &entry.captures)
        .map(|capture| (capture.name.clone(), capture.value.to_string()))
        .collect();
    let errors = ran.errors();
    let hide = |text: String| hide(text, &ran.variables.secrets());
    if errors.is_empty() {
        return (OverlayResult::passed(shown(ran, captures.len())), captures);
    }

    let broken = errors.iter().any(|(error, _)| is_own_fault(&error.kind));
    let mut lines: Vec<String> = Vec::new();
    for (error, entry) in &errors {
        let ran = ran.entries.iter().rev().find(|ran| ran.source_info == *entry);
        lines.push(line(error, ran, content, name));
    }
    let more = match lines.len() {
        1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    let text = hide(format!("{}{more}", lines[0]));
    let mut detail = lines.join("\n") + "\n";
    if let Some(call) = ran.entries.last().and_then(|entry| entry.calls.last()) {
        write_call(&mut detail, call);
    }
    let detail = cut(hide(detail), DETAIL);
    let result = if broken { OverlayResult::broken(text) } else { OverlayResult::failed(text) };
    (result.with_detail(detail), Vec::new())
}

/// What a green file has shown: how much it asked, and how much it asserted beyond status codes.
fn shown(ran: &HurlResult, captured: usize) -> String {
    let asserted = ran
        .entries
        .iter()
        .flat_map(|entry| &entry.asserts)
        .filter(|a| !matches!(a, AssertResult::ImplicitStatus { .. } | AssertResult::ImplicitVersion { .. }))
        .count();
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let mut text = count(ran.entries.len(), "request");
    if asserted > 0 {
        text += &format!(", {}", count(asserted, "assertion"));
    }
    if captured > 0 {
        text += &format!(", {captured} value{} captured", if captured == 1 { "" } else { "s" });
    }
    text
}

/// `file:line METHOD URL: wanted …, got …`
fn line(error: &RunnerError, entry: Option<&EntryResult>, content: &str, name: &str) -> String {
    let at = error.source_info.start.line;
    let source = content.lines().nth(at.saturating_sub(1)).unwrap_or_default().trim();
    let request = entry
        .and_then(|entry| entry.calls.last())
        .map(|call| format!(" {} {}", call.request.method, one_line(&call.request.url.raw(), VALUE)))
        .unwrap_or_default();
    let value = |text: &str| one_line(text, VALUE);
    let what = match &error.kind {
        Kind::AssertStatus { actual } => format!("wanted {}, got {actual}", value(source)),
        Kind::AssertVersion { actual } => format!("wanted {}, got {}", value(source), value(actual)),
        Kind::AssertHeaderValueError { actual } => {
            format!("wanted the header {}, got {}", value(source), value(actual))
        }
        Kind::AssertBodyValueError { actual, expected } => {
            format!("wanted the body {}, got {}", value(expected), value(actual))
        }
        Kind::AssertBodyDiffError { .. } => "the body is another one".to_owned(),
        Kind::AssertFailure { actual, expected, .. } => {
            format!("{}: wanted {}, got {}", value(source), value(expected), value(actual))
        }
        Kind::NoQueryResult => format!("{}: nothing there", value(source)),
        Kind::QueryHeaderNotFound => format!("{}: the answer has no such header", value(source)),
        Kind::QueryInvalidJson => format!("{}: the answer is no JSON", value(source)),
        Kind::QueryInvalidXml => format!("{}: the answer is no HTML or XML", value(source)),
        Kind::Http(error) => format!("no answer: {}", value(&error.message())),
        Kind::TemplateVariableNotDefined { name } => format!("the variable {name} is not set"),
        _ => {
            let text = error.fixme(&content.lines().collect::<Vec<_>>()).to_string(Format::Plain);
            let reason = text.trim_start_matches([' ', '^', '\n']);
            format!("{}: {}", error.description().to_lowercase(), value(reason))
        }
    };
    format!("{name}:{at}{request}: {what}")
}

/// Faults of the file and not of the app.
fn is_own_fault(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::TemplateVariableNotDefined { .. }
            | Kind::InvalidRegex
            | Kind::InvalidXPathEval
            | Kind::InvalidUrl { .. }
            | Kind::InvalidOptionValue { .. }
            | Kind::QueryInvalidJsonpathExpression { .. }
            | Kind::FileReadAccess { .. }
            | Kind::FileWriteAccess { .. }
            | Kind::UnauthorizedFileAccess { .. }
            | Kind::FilterInvalidEncoding(_)
            | Kind::FilterInvalidFormatSpecifier(_)
            | Kind::UnrenderableExpression { .. }
            | Kind::ExpressionInvalidType { .. }
            | Kind::UnsupportedSecretType(_)
            | Kind::PossibleLoggedSecret
            | Kind::BinaryOutput
    )
}

fn write_call(out: &mut String, call: &Call) {
    let (request, response) = (&call.request, &call.response);
    let _ = writeln!(out, "\n> {} {}", request.method, request.url.raw());
    for header in request.headers.iter() {
        let _ = writeln!(out, "> {}: {}", header.name, header_value(&header.name, &header.value));
    }
    write_body(out, '>', &request.body);
    let _ = writeln!(out, "< {}", response.status);
    for header in response.headers.iter() {
        let _ = writeln!(out, "< {}: {}", header.name, header_value(&header.name, &header.value));
    }
    write_body(out, '<', &response.body);
}

fn header_value<'a>(name: &str, value: &'a str) -> &'a str {
    if SECRET_HEADERS.contains(&name.to_lowercase().as_str()) { "***" } else { value }
}

fn write_body(out: &mut String, mark: char, body: &[u8]) {
    if body.is_empty() {
        return;
    }
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains('\0') => {
            for line in cut(mask_json(text), BODY).lines() {
                let _ = writeln!(out, "{mark} {line}");
            }
        }
        _ => {
            let _ = writeln!(out, "{mark} [{} bytes that are no text]", body.len());
        }
    }
}

/// Hides the string values of JSON keys that name a token, a password or a secret: apps answer
/// with them, and nobody else knows that they exist.
fn mask_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let Some(len) = string_end(&rest[start + 1..]) else { break };
        let key = rest[start + 1..start + 1 + len].to_lowercase();
        let after = start + 1 + len + 1;
        out.push_str(&rest[..after]);
        rest = &rest[after..];
        let is_secret = ["token", "password", "secret", "signature"].iter().any(|word| key.contains(word));
        let gap = rest.len() - rest.trim_start_matches([' ', ':', '\n', '\t']).len();
        if is_secret && rest[..gap].contains(':') && rest[gap..].starts_with('"') {
            let Some(len) = string_end(&rest[gap + 1..]) else { break };
            out.push_str(&rest[..gap]);
            out.push_str("\"***\"");
            rest = &rest[gap + 1 + len + 1..];
        }
    }
    out.push_str(rest);
    out
}

/// Where the JSON string ends whose first character is the text's first.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

fn hide(mut text: String, secrets: &[String]) -> String {
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.as_str(), "***");
    }
    text
}

fn cut(mut text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let (whole, end) = (text.len(), text.floor_char_boundary(limit));
    text.truncate(end);
    let _ = write!(text, "\n[cut: {} bytes]", whole - end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_of_telling_keys_are_hidden() {
        let body = r#"{"access_token": "abc\"d", "user_id":"@a:b", "n": {"form_secret":"x"}, "tokens": 3}"#;
        assert_eq!(
            mask_json(body),
            r#"{"access_token": "***", "user_id":"@a:b", "n": {"form_secret":"***"}, "tokens": 3}"#
        );
        assert_eq!(mask_json(r#"say "token" and "password"#), r#"say "token" and "password"#);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("aäb".to_owned(), 2), "a\n[cut: 3 bytes]");
        assert_eq!(cut("aäb".to_owned(), 4), "aäb");
    }

    proptest! {
        #[test]
        fn masking_never_panics_and_leaves_text_without_keys_alone(text in "[ -~]{0,60}") {
            let masked = mask_json(&text);
            if !text.to_lowercase().contains(['k', 'w', 's']) {
                prop_assert_eq!(masked, text);
            }
        }
    }
}
