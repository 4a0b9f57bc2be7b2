//! Parses the table of `recipe lint`. It exits with 0 even if rules fail, so the rows are read.

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintRow {
    /// The rule's number, such as R014.
    pub reference: String,
    /// The rule's text.
    pub rule: String,
    /// `error` or `warn`.
    pub severity: String,
    pub satisfied: bool,
    pub skipped: bool,
    /// How to fix it.
    pub mend: String,
}

/// Parses the rows of the box table; other lines are skipped.
pub fn parse_lint(output: &str) -> Vec<LintRow> {
    output.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<LintRow> {
    let cells: Vec<&str> = line.split(['│', '┃', '|', '║']).map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let reference = *cells.first()?;
    let number = reference.strip_prefix('R')?;
    if number.len() != 3 || !number.bytes().all(|b| b.is_ascii_digit()) || cells.len() < 4 {
        return None;
    }
    let cell = |index: usize| cells.get(index).copied().unwrap_or_default();
    Some(LintRow {
        reference: reference.to_owned(),
        rule: cell(1).to_owned(),
        severity: cell(2).to_lowercase(),
        satisfied: cell(3).contains('✅') || cell(3).contains('✓') || cell(3).contains('✔'),
        skipped: cell(4).contains('✅') || cell(4).contains('✓') || cell(4).contains('✔'),
        mend: cell(5).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_rules_and_headings_passed_over() {
        let text = "┏━━━┓\n┃ REF ┃ RULE ┃ SEVERITY ┃ SATISFIED ┃ SKIPPED ┃ RESOLVE ┃\n\
                    ┃ R009 ┃ one service is app ┃ error ┃ ✅ ┃ - ┃ name it ┃\n\
                    ┃ R014 ┃ only annotated tags ┃ error ┃ ❌ ┃ - ┃ git tag -a ┃\n┗━━━┛";
        let rows = parse_lint(text);
        assert_eq!(rows.len(), 2);
        assert!(rows[0].satisfied && !rows[1].satisfied);
        assert_eq!(rows[1].mend, "git tag -a");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,300}") {
            let _ = parse_lint(&text);
        }
    }
}
