//! `docs/reference.md`, made from the code, so that it cannot say anything else.

use std::fmt::Write as _;

use base::failure::Kind;
use clap::Args as _;
use coopcloud::lint as abra_rules;

use crate::serve::ServeSettings;
use crate::table::Table;
use engine::variables::{LOGINS, VARIABLES};
use host::settings::Settings;
use journal::event::JOURNAL_FORMAT;
use journal::exit;
use recipe_folder::lint::Rule;

mod events;
mod forges;

/// The whole reference as Markdown.
pub fn reference() -> String {
    let all = Table {
        title: "Settings",
        intro: "Each is a flag of every command, a variable of the environment, and a key of `cc-ci.toml`, which is the flag without its dashes: `base-domain = \"ci.example.org\"`. The flag wins over the variable, and the variable over the file. A variable that is empty is one that is not set. `cc-ci doctor --settings` prints each value with its origin.",
        columns: SETTINGS,
        rows: rows(&Settings::augment_args(clap::Command::new("cc-ci"))),
    };
    let serve = Table {
        title: "Settings of cc-ci serve",
        intro: "For answers to comments on pull requests, in the same way; [operate.md](operate.md) says how they are used.",
        columns: SETTINGS,
        rows: rows(&ServeSettings::augment_args(clap::Command::new("serve"))),
    };
    markdown(&[
        all,
        serve,
        crate::cli::plugin::settings_table(),
        variables(),
        lint_rules(),
        rules_of_abra(),
        illusions(),
        forges::features(),
    ])
}

const SETTINGS: &[&str] = &["flag", "variable", "default", "meaning"];

/// Settings, as the command line declares them.
fn rows(command: &clap::Command) -> Vec<Vec<String>> {
    command
        .get_arguments()
        .map(|argument| {
            let flag = argument.get_long().map_or_else(String::new, |long| code(&format!("--{long}")));
            let env = argument.get_env().map_or_else(String::new, |env| code(&env.to_string_lossy()));
            let defaults = argument.get_default_values();
            let default = defaults.first().map_or_else(String::new, |value| code(&value.to_string_lossy()));
            let meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
            vec![flag, env, default, meaning]
        })
        .collect()
}

/// The rules of `cc-ci lint`.
fn lint_rules() -> Table {
    let stops = |rule: Rule| if rule.stops_a_run() { "yes" } else { "no" };
    let row = |rule: &Rule| vec![code(rule.code()), rule.meaning().to_owned(), stops(*rule).to_owned()];
    let rows = Rule::ALL.iter().map(row).collect();
    Table {
        title: "Lint rules",
        intro: "`cc-ci lint` holds every recipe's folder in cc-ci's repository to them; CI runs it. A run holds to some of them, too, since it would show less than it seems to. The recipe's own files are held to [abra's rules](#abras-rules).",
        columns: &["rule", "what it asks for", "stops a run"],
        rows,
    }
}

/// The rules that abra holds a recipe to.
fn rules_of_abra() -> Table {
    let stops = |rule: &abra_rules::Rule| if rule.severity == "error" { "yes" } else { IF_ABRA_SAYS };
    let row = |rule: &abra_rules::Rule| {
        vec![
            code(rule.reference),
            rule.asks.to_owned(),
            rule.resolve.to_owned(),
            stops(rule).to_owned(),
            rule.known.to_owned(),
        ]
    };
    let unknown =
        [&*code(abra_rules::NOT_KNOWN), "not known", "abra says it", IF_ABRA_SAYS, "seen as a row of abra's table"];
    let rows = abra_rules::RULES.iter().map(row).chain([unknown.map(str::to_owned).into()]).collect();
    Table {
        title: "abra's rules",
        intro: "abra holds a recipe's own files to them (`abra recipe lint`), and a run asks it in the check `prepare.rules`, which `recipe.toml` can opt out of. What abra calls an error stops the run; what it calls a warning is a note of the report, with the services, images or variables that break the rule.",
        columns: &["rule", "what it asks for", "how to fix it", "stops a run", "how it is known"],
        rows,
    }
}

const IF_ABRA_SAYS: &str = "where the installed abra calls it an error";

/// The values that a recipe's tests get.
fn variables() -> Table {
    let mut rows: Vec<Vec<String>> =
        VARIABLES.iter().map(|variable| vec![code(variable.name), variable.meaning.to_owned()]).collect();
    rows.extend(LOGINS.iter().map(|variable| {
        let meaning = format!("{}; only with `[sso]`", variable.meaning);
        vec![code(variable.name), meaning]
    }));
    Table {
        title: "Values in tests",
        intro: "Scripts have them in their environment, Hurl files as variables, Rust tests by `Test::value`, under the same names.",
        columns: &["name", "meaning"],
        rows,
    }
}

