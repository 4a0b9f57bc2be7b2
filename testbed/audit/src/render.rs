//! The audit, one fix after the other.

use std::fmt::Write as _;

use super::{Audited, Fix, Shown, TestResult};
use journal::text::{count, one_line};

/// What is said of a fix.
fn words(shown: Shown) -> &'static str {
    match shown {
        Shown::NoTest => "no test",
        Shown::TestsAlone => "changes tests alone",
        Shown::NotRun => "touches tests, which were not run",
        Shown::FailsWithout => "a test fails without it",
        Shown::PassesWithout => "its tests pass without it",
        Shown::Broken => "a test of it is broken",
        Shown::CannotTell => "cannot be told",
    }
}

/// The list and the total.
pub fn terminal(audited: &Audited) -> String {
    let mut text = String::new();
    for fix in &audited.fixes {
        one(&mut text, fix);
    }
    let of = |shown: Shown| audited.fixes.iter().filter(|fix| fix.shown == shown).count();
    let shipped = audited.fixes.iter().filter(|fix| !fix.tests.is_empty()).count();
    let _ = write!(
        text,
        "{} {} in {}: {shipped} touch tests, {} touch none",
        audited.fixes.len(),
        if audited.fixes.len() == 1 { "fix" } else { "fixes" },
        count(audited.commits, "commit"),
        of(Shown::NoTest)
    );
    if audited.ran {
        let parts = [
            Shown::FailsWithout,
            Shown::PassesWithout,
            Shown::Broken,
            Shown::CannotTell,
            Shown::TestsAlone,
            Shown::NotRun,
        ];
        // The first two are always told.
        for (_, shown) in parts.into_iter().enumerate().filter(|(n, shown)| *n < 2 || of(*shown) > 0) {
            let _ = write!(text, "; {}: {}", words(shown), of(shown));
        }
    }
    text.push('\n');
    text
}

fn one(text: &mut String, fix: &Fix) {
    let commit = &fix.commit[..fix.commit.len().min(8)];
    let _ = writeln!(text, "{commit} {} {}", fix.date, one_line(&fix.subject, 100));
    let note = if fix.note.is_empty() { String::new() } else { format!(" ({})", one_line(&fix.note, 160)) };
    let _ = writeln!(text, "  {}{note}", words(fix.shown));
    for test in &fix.tests {
        let said = match &test.result {
            None => String::new(),
            Some(TestResult::FailsWithout) => ": fails without the fix".to_owned(),
            Some(TestResult::PassesWithout) => ": passes without the fix".to_owned(),
            Some(TestResult::Broken(how)) => format!(": {}", one_line(how, 160)),
            Some(TestResult::CannotTell(why)) => format!(": cannot be told: {}", one_line(why, 160)),
        };
        let _ = writeln!(text, "  - {}{said}", one_line(&test.test.to_string(), 160));
    }
}
