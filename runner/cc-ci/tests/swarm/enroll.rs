//! `docs/enroll-recipe.md` as it stands: its files are written, its commands run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::support::{cc_ci, own_state, repositories, root};

/// A fenced block: the words after the fence, and the text.
fn blocks(page: &str) -> Vec<(Vec<String>, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(Vec<String>, String)> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(words), None) => open = Some((words.split_whitespace().map(str::to_owned).collect(), String::new())),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some((words, text))) => open = Some((words, format!("{text}{line}\n"))),
            (None, None) => {}
        }
    }
    blocks
}

/// `# exit code 11: …` at the end of a command says how it ends; otherwise it ends well.
fn wanted(line: &str) -> i32 {
    let code = line.split_once("# exit code ").and_then(|(_, rest)| rest.split(':').next());
    code.map_or(0, |code| code.parse().unwrap())
}

fn shell(line: &str, dir: &Path, state: &Path) -> i32 {
    let bin = Path::new(env!("CARGO_BIN_EXE_cc-ci")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", line])
        .current_dir(dir)
        .env("PATH", path)
        .env("CCCI_STATE", state)
        .env_remove("CCCI_RECIPES")
        .output()
        .unwrap();
    let code = output.status.code().unwrap_or(-1);
    println!("$ {line}\n{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    code
}

#[test]
fn the_worked_example_runs_as_written() {
    let page = std::fs::read_to_string(root().join("docs/enroll-recipe.md")).unwrap();
    let example =
        page.split("## An example, from start to green").nth(1).unwrap().split("## When it goes wrong").next();
    let dir = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-a").arg(repositories().join("custom-html")).arg(dir.path()).status().unwrap();
    assert!(copied.success());
    // Commits of its own, so that no other test's run has the same app.
    let own = "for n in 1 2; do ref=refs/pull/$n/head; git update-ref $ref \
        \"$(git -c user.name=t -c user.email=t@t commit-tree -p $ref -m 'As the docs have it' $ref^{tree})\"; done";
    assert_eq!(shell(own, &dir.path().join("custom-html"), dir.path()), 0);
    let here = dir.path().join("cc-ci");
    std::fs::create_dir_all(here.join("recipes")).unwrap();
    let state = own_state();
    let mut commands = 0;
    for (words, text) in blocks(example.unwrap()) {
        match words.get(1) {
            Some(path) => {
                let file = here.join(path);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, text).unwrap();
                if path.ends_with(".sh") {
                    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
            None => {
                for line in text.lines().filter(|line| !line.trim().is_empty()) {
                    assert_eq!(shell(line, &here, state.path()), wanted(line), "{line}");
                    commands += 1;
                }
            }
        }
    }
    assert!(commands >= 8, "{commands}");
}

/// Every key of the example in the contract's part is one that the types know.
#[test]
fn the_keys_of_the_contract_are_the_ones_that_are_read() {
    let page = std::fs::read_to_string(root().join("docs/enroll-recipe.md")).unwrap();
    let (_, text) = blocks(&page).into_iter().find(|(words, _)| words == &["toml"]).unwrap();
    let read = recipe_folder::recipe_toml::parse(&text).unwrap();
    assert_eq!(read.timeouts.install.get(), 300);
    assert!(read.sso.is_some() && !read.missing.is_empty());
}

/// What is not committed is named and left out, or taken where that is asked for; a folder in a repository is told.
#[test]
fn a_folder_is_tested_as_it_is_committed_or_as_it_is() {
    let (dir, state) = (tempfile::tempdir().unwrap(), own_state());
    let copied = Command::new("cp").arg("-a").arg(repositories().join("custom-html")).arg(dir.path()).status().unwrap();
    assert!(copied.success());
    let folder = dir.path().join("custom-html");
    let plan = |source: &Path, more: &[&str]| {
        let words = [&["plan", "custom-html", "--source", source.to_str().unwrap()], more].concat();
        let output = cc_ci(state.path()).args(words).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap_or(-1), said)
    };
    let (code, said) = plan(&folder, &[]);
    assert!(code == 0 && !said.contains("not committed"), "{code}: {said}");

    let file = folder.join("compose.yml");
    let compose = std::fs::read_to_string(&file).unwrap();
    let shown = ["-C", folder.to_str().unwrap(), "show", "broken/docker-socket:compose.yml"];
    let refused = Command::new("git").args(shown).output().unwrap().stdout;
    std::fs::write(&file, &refused).unwrap();
    let (code, said) = plan(&folder, &[]);
    let left_out =
        format!("not committed in {}, so not tested: compose.yml; --dirty takes them along", folder.display());
    assert!(code == 0 && said.contains(&left_out), "{code}: {said}");

    let (code, said) = plan(&folder, &["--dirty"]);
    assert_eq!(code, 10, "{said}");
    assert!(said.contains("(not committed yet, on top of ") && said.contains("a run would stop at"), "{said}");
    assert!(!said.contains("so not tested"), "{said}");
    assert!(said.contains("mounts the docker socket") && std::fs::read(&file).unwrap() == refused, "{said}");

    std::fs::write(&file, &compose).unwrap();
    let (code, said) = plan(&folder, &["--dirty"]);
    assert_eq!(code, 0, "{said}");

    let below = folder.join("below");
    std::fs::create_dir(&below).unwrap();
    let (code, said) = plan(&below, &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains(&format!("is a folder in the repository {}", folder.display())), "{said}");
    let (code, said) = plan(Path::new("https://git.example.org/x.git"), &["--dirty"]);
    assert!(code == 2 && said.contains("is no folder of this machine"), "{code}: {said}");
}
