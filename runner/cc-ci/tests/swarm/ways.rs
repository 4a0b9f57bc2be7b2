//! What a recipe may bring besides its releases: a variant, a way back, commands for when it is up.

use journal::event::{Outcome, Stage};

use super::made::Made;
use super::support::{Said, left, own_state};

/// The outcome of a check and what it says.
fn check(said: &Said, name: &str) -> (Outcome, String) {
    let mut ended = said.records.iter().filter_map(|record| match &record.event {
        journal::event::Event::CheckEnded { check, .. } if check.name == name => {
            Some((check.outcome, check.text.clone()))
        }
        _ => None,
    });
    ended.next().unwrap_or_else(|| panic!("{name} did not run\n{}", said.stderr))
}

#[test]
fn a_variant_is_installed_and_upgraded_and_a_way_back_is_taken() {
    let toml = "[rollback]\n[variant.quiet]\nenv = { ENABLE_BACKUPS = \"false\" }\n";
    let made = Made::new().recipe("custom-html", "custom-html", toml);
    let said = made.run(own_state().path(), &["run", "custom-html", "--pr", "1"]);
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    for name in ["fresh.rolled-back", "fresh.rollback-data", "variants.quiet.installed", "variants.quiet.data"] {
        assert_eq!(check(&said, name).0, Outcome::Passed, "{name}");
    }
    assert!(check(&said, "fresh.rolled-back").1.starts_with("back at 1."), "{:?}", check(&said, "fresh.rolled-back"));
    assert_eq!(said.outcome(Stage::Variants), Some(Outcome::Passed));
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

/// A recipe with a command for after its deploy, and a front page that has to be what `abra.sh`'s set_page makes it.
fn with_a_command(dir: &std::path::Path, command: &str) -> Made {
    let builder = testbed::repos::Source::load("custom-html-unreleased").unwrap().builder().unwrap();
    let (old, new) = ("TYPE=custom-html\n", format!("TYPE=custom-html\nPOST_DEPLOY_CMDS=\"{command}\"\n"));
    let builder = builder.at("good/new-release").unwrap().replace(".env.sample", old, &new).unwrap();
    let repository = dir.join("paged");
    builder.commit("Make a page").branch("page").build(&repository).unwrap();
    Made::new().recipe("paged", repository.to_str().unwrap(), "[health]\nbody = \"made\"\n")
}

fn approved(command: &str) -> Said {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("approved");
    std::fs::write(&list, "paged\n").unwrap();
    let words = ["run", "paged", "--ref", "page", "--only", "install", "--approved", list.to_str().unwrap()];
    let said = with_a_command(dir.path(), command).run(own_state().path(), &words);
    assert_eq!(left(&said.stack()), Vec::<String>::new());
    said
}

#[test]
fn a_command_of_an_approved_recipe_runs_once_the_app_is_up() {
    let said = approved("app set_page made");
    assert_eq!(check(&said, "install.answers").0, Outcome::Passed, "{}", said.stderr);
}

#[test]
fn a_command_that_fails_is_the_recipes_fault() {
    let said = approved("app set_page made|app no_such_function");
    assert_eq!(said.decided(), "command-failed", "{}", said.stderr);
    assert!(
        said.verdict().line.contains("POST_DEPLOY_CMDS fails: run app no_such_function"),
        "{}",
        said.verdict().line
    );
}

#[test]
fn a_command_that_nobody_approved_is_left_out_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let made = with_a_command(dir.path(), "app set_page made");
    let output = made.command(own_state().path(), &["plan", "paged", "--ref", "page"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("leave app set_page made of POST_DEPLOY_CMDS out"), "{text}");
}
