//! The lines of "From zero" in `docs/operate.md`, and the checks of each. A check without a line would leave an
//! operator without documentation; a test compares page and table.

/// One step of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperateLine {
    pub number: u8,
    /// Its heading.
    pub title: &'static str,
    pub checks: &'static [&'static str],
}

const fn line(number: u8, title: &'static str, checks: &'static [&'static str]) -> OperateLine {
    OperateLine { number, title, checks }
}

/// In the order of the page.
pub const LINES: &[OperateLine] = &[
    line(1, "The machine", &["engine", "programs", "room", "clock"]),
    line(2, "The swarm", &["swarm", "IPVS", "network proxy", "world"]),
    line(3, "The name", &["DNS", "names"]),
    line(4, "traefik", &["traefik", "route"]),
    line(5, "The certificate", &["HTTPS"]),
    line(6, "backup-bot-two", &["backup bot", "backups"]),
    line(7, "abra", &["abra", "abra's words", "abra's ways", "catalogue"]),
    line(8, "cc-ci and its user", &["cc-ci"]),
    line(9, "Registries", &["registries"]),
    line(10, "The unit", &["unit"]),
    line(11, "The forge", &["forge", "forge's version", "forge's token"]),
    line(12, "Drone", &["Drone"]),
];

pub fn line_of(check: &str) -> Option<u8> {
    LINES.iter().find(|line| line.checks.contains(&check)).map(|line| line.number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn page_and_table_are_the_same() {
        let page = include_str!("../../../docs/operate.md");
        let part = page.split_once("\n## From zero\n").unwrap().1;
        let part = part.split("\n## ").next().unwrap();
        let found: Vec<String> = part.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect();
        let wanted: Vec<String> = LINES.iter().map(|line| format!("{}. {}", line.number, line.title)).collect();
        assert_eq!(found, wanted);
        let numbers: Vec<usize> = LINES.iter().map(|line| usize::from(line.number)).collect();
        assert_eq!(numbers, (1..=LINES.len()).collect::<Vec<_>>());
    }

    #[test]
    fn every_check_of_the_doctor_has_a_line_and_every_line_a_check() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        // The first argument of each finding, and of `part`, which creates one.
        let call = regex::Regex::new(r#"(?:Finding::(?:ok|warn|bad)|\bpart|\btold)\(\s*"([^"]+)""#).unwrap();
        let mut used: BTreeSet<String> = BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            used.extend(call.captures_iter(code).map(|found| found[1].to_owned()));
        }
        let known: BTreeSet<String> = LINES.iter().flat_map(|line| line.checks).map(ToString::to_string).collect();
        assert_eq!(used, known);
    }
}
