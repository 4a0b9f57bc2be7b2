//! Findings as lines for people.

use std::fmt::Write as _;

use super::{DoctorFinding, Level};

/// A line for each finding with the number of its step in docs/operate.md, a second line with the command that fixes
/// it, and a summary.
pub fn render(findings: &[DoctorFinding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.level {
            Level::Ok => "ok  ",
            Level::Warn => "warn",
            Level::Bad => "BAD ",
        };
        let number = finding.line.map_or_else(String::new, |line| line.to_string());
        let _ = writeln!(text, "{mark} {number:>2}  {:<16} {}", finding.check, finding.what);
        if let Some(mend) = &finding.mend {
            let _ = writeln!(text, "         {:<16} fix: {mend}", "");
        }
    }
    text.push_str("\nThe numbers are those of \"From zero\" in docs/operate.md.\n");
    let bad = findings.iter().filter(|finding| finding.level == Level::Bad).count();
    let _ = match bad {
        0 => writeln!(text, "\nthis machine can run cc-ci"),
        1 => writeln!(text, "\none thing keeps this machine from running cc-ci"),
        _ => writeln!(text, "\n{bad} things keep this machine from running cc-ci"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_well() {
        let findings = [
            DoctorFinding::ok("engine", "docker 20.10.24"),
            DoctorFinding::warn("IPVS", "the kernel has none", ""),
            DoctorFinding::bad("network proxy", "there is none", "cc-ci up"),
        ];
        insta::assert_snapshot!(render(&findings), @r#"
        ok    1  engine           docker 20.10.24
        warn  2  IPVS             the kernel has none
        BAD   2  network proxy    there is none
                                  fix: cc-ci up

        The numbers are those of "From zero" in docs/operate.md.

        one thing keeps this machine from running cc-ci
        "#);
    }
}