/// The illusions that coverage finds.
fn illusions() -> Table {
    Table {
        title: "Illusions",
        intro: "What `cc-ci coverage` calls an illusion; [coverage.md](coverage.md) says what the other words mean.",
        columns: &["rule", "what is seen", "what is shown all the same"],
        rows: coverage::Rule::ALL
            .iter()
            .map(|rule| vec![code(rule.code()), rule.meaning().to_owned(), rule.shows().word().to_owned()])
            .collect(),
    }
}

/// The reference, with the tables of other parts before the journal's.
pub fn markdown(extra: &[Table]) -> String {
    let mut text = String::from(
        "# Reference\n\n\
         Made by `cc-ci docs > docs/reference.md`; do not change it by hand.\n\n\
         ## Exit codes\n\n\
         The codes are stable.\n\n",
    );
    text.push_str(&exit::markdown_table());

    section(&mut text, "Stages", "A run goes through them in this order.");
    table(&mut text, &["stage", "what it is for"], &events::stages());

    section(
        &mut text,
        "Failures",
        "Every red or blocked check names one. The cause says who has to act; where a failure happens \
         in the base release or in a dependency, that is the cause instead.",
    );
    let kinds: Vec<Vec<String>> = Kind::ALL
        .iter()
        .map(|kind| vec![code(kind.code()), kind.meaning().to_owned(), kind.usual_cause().words().to_owned()])
        .collect();
    table(&mut text, &["code", "meaning", "usual cause"], &kinds);

    for extra in extra {
        section(&mut text, extra.title, extra.intro);
        table(&mut text, extra.columns, &extra.rows);
    }
    journal(&mut text);
    text
}

fn journal(text: &mut String) {
    section(
        text,
        "The journal",
        "`journal.jsonl` in the run's folder has one JSON object a line. Any report can be made again from \
         it: `cc-ci report <journal> --format html`.",
    );
    let _ = writeln!(
        text,
        "Its format is {JOURNAL_FORMAT}. Every line has `seq` (counts from 0 with no gap), `at` (the time by \
         the runner's clock), `ms` (milliseconds since the run began, by a clock that nobody moves) and \
         `event`. A reader leaves out events and fields that it does not know; where it must not, the \
         format's number grows. A last line that is cut short is what a kill leaves behind.\n",
    );
    events::events(text);
}

pub(crate) fn section(text: &mut String, title: &str, intro: &str) {
    let _ = write!(text, "\n## {title}\n\n{intro}\n\n");
}

pub(crate) fn table(text: &mut String, columns: &[&str], rows: &[Vec<String>]) {
    let _ = writeln!(text, "| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}

pub(crate) fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_line_that_says_whether_it_stops_a_run() {
        let text = reference();
        let stopping = |stops: bool| if stops { "yes" } else { IF_ABRA_SAYS };
        for rule in abra_rules::RULES {
            let begin = format!("\n| `{}` | {} | ", rule.reference, rule.asks);
            let line =
                text.split(&begin).nth(1).and_then(|rest| rest.lines().next()).unwrap_or_else(|| panic!("{begin}"));
            let end = format!("| {} | {} |", stopping(rule.severity == "error"), rule.known);
            assert!(line.ends_with(&end), "{line}");
        }
        assert_eq!(text.matches("\n| `R016` | not known |").count(), 1);
        for rule in Rule::ALL {
            let stops = if rule.stops_a_run() { "yes" } else { "no" };
            let line = format!("\n| `{}` | {} | {stops} |\n", rule.code(), rule.meaning());
            assert_eq!(text.matches(&line).count(), 1, "{line}");
        }
    }

    #[test]
    fn the_file_in_docs_is_the_one_that_the_code_makes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference.md");
        let file = std::fs::read_to_string(path).unwrap_or_default();
        let same = file == reference();
        assert!(same, "docs/reference.md is not what the code says; run: cc-ci docs > docs/reference.md");
    }

    #[test]
    fn cells_cannot_break_a_table() {
        let rows = vec![vec!["a|b".to_owned(), "c\nd".to_owned()]];
        let extra = Table { title: "Settings", intro: "All of them.", columns: &["x", "y"], rows };
        assert!(
            markdown(&[extra]).contains("\n## Settings\n\nAll of them.\n\n| x | y |\n|---|---|\n| a\\|b | c d |\n")
        );
    }
}
