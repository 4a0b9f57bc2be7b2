//! The tests of a recipe's own repository: only where an operator approved them, and behind a fence.

use std::path::Path;
use std::process::Command;

use base::names::StackName;
use journal::event::{CheckResult, Event, Origin, Outcome, Record, Stage};
use journal::exit::Exit;

use super::support::{Said, arguments, cc_ci, kill_run, left, own_state, repositories, root, state};

/// The image that tests run in here.
const IMAGE: &str = "testbed.invalid/own-tests:1";

fn custom_html(reference: &str) -> Vec<String> {
    arguments("custom-html", &repositories().join("custom-html"), reference)
}

/// The program with a list of approved recipes.
fn approved(state: &Path, list: &Path, text: &str) -> Command {
    let file = list.join("approved");
    std::fs::write(&file, text).unwrap();
    let mut command = cc_ci(state);
    command
        .env("CCCI_APPROVED", file)
        .env("CCCI_OWN_TESTS_IMAGE", IMAGE)
        .env("CCCI_TRAEFIK_IMAGE", "testbed.invalid/traefik:3.7.15")
        // What must not come through.
        .env("DRONE_TOKEN", "a-token-of-the-server");
    command
}

/// The checks of the recipe's own tests.
fn own(said: &Said) -> Vec<&CheckResult> {
    let check = |record| match record {
        &Record { event: Event::CheckEnded { ref check, .. }, .. } if check.origin == Origin::Recipe => Some(check),
        _ => None,
    };
    said.records.iter().filter_map(check).collect()
}

fn run(reference: &str) -> Said {
    let list = tempfile::tempdir().unwrap();
    let mut command = approved(&state(), list.path(), "# reviewed\ncustom-html\n");
    Said::of(command.args(custom_html(reference)).output().unwrap())
}

