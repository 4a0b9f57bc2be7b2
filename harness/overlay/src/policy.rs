//! What a Hurl file may not do: weaken itself, or leave the run's network settings.

use hurl_core::ast::{CountOption, Entry, HurlFile, OptionKind, SectionValue, StatusValue};
use hurl_core::types::Count;

use super::OverlayResult;

/// The first thing in a file that no test may have.
pub(super) fn objection(file: &HurlFile, name: &str) -> Option<OverlayResult> {
    let broken = |line: usize, why: &str| Some(OverlayResult::broken(format!("{name}:{line}: {why}")));
    for entry in &file.entries {
        for section in &entry.request.sections {
            let SectionValue::Options(options) = &section.value else { continue };
            for option in options {
                if let Some(why) = forbidden(&option.kind) {
                    return broken(option.line_terminator0.space0.source_info.start.line, why);
                }
            }
        }
    }
    match file.entries.first() {
        None => Some(OverlayResult::broken("has no request")),
        Some(first) if !file.entries.iter().any(shows_something) => broken(
            first.source_info().start.line,
            "asserts nothing but status 200, which any page answers: assert what only this app can say",
        ),
        Some(_) => None,
    }
}

fn forbidden(option: &OptionKind) -> Option<&'static str> {
    let endless = |count: &CountOption| matches!(count, CountOption::Literal(Count::Infinite));
    match option {
        OptionKind::Skip(_) => Some("a skipped request is no test: remove it"),
        OptionKind::Delay(_) => Some("a delay guesses: use retry with an assertion on what is waited for"),
        OptionKind::Insecure(_) => Some("certificates are checked: CCCI_CA is trusted already"),
        OptionKind::Proxy(_) | OptionKind::NetRc(_) | OptionKind::NetRcFile(_) | OptionKind::NetRcOptional(_) => {
            Some("a test uses no settings of the machine that it runs on")
        }
        OptionKind::Retry(count) if endless(count) => Some("retry wants a number: nothing is waited for for ever"),
        OptionKind::Repeat(count) if endless(count) => Some("repeat wants a number"),
        _ => None,
    }
}

/// Whether an entry asserts or captures more than "200".
fn shows_something(entry: &Entry) -> bool {
    entry.response.as_ref().is_some_and(|response| {
        let other_status = matches!(response.status.value, StatusValue::Specific(status) if status != 200);
        other_status || !response.headers.is_empty() || !response.sections.is_empty() || response.body.is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(content: &str) -> Option<String> {
        let file = hurl_core::parser::parse_hurl_file(content).unwrap();
        objection(&file, "f/x.hurl").map(|result| result.text)
    }

    #[test]
    fn a_bare_200_is_no_test() {
        let why = "f/x.hurl:1: asserts nothing but status 200, which any page answers: \
                   assert what only this app can say";
        assert_eq!(says("GET http://a/\nHTTP 200\n").as_deref(), Some(why));
        assert_eq!(says("GET http://a/\n").as_deref(), Some(why));
        assert_eq!(says("GET http://a/\nHTTP *\n").as_deref(), Some(why));
        assert_eq!(says("").as_deref(), Some("has no request"));
        assert_eq!(says("GET http://a/\nHTTP 404\n"), None);
        assert_eq!(says("GET http://a/\nHTTP 200\n[Asserts]\nbody contains \"x\"\n"), None);
    }

    #[test]
    fn what_weakens_a_test_is_named_with_its_line() {
        let with = |option: &str| {
            says(&format!("GET http://a/\n[Options]\nlocation: true\n{option}\nHTTP 404\n")).unwrap_or_default()
        };
        for option in
            ["skip: true", "delay: 1s", "insecure: true", "proxy: a:1", "retry: -1", "repeat: -1", "netrc: true"]
        {
            assert!(with(option).starts_with("f/x.hurl:4: "), "{option}: {}", with(option));
        }
        assert_eq!(with("retry: 10"), "");
    }
}
