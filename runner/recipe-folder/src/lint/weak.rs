//! Tests that are weaker than they look, as far as a line shows it. What needs an app to show is
//! `cc-ci prove`'s work.

use super::{Finding, Folder, Rule};

/// What a line of the scaffold has that nobody filled in yet.
pub(super) const UNFILLED: &str = "FILL IN";

pub(super) fn check(folder: &Folder) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, text) in &folder.files {
        let (Some(text), Some(language)) = (text, Language::of(name)) else { continue };
        let mut add = |line: usize, rule, text: &str| findings.push(folder.finding(name, Some(line), rule, text));
        let mut loops = 0_usize;
        for (index, line) in text.lines().enumerate() {
            let (number, trimmed) = (index + 1, line.trim());
            if trimmed.contains(UNFILLED) {
                add(number, Rule::Unfilled, "the scaffold wants to be filled in here");
            }
            if let Some(comment) = language.comment(trimmed) {
                if language.is_commented_test(comment) {
                    add(number, Rule::CommentedOut, "a test that is commented out: delete it, or make it work");
                }
                continue;
            }
            if language.skips(trimmed) {
                add(number, Rule::Skipped, "leaves out a part of the test");
            }
            if fixed_version(trimmed) {
                add(number, Rule::FixedVersion, "a version is written down: use CCCI_VERSION, or read it from the app");
            }
            if language == Language::Shell && words(trimmed).windows(2).any(|pair| pair == ["app", "run"]) {
                add(
                    number,
                    Rule::AppRun,
                    "abra app run wants a terminal, and a service whose name begins as no other's: \"$CCCI_EXEC\" SERVICE -- COMMAND",
                );
            }
            if language.sleeps(trimmed, &mut loops) {
                add(
                    number,
                    Rule::BareSleep,
                    "waits for a time and not for a condition: loop until what is awaited is there",
                );
            }
        }
        if language == Language::Shell && is_started(name) && !stops_at_failure(text) {
            add(1, Rule::NoErrexit, "goes on after a command that failed: set -euo pipefail");
        }
    }
    findings
}

/// What a test is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Shell,
    Hurl,
    Rust,
}

impl Language {
    fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "sh" => Some(Self::Shell),
            "hurl" => Some(Self::Hurl),
            "rs" => Some(Self::Rust),
            _ => None,
        }
    }

    /// The text of a line that is a comment.
    fn comment(self, line: &str) -> Option<&str> {
        match self {
            Self::Shell | Self::Hurl => line.strip_prefix('#').filter(|rest| !rest.starts_with('!')),
            Self::Rust => line.strip_prefix("//"),
        }
        .map(str::trim)
    }

    /// Whether a comment is code that somebody switched off. Prose seldom begins like this.
    fn is_commented_test(self, comment: &str) -> bool {
        let begins: &[&str] = match self {
            Self::Shell => {
                &["curl -", "curl \"", "grep -", "grep \"", "[[ ", "[ \"", "test \"", "test -", "diff <", "hurl "]
            }
            Self::Hurl => &[
                "GET {{",
                "GET http",
                "POST {{",
                "PUT {{",
                "PATCH {{",
                "DELETE {{",
                "HTTP 2",
                "HTTP 4",
                "jsonpath \"",
                "header \"",
                "body contains",
                "xpath \"",
                "[Asserts]",
            ],
            Self::Rust => &["assert!(", "assert_eq!(", "assert_ne!(", "test."],
        };
        begins.iter().any(|begin| comment.starts_with(begin))
    }

    /// Whether a line leaves the test early, or swallows an assertion.
    fn skips(self, line: &str) -> bool {
        match self {
            Self::Shell => {
                let asserts =
                    ["grep ", "[[ ", "[ ", "test ", "diff ", "cmp "].iter().any(|word| line.starts_with(word));
                let swallows = line.ends_with("|| true") || line.ends_with("|| :");
                let leaves = words(line).windows(2).any(|pair| pair == ["exit", "0"]);
                leaves || (asserts && swallows) || line.to_lowercase().contains("skipping")
            }
            Self::Hurl => false,
            Self::Rust => line.starts_with("#[ignore") || line.contains("todo!(") || line.contains("unimplemented!("),
        }
    }

    /// Whether a line sleeps outside any loop. `loops` is how many are open.
    fn sleeps(self, line: &str, loops: &mut usize) -> bool {
        match self {
            Self::Shell => {
                let mut found = false;
                for word in words(line) {
                    match word {
                        "do" => *loops += 1,
                        "done" => *loops = loops.saturating_sub(1),
                        "sleep" if *loops == 0 => found = true,
                        _ => {}
                    }
                }
                found
            }
            Self::Hurl => false,
            Self::Rust => line.contains("sleep("),
        }
    }
}

/// A line's words as a shell would part them, roughly.
fn words(line: &str) -> Vec<&str> {
    line.split(|c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')'))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether cc-ci starts a script itself, so that its exit code is the test.
fn is_started(name: &str) -> bool {
    !name.starts_with("lib/") && name.contains('/')
}

fn stops_at_failure(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        let option = line
            .strip_prefix("set -")
            .or_else(|| line.strip_prefix("#!/bin/sh -"))
            .or_else(|| line.strip_prefix("#!/bin/bash -"));
        line == "set -o errexit"
            || option.is_some_and(|rest| rest.split_whitespace().next().is_some_and(|flags| flags.contains('e')))
    })
}

/// Whether a line has three numbers with dots between, and not four: those are addresses.
fn fixed_version(line: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    line.split(|c: char| !is_part(c)).any(|run| {
        let parts: Vec<&str> = run.trim_matches('.').split('.').collect();
        parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.len() < 6)
    })
}
