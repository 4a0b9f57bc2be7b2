//! The commands of the docs that can run here, as they are written. ../documented.txt lists them, and the others with a
//! reason each; `runner/src/cli/documented.rs` sees to it that none is left out.

use std::path::Path;
use std::process::Command;

use super::support::{cc_ci, own_state, repositories, root};

const LIST: &str = include_str!("../documented.txt");

fn copied(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// Runs a line of a page in a folder; its exit code, and what it said.
fn shell(line: &str, here: &Path, state: &Path) -> (Option<i32>, String) {
    let bin = Path::new(env!("CARGO_BIN_EXE_cc-ci")).parent().unwrap();
    let mut command = Command::new("bash");
    // The settings of the tests' world, but for those that name folders.
    let settings = cc_ci(state);
    for (name, value) in settings.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command
        .args(["-euo", "pipefail", "-c", line])
        .current_dir(here)
        .env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()))
        .env("CCCI_SOURCES", here.join("sources"))
        .env_remove("CCCI_RECIPES")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.code(), said)
}

#[test]
fn commands_run_as_the_docs_have_them() {
    let (folder, state) = (tempfile::tempdir().unwrap(), own_state());
    let here = folder.path();
    copied(&root().join("recipes"), &here.join("recipes"));
    copied(repositories(), &here.join("sources"));
    // The docs' pull request is a good one here, with a commit of its own: no other test's run has the same app.
    let own = "git update-ref refs/pull/12/head \"$(git -c user.name=t -c user.email=t@t commit-tree \
        -p refs/pull/1/head -m 'As the docs have it' refs/pull/1/head^{tree})\"";
    assert_eq!(shell(own, &here.join("sources/custom-html"), state.path()).0, Some(0));
    let mut red = Vec::new();
    let runs = LIST.lines().filter_map(|line| line.split_once(" | run | "));
    for (page, line) in runs {
        let (code, said) = shell(line, here, state.path());
        println!("{page}$ {line}\n{said}");
        if code != Some(0) {
            red.push(format!("{page}: {line}: exit code {code:?}"));
        }
    }
    assert!(red.is_empty(), "{red:#?}");
}

/// The way of running them is one that a wrong command does not survive.
#[test]
fn a_planted_command_is_red() {
    let (folder, state) = (tempfile::tempdir().unwrap(), own_state());
    for (line, wanted) in [("cc-ci lint --planted", 2), ("cc-ci lint no-such-recipe | cat", 2)] {
        let (code, said) = shell(line, folder.path(), state.path());
        assert_eq!(code, Some(wanted), "{line}: {said}");
    }
}
