//! Commands of the docs as they are written: each `cc-ci …` parses, and each is run by a test or has a reason not to be,
//! in runner/tests/documented.txt.

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory as _;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::Cli;

/// What is listed, and whether it is run or why not.
const LIST: &str = include_str!("../../tests/documented.txt");
/// Its example is run from the first of these to the second by runner/tests/swarm/enroll.rs.
const EXAMPLE: [&str; 2] = ["## An example, from start to green", "## When it goes wrong"];

/// The fenced blocks of a page, each with the words after its fence.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open = None;
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(words))) => {
                open = Some((words.to_string(), String::new()))
            }
            Event::Text(text) => {
                if let Some((_, block)) = &mut open {
                    block.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            _ => {}
        }
    }
    blocks
}

/// The commands of a page: lines of cc-ci and ./dev, and the first line of each other block of shell.
fn commands(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, text) in blocks(page).into_iter().filter(|(words, _)| words == "sh" || words == "console") {
        let lines = || text.lines().map(|line| line.trim().trim_start_matches("$ "));
        let ours: Vec<&str> = lines().filter(|line| line.starts_with("cc-ci ") || line.starts_with("./dev ")).collect();
        match (ours.is_empty(), lines().next()) {
            (true, Some(first)) => found.push(first.to_owned()),
            _ => found.extend(ours.iter().map(|line| without_comment(line).to_owned())),
        }
    }
    found
}

fn without_comment(line: &str) -> &str {
    line.split(" #").next().unwrap_or(line).trim_end()
}

/// What clap says against a line's calls of cc-ci; nothing where they are right.
fn refused(line: &str) -> Option<String> {
    let words = shlex::split(line)?;
    let ends = |word: &String| [">", ">>", "<", "|", "&&", "||", ";"].contains(&word.as_str());
    words
        .split(ends)
        .filter(|call| call.first().is_some_and(|word| word == "cc-ci"))
        .find_map(|call| Cli::read(call).err().map(|error| format!("{line}: {error}")))
}

/// What is wrong with the commands of a page.
fn wrong(name: &str, page: &str, listed: &BTreeSet<(String, String)>) -> Vec<String> {
    let bare = blocks(page).into_iter().filter(|(words, _)| words.is_empty());
    let mut found: Vec<String> = bare
        .map(|(_, text)| format!("a block without a language: {}", text.lines().next().unwrap_or_default()))
        .collect();
    found.extend(commands(page).iter().filter_map(|line| refused(line)));
    let by_itself = page.split(EXAMPLE[0]).nth(1).and_then(|rest| rest.split(EXAMPLE[1]).next()).unwrap_or_default();
    let outside = page.replace(by_itself, "");
    let missing = commands(&outside).into_iter().filter(|line| !listed.contains(&(name.to_owned(), line.clone())));
    found.extend(missing.map(|line| format!("not in runner/tests/documented.txt: {line}")));
    found
}

fn listed() -> BTreeSet<(String, String)> {
    let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let of = |line: &str| {
        let mut parts = line.splitn(3, " | ");
        let (page, how, command) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().expect(line));
        assert!(how == "run" || how.strip_prefix("not: ").is_some_and(|why| why.len() > 5), "{line}");
        (page.to_owned(), command.to_owned())
    };
    lines.map(of).collect()
}

/// README.md, CONTRIBUTING.md, and every page below docs/.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let of = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        entries
            .map(|name| format!("{folder}/{}", name.to_str().unwrap()))
            .filter(|name| name.ends_with(".md"))
            .collect()
    };
    let names = ["docs", "docs/dev", "docs/decisions"].map(of).concat();
    let read = |name: String| (name.clone(), std::fs::read_to_string(root.join(name)).unwrap());
    names.into_iter().chain(["README.md", "CONTRIBUTING.md"].map(str::to_owned)).map(read).collect()
}

