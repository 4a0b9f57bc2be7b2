//! A repository with SHA-256 commit ids, of a recipe whose name no host could have.

use std::path::Path;
use std::process::Command;

use journal::event::{Outcome, Stage};

use super::made::{Made, started};
use super::support::{Said, left, otherwise, own_state, repositories};

const RECIPE: &str = "Open_Pages";

fn git(folder: &Path, words: &[&str]) -> String {
    let who = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
    let done = Command::new("git").arg("-C").arg(folder).args(who).args(words).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// custom-html's newest files in a repository of the other kind: a release, and a change on top of it.
fn sha256(folder: &Path) -> String {
    let from = folder.join("from");
    std::fs::create_dir(&from).unwrap();
    git(&from, &["clone", "--quiet", repositories().join("custom-html").to_str().unwrap(), "."]);
    std::fs::remove_dir_all(from.join(".git")).unwrap();
    git(&from, &["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    git(&from, &["add", "--all"]);
    git(&from, &["commit", "--quiet", "--message", "A release"]);
    git(&from, &["tag", "--annotate", "--message", "x", "0.9.0+1.0.0"]);
    let letters: String = rand::random_iter::<u8>().take(12).map(|byte| char::from(b'a' + byte % 26)).collect();
    git(&from, &["commit", "--quiet", "--allow-empty", "--message", &format!("a head of its own: {letters}")]);
    git(&from, &["rev-parse", "HEAD"])
}

fn ran(made: &Made, abra: Option<&Path>, words: &[&str]) -> Said {
    let state = own_state();
    let mut command = made.command(state.path(), &[&["run", RECIPE, "--json"], words].concat());
    if let Some(abra) = abra {
        command.env("CCCI_ABRA", abra);
    }
    Said::of(command.output().unwrap())
}

#[test]
fn a_recipe_with_sha_256_and_capitals_is_tested_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let head = sha256(dir.path());
    let made = Made::new().recipe(RECIPE, dir.path().join("from").to_str().unwrap(), "");
    let planned = made.command(own_state().path(), &["plan", RECIPE]).output().unwrap();
    let text = String::from_utf8(planned.stdout).unwrap();
    assert!(text.starts_with(&format!("{RECIPE} at {} ", &head[..8])), "{text}");

    // An abra that cannot read such ids is told, and it is not the recipe's fault.
    let said = ran(&made, None, &["--only", "install"]);
    assert_eq!(said.decided(), "abra-unusable", "{}", said.stderr);
    assert!(said.verdict().line.contains("SHA-256"), "{}", said.verdict().line);

    let said = ran(&made, Some(&otherwise(dir.path())), &["--ref", &head, "--only", "install"]);
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    let of = started(&said);
    assert_eq!((of.head.as_str(), of.recipe.as_str(), head.len()), (head.as_str(), RECIPE, 64));
    assert_eq!(of.domain.as_str(), format!("open-pages-e538-{}.ci.localhost", &head[..7]));
    assert_eq!(said.outcome(Stage::Install), Some(Outcome::Passed));
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}
