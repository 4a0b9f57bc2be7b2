//! The crate table of docs/ARCHITECTURE.md, and what the workspace has that it does not say. Pure.
//!
//! A row is ``| `name` (`folder`) | what it is for | `used`, `used`; tests: `used` |``: the crates of this workspace that
//! its Cargo.toml has as dependencies, and behind `tests:` those that only its tests have.

use std::collections::{BTreeMap, BTreeSet};

/// A crate, as the table or the workspace has it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) folder: String,
    pub(crate) uses: BTreeSet<String>,
    pub(crate) tests_use: BTreeSet<String>,
}

/// By name.
pub(crate) type Members = BTreeMap<String, Member>;

/// The rows below the table's head; none where there is no such table.
pub(crate) fn read(page: &str) -> Members {
    page.lines()
        .skip_while(|line| !line.starts_with("| crate (folder) |"))
        .skip(2)
        .map_while(|line| line.strip_prefix('|'))
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').collect();
            let mut name = words(cells.first()?).into_iter();
            let (uses, tests) = cells.get(2)?.split_once("tests:").unwrap_or((cells.get(2)?, ""));
            let (name, folder) = (name.next()?, name.next()?);
            let set = |cell| words(cell).into_iter().collect();
            Some((name, Member { folder, uses: set(uses), tests_use: set(tests) }))
        })
        .collect()
}

/// What stands in backticks.
fn words(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Where the two differ.
pub(crate) fn compare(table: &Members, workspace: &Members) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, found) in workspace {
        let Member { folder, uses, tests_use } = found;
        let Some(row) = table.get(name) else {
            problems.push(format!(
                "the crate table has no row for {name}: add a row that begins with `{name}` (`{folder}`), and say what it \
                 is for and what it uses"
            ));
            continue;
        };
        if row.folder != *folder {
            problems
                .push(format!("the crate table says that {name} is in {}; it is in {folder}: write that", row.folder));
        }
        for (what, listed, found) in [("uses", &row.uses, uses), ("has tests that use", &row.tests_use, tests_use)] {
            for used in found.difference(listed) {
                problems.push(format!(
                    "{name} {what} {used}, which its row of the crate table does not list: move what it needs to a crate \
                     that it may use, or add `{used}` to the row where that dependency is right"
                ));
            }
            for used in listed.difference(found) {
                problems.push(format!(
                    "the crate table says that {name} {what} {used}, and {folder}/Cargo.toml does not: remove `{used}` \
                     from the row"
                ));
            }
        }
    }
    for name in table.keys().filter(|name| !workspace.contains_key(*name)) {
        problems.push(format!("the crate table has a row for {name}, and the workspace no such crate: remove the row"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "
| crate | |
|---|---|
| `other` (`table`) | | `x` |

| crate (folder) | what it is for | what it may use |
|---|---|---|
| `base` (`harness/base`) | names | |
| `web` (`runner/web`) | pages | `base`, `journal`; tests: `testbed` |

| `after` (`it`) | | |
";

    fn member(folder: &str, uses: &[&str], tests_use: &[&str]) -> Member {
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Member { folder: folder.to_owned(), uses: set(uses), tests_use: set(tests_use) }
    }

    #[test]
    fn a_workspace_as_the_table_says_is_right() {
        let table = read(PAGE);
        assert_eq!(table["web"], member("runner/web", &["base", "journal"], &["testbed"]));
        assert_eq!(table.keys().collect::<Vec<_>>(), ["base", "web"]);
        assert!(compare(&table, &table).is_empty());
    }

    #[test]
    fn each_difference_is_told() {
        let web = member("web", &["base", "bot"], &["bench"]);
        let problems =
            compare(&read(PAGE), &Members::from([("web".to_owned(), web), ("new".to_owned(), Member::default())]));
        let begins = [
            "the crate table has no row for new: ",
            "the crate table says that web is in runner/web; it is in web: ",
            "web uses bot, which its row",
            "the crate table says that web uses journal, and web/Cargo.toml does not: ",
            "web has tests that use bench, which its row",
            "the crate table says that web has tests that use testbed, and ",
            "the crate table has a row for base, and the workspace no such crate: ",
        ];
        assert_eq!(problems.len(), begins.len(), "{problems:#?}");
        for (problem, begin) in problems.iter().zip(begins) {
            assert!(problem.starts_with(begin), "{problem}");
        }
    }
}