#[test]
fn they_run_where_an_operator_approved_them_and_are_told_where_nobody_did() {
    // One after the other: both have the same app.
    let said = Said::of(cc_ci(&state()).args(custom_html("good/own-tests")).output().unwrap());
    assert_eq!(said.decided(), "passed", "{}", said.verdict().line);
    assert!(own(&said).is_empty());
    let told = |note: &&str| note.contains("tests/10-page.sh") && note.contains("did not run");
    assert!(said.notes().iter().any(told), "{:?}", said.notes());

    let said = run("good/own-tests");
    assert_eq!(said.decided(), "passed", "{}\n{:#?}", said.verdict().line, own(&said));
    let names: Vec<_> = own(&said).iter().map(|check| (check.name.as_str(), check.outcome)).collect();
    assert_eq!(
        names,
        [("own: tests/10-page.sh", Outcome::Passed), ("own: tests/20-scratch.sh", Outcome::Passed)],
        "in name order, without the file that has no run bit"
    );
    assert!(own(&said)[0].text.contains("answers in version 1.3.0+1.22.1-3"), "{}", own(&said)[0].text);
    assert!(!said.notes().iter().any(told), "{:?}", said.notes());
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

#[test]
fn a_red_one_is_failed_by_a_test_with_the_scripts_own_words() {
    let said = run("broken/own-tests-red");
    assert_eq!(said.code, i32::from(Exit::Test.code()), "{}", said.verdict().line);
    assert_eq!(said.decided(), "check-failed");
    // With what each of them printed: the line alone does not say why a page that was there did not come.
    assert!(said.verdict().line.contains("the page has no imprint"), "{}\n{:#?}", said.verdict().line, own(&said));
    assert_eq!(own(&said).len(), 4, "the others still run");
    let broken = own(&said)[3].fault.as_ref().unwrap();
    assert_eq!(broken.failure.kind, base::failure::Kind::CheckBroken);
    assert!(broken.failure.what.contains("40-half.sh: line 4"), "{}", broken.failure.what);
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

#[test]
fn whatever_a_hostile_one_tries_is_refused() {
    let said = run("hostile/own-tests");
    let checks = own(&said);
    let fault = checks[0].fault.as_ref().map_or("", |fault| fault.failure.detail.as_str());
    assert_eq!(checks[0].outcome, Outcome::Passed, "{fault}");
    assert!(checks[0].text.starts_with("the app was reached, and all "), "{}", checks[0].text);
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

/// The same script without the fence: what it tries does work there, or its silence above would show
/// nothing.
#[test]
fn without_the_fence_the_hostile_one_gets_out() {
    let dir = tempfile::tempdir().unwrap();
    let tests = root().join("testbed/recipes/custom-html/own-tests-hostile/tests");
    assert!(Command::new("cp").arg("-a").arg(tests).arg(dir.path()).status().unwrap().success());
    let output = Command::new("docker")
        .args(["run", "--rm", "--user", "0", "--env", "DRONE_TOKEN=a-token-of-the-server"])
        .args(["--env", "CCCI_DOMAIN=nobody.ci.localhost", "--env", "CCCI_URL=https://nobody.ci.localhost"])
        .args(["--env", "CCCI_RESOLVE=nobody.ci.localhost:443:172.17.0.1"])
        .args(["--volume", "/var/run/docker.sock:/var/run/docker.sock"])
        .arg("--volume")
        .arg(format!("{}:/own", dir.path().display()))
        .args([IMAGE, "/own/tests/10-fence.sh"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{text}");
    for what in [
        "docker's socket",
        "a token somewhere in the environment",
        "another app by the Host header",
        "another port of the gate",
        "a port of the host at the bridge's address",
        "writing to /",
        "changing a test",
        "root",
        "a capability",
        "a raw socket",
        "more processes than its share",
        "more memory than its share",
    ] {
        assert!(text.contains(&format!("OPEN: {what}:")), "{what}: {text}");
    }
}

#[test]
fn what_a_run_that_was_killed_inside_the_fence_leaves_is_reaped() {
    let (state, list) = (own_state(), tempfile::tempdir().unwrap());
    let built = testbed::repos::Source::load("custom-html").unwrap().builder().unwrap();
    let built = built.at("good/own-tests").unwrap();
    let built = built.replace("tests/20-scratch.sh", "echo \"scratch space works\"", "sleep 600").unwrap();
    let repository = list.path().join("repository");
    built.commit("A test that hangs").branch("hangs").build(&repository).unwrap();

    let mut command = approved(state.path(), list.path(), "custom-html");
    command.args(arguments("custom-html", &repository, "hangs"));
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut stack: Option<StackName> = None;
    for line in lines {
        match serde_json::from_str::<Record>(&line.unwrap()).unwrap().event {
            Event::RunStarted(started) => stack = Some(started.stack),
            // Its container is about to run, the one before it has run.
            Event::CheckEnded { stage: Stage::Functional, check } if check.name == "own: tests/10-page.sh" => break,
            Event::RunEnded { verdict } => panic!("it ended before: {}", verdict.line),
            _ => {}
        }
    }
    kill_run(child, state.path());
    let stack = stack.unwrap();
    let there = left(&stack);
    for part in ["container", "network", "volume"] {
        let ours = |name: &&String| name.starts_with(part) && (part == "volume" || name.contains("-own-"));
        assert!(there.iter().any(|name| ours(&name)), "no {part} of the fence in {there:?}");
    }
    let reaped = cc_ci(state.path()).args(["reap", "--json"]).output().unwrap();
    let done: serde_json::Value = serde_json::from_slice(&reaped.stdout).unwrap();
    let ours = done.as_array().unwrap().iter().find(|one| one["stack"] == stack.as_str()).expect("it was found");
    assert_eq!(ours["what"], "removed");
    assert_eq!(left(&stack), Vec::<String>::new());
}

#[test]
fn a_list_or_an_image_that_is_not_usable_is_a_usage_error() {
    let (state, list) = (own_state(), tempfile::tempdir().unwrap());
    let said = |mut command: Command| {
        let output = command.args(custom_html("good/own-tests")).output().unwrap();
        assert_eq!(output.status.code(), Some(i32::from(Exit::Usage.code())));
        String::from_utf8(output.stderr).unwrap()
    };
    let text = said(approved(state.path(), list.path(), "n8n-\n"));
    assert!(text.contains("line 1: \"n8n-\""), "{text}");
    let text = said(approved(state.path(), list.path(), "# mine\ncustom-htm\n"));
    assert!(text.contains("line 2: \"custom-htm\"") && text.contains("did you mean custom-html?"), "{text}");
    let mut command = approved(state.path(), list.path(), "custom-html\n");
    command.env_remove("CCCI_OWN_TESTS_IMAGE");
    let text = said(command);
    assert!(text.contains("CCCI_OWN_TESTS_IMAGE"), "{text}");
}
