//! A test in Rust: built into a program beside cc-ci, and run as a script is.

use std::path::{Path, PathBuf};

use base::exchange::Exchanges;
use tokio::process::Command;

use super::script::{Ran, hide, last_line, late, supervise};
use super::{Context, EXCHANGES_FILE, OverlayFile, OverlayResult, Variables};
use crate::verdict::Verdict;

/// The program's name, where it stands beside this one.
const PROGRAM: &str = "recipe-tests";

pub(super) async fn run(file: &OverlayFile, context: &Context, variables: &Variables) -> OverlayResult {
    if let Some(broken) = cannot_run(&file.path) {
        return broken;
    }
    let Some(program) = program(context) else {
        return OverlayResult::broken(format!("there is no {PROGRAM} beside cc-ci; build it: cargo build"));
    };
    let Some((recipe, folder)) = recipe(&file.path) else {
        return OverlayResult::broken(format!("{} is in no folder of a recipe", file.path.display()));
    };
    let mut command = Command::new(&program);
    command.args(["run", &recipe, file.name.trim_end_matches(".rs"), "--folder"]).arg(folder);
    command.args(["--limit", &format!("{:.1}", context.deadline.as_secs_f32())]);
    let left = context.work_dir.join(EXCHANGES_FILE);
    // One that was killed may have left its own.
    let _ = std::fs::remove_file(&left);
    match supervise(command, context, variables).await {
        Ok(ran) => {
            let result = hide(judge(ran, context, &file.name), variables);
            result.with_exchanges(Exchanges::fetch(&left))
        }
        Err(error) => OverlayResult::broken(format!("{} cannot be started: {error}", program.display())),
    }
}

/// What can be said before it is started.
pub(super) fn cannot_run(path: &Path) -> Option<OverlayResult> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return Some(OverlayResult::broken(error.to_string())),
    };
    if !text.contains("pub async fn run(") {
        return Some(OverlayResult::broken("has no `pub async fn run(test: &Test) -> Outcome`"));
    }
    let code = |line: &&str| !line.trim_start().starts_with("//");
    let line = text.lines().filter(code).position(|line| line.contains("sleep("));
    line.map(|_| OverlayResult::broken("a sleep guesses: wait for what is to be seen, as Browser::see does"))
}

fn program(context: &Context) -> Option<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join(PROGRAM));
    // The test runs in another folder: a relative path must keep its meaning.
    let program = context.recipe_tests.as_ref().and_then(|path| std::path::absolute(path).ok()).or_else(beside);
    program.filter(|path| path.is_file())
}

/// The recipe's name and folder, from the path of a file two folders below.
fn recipe(path: &Path) -> Option<(String, PathBuf)> {
    let path = std::path::absolute(path).ok()?;
    let folder = path.parent()?.parent()?;
    Some((folder.file_name()?.to_str()?.to_owned(), folder.to_owned()))
}

fn judge(ran: Ran, context: &Context, name: &str) -> OverlayResult {
    let Some(status) = ran.status else { return late(context.deadline, ran.output) };
    // The report says which file it is.
    let last = last_line(&ran.output).unwrap_or_else(|| "no output".to_owned());
    let last = last
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix(':'))
        .map_or(last.clone(), |rest| format!("line {rest}"));
    // Parts of a browser outlive it for a moment, so what was killed is no news here.
    let output = ran.output;
    let result = match status.code().and_then(Verdict::of_exit) {
        Some(Verdict::Green) => OverlayResult::passed(last),
        Some(Verdict::Red) => OverlayResult::failed(last),
        Some(Verdict::Broken) => OverlayResult::broken(last),
        None => OverlayResult::broken(format!("{PROGRAM} ended by {status}: {last}")),
    };
    match output.trim_end().rsplit_once('\n') {
        Some((before, _)) => result.with_detail(format!("{before}\n")),
        None => result,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{OverlayOutcome, run};
    use super::*;

    const TEST: &str = "pub async fn run(test: &Test) -> Outcome {}";

    /// Runs a file with a script in place of the program.
    async fn ran_by(script: &str, content: &str) -> OverlayResult {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n8n/browser/10-x.rs");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        let program = dir.path().join("program");
        // By another process: see the tests of scripts.
        let made = std::process::Command::new("sh")
            .args(["-c", "printf '#!/bin/sh\\n%s\\n' \"$2\" > \"$1\" && chmod +x \"$1\"", "sh"])
            .arg(&program)
            .arg(script)
            .status()
            .unwrap();
        assert!(made.success());
        let mut variables = Variables::new();
        variables.set("CCCI_URL", "https://a.example");
        variables.set_secret("PASSWORD", "hunter2");
        std::fs::create_dir(dir.path().join("artifacts")).unwrap();
        variables.set("CCCI_ARTIFACTS", dir.path().join("artifacts").display().to_string());
        let context = Context {
            variables,
            work_dir: dir.path().join("work"),
            deadline: Duration::from_secs(30),
            ca_pem_file: None,
            resolve: vec![],
            recipe_tests: Some(program),
        };
        run(&OverlayFile { name: "browser/10-x.rs".to_owned(), path }, &context).await
    }

    #[tokio::test]
    async fn the_program_is_told_what_to_run_and_given_the_values() {
        let result = ran_by("echo \"$1 $2 $3 $4 ${5##*/} $6 $7 $CCCI_URL $PASSWORD\"", TEST).await;
        let want = "run n8n browser/10-x --folder n8n --limit 30.0 https://a.example ***";
        assert_eq!((result.outcome, result.text.as_str()), (OverlayOutcome::Passed, want));
    }

    #[tokio::test]
    async fn the_exit_says_green_red_or_broken() {
        let result = ran_by("echo 'detail'; echo 'the page shows no h1'; exit 1", TEST).await;
        assert_eq!((result.outcome, result.text.as_str()), (OverlayOutcome::Failed, "the page shows no h1"));
        assert_eq!(result.detail, "detail\n");
        let result = ran_by("touch \"$CCCI_ARTIFACTS/a.png\"; echo 'browser/10-x.rs:7: no h1'; exit 1", TEST).await;
        assert_eq!((result.text.as_str(), result.files), ("line 7: no h1", vec!["a.png".to_owned()]));
        assert_eq!(ran_by("echo rebuild; exit 2", TEST).await.outcome, OverlayOutcome::Broken);
        let result = ran_by("exit 101", TEST).await;
        assert_eq!(result.outcome, OverlayOutcome::Broken);
        assert_eq!(result.text, "recipe-tests ended by exit status: 101: no output");
        assert_eq!(ran_by("kill -9 $$", TEST).await.outcome, OverlayOutcome::Broken);
    }

    #[tokio::test]
    async fn a_file_that_could_not_be_a_test_is_broken() {
        assert_eq!(ran_by("exit 0", "fn run() {}").await.outcome, OverlayOutcome::Broken);
        let sleeps = format!("{TEST}\n    tokio::time::sleep(LONG).await;\n");
        let result = ran_by("exit 0", &sleeps).await;
        assert_eq!(result.outcome, OverlayOutcome::Broken);
        assert!(result.text.starts_with("a sleep guesses"), "{}", result.text);
        assert_eq!(ran_by("exit 0", &format!("// no sleep( here\n{TEST}")).await.outcome, OverlayOutcome::Passed);
    }
}