#[test]
fn every_command_of_the_docs_parses_and_is_run_or_has_a_reason() {
    let listed = listed();
    let found: Vec<String> = pages()
        .iter()
        .flat_map(|(name, page)| wrong(name, page, &listed).into_iter().map(move |what| format!("{name}: {what}")))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    let there: BTreeSet<(String, String)> = pages()
        .iter()
        .flat_map(|(name, page)| commands(page).into_iter().map(move |line| (name.clone(), line)))
        .collect();
    let gone: Vec<_> = listed.difference(&there).collect();
    assert!(gone.is_empty(), "listed, and in no page any more: {gone:#?}");
}

#[test]
fn examples_of_the_help_parse() {
    fn helps(command: &clap::Command, texts: &mut Vec<String>) {
        texts.extend(
            [command.get_after_help(), command.get_after_long_help()].into_iter().flatten().map(ToString::to_string),
        );
        command.get_subcommands().for_each(|sub| helps(sub, texts));
    }
    let mut texts = Vec::new();
    helps(&Cli::command(), &mut texts);
    // What an example does stands behind it, two spaces or more away.
    let lines = texts.iter().flat_map(|text| text.lines()).filter_map(|line| line.strip_prefix("  cc-ci "));
    let lines: Vec<String> = lines.map(|line| format!("cc-ci {}", line.split("  ").next().unwrap_or(line))).collect();
    assert!(lines.len() > 20, "{lines:?}");
    let found: Vec<String> = lines.iter().filter_map(|line| refused(line)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_help_of_every_command_has_examples_of_it() {
    fn without(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let path = format!("{path} {}", sub.get_name());
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.split("Examples:\n").nth(1).unwrap_or_default();
            let of_it = |line: &str| {
                line.strip_prefix(&format!("  {path}")).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            };
            if !examples.lines().any(of_it) {
                found.push(path.clone());
            }
            without(sub, &path, found);
        }
    }
    let mut found = Vec::new();
    without(&Cli::command(), "cc-ci", &mut found);
    assert_eq!(found, Vec::<String>::new());
}

/// What is wrong with the word on a page: alone it would be `cc-ci lint` here and abra's or clippy's there.
fn lint_of_nobody(page: &str) -> Vec<String> {
    let owned = ["cc-ci lint", "abra recipe lint", "lint rules", "#lint-rules", "`linter: ", "drone's linter", "lint/"];
    let bare = |line: &&str| {
        let line = line.to_lowercase();
        owned.iter().fold(line, |line, owned| line.replace(owned, "")).contains("lint")
    };
    page.lines().filter(bare).map(str::to_owned).collect()
}

#[test]
fn lint_means_one_thing_on_every_page() {
    let found: Vec<String> = pages()
        .iter()
        .flat_map(|(name, page)| lint_of_nobody(page).into_iter().map(move |line| format!("{name}: {line}")))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(lint_of_nobody("as `cc-ci lint` says\nCheckout, lint and images\n"), ["Checkout, lint and images"]);
}

#[test]
fn a_planted_command_is_named() {
    let sound = "```sh\ncc-ci lint custom-html   # a comment\n```\n";
    let listed = BTreeSet::from([("page".to_owned(), "cc-ci lint custom-html".to_owned())]);
    assert_eq!(wrong("page", sound, &listed), Vec::<String>::new());
    for (planted, named) in [
        ("```sh\ncc-ci lint custom-html\ncc-ci lint --planted > /dev/null\n```\n", "--planted"),
        ("```console\n$ cc-ci planted\n```\n", "planted"),
        ("```sh\n./dev lint\n```\n", "not in runner/tests/documented.txt: ./dev lint"),
        ("```sh\ncurl https://example.org |\n  sh\n```\n", "documented.txt: curl https://example.org |"),
        ("```\ncc-ci lint\n```\n", "a block without a language: cc-ci lint"),
    ] {
        let found = wrong("page", planted, &listed);
        assert!(found.iter().any(|what| what.contains(named)), "{planted}: {found:?}");
    }
    assert!(!wrong("other", sound, &listed).is_empty(), "it is listed for another page");
}
