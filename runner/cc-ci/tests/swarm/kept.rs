//! Apps that stay for a look, and parts of runs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use journal::event::{Event, Outcome, Stage};
use journal::exit::Exit;

use super::support::{Said, arguments, cc_ci, left, own_state, repositories};

/// A recipes folder with scripts of its own for custom-html.
fn recipes(toml: &str, scripts: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("custom-html");
    std::fs::create_dir_all(folder.join("functional")).unwrap();
    std::fs::write(folder.join("recipe.toml"), toml).unwrap();
    for (name, text) in scripts {
        let path = folder.join("functional").join(name);
        std::fs::write(&path, text).unwrap();
        let mode = if name.ends_with(".sh") && !name.contains("no-run-bit") { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    dir
}

fn run(state: &Path, recipes: &Path, reference: &str, more: &[&str]) -> Said {
    let mut words = arguments("custom-html", &repositories().join("custom-html"), reference);
    words.extend(more.iter().map(|&word| word.to_owned()));
    Said::of(cc_ci(state).env("CCCI_RECIPES", recipes).args(words).output().unwrap())
}

fn on_kept(state: &Path, recipes: &Path, more: &[&str]) -> Said {
    let words = [&["run", "custom-html", "--kept", "--json"], more].concat();
    Said::of(cc_ci(state).env("CCCI_RECIPES", recipes).args(words).output().unwrap())
}

/// The text of each test's check, by its name.
fn checks(said: &Said) -> Vec<(String, Outcome, String)> {
    let check = |event: &Event| match event {
        Event::CheckEnded { stage: Stage::Functional, check } => {
            Some((check.name.clone(), check.outcome, check.text.clone()))
        }
        _ => None,
    };
    said.records.iter().filter_map(|record| check(&record.event)).collect()
}

const GREEN: &str = "#!/usr/bin/env bash\nset -e\ncurl -fsS --cacert \"$CCCI_CA\" --resolve \"$CCCI_RESOLVE\" \"$CCCI_URL\" | grep -q nginx\necho \"$CCCI_RUN\" >\"$CCCI_WORK/run\"\n";
/// Red in every second round.
const ALTERNATES: &str = "#!/usr/bin/env bash\nset -e\nif [ -e \"$CCCI_WORK/odd\" ]; then rm \"$CCCI_WORK/odd\"; echo even; false; fi\ntouch \"$CCCI_WORK/odd\"\n";

#[test]
fn an_app_stays_is_tried_again_and_goes() {
    let state = own_state();
    let first =
        recipes("", &[("10-a.sh", GREEN), ("20-b.sh", "#!/bin/sh\nset -e\ntest -s \"$CCCI_WORK/run\"\nfalse\n")]);
    let said = run(state.path(), first.path(), "good/new-secret", &["--only", "functional", "--keep", "1h"]);
    assert_eq!(said.code, i32::from(Exit::Test.code()), "{}", said.stderr);
    assert_eq!(said.outcome(Stage::Upgrade), Some(Outcome::Skipped));
    assert_eq!(said.outcome(Stage::Teardown), Some(Outcome::Skipped));
    let stack = said.stack();
    assert!(!left(&stack).is_empty());

    // A janitor leaves it alone; another run says whose it is.
    assert!(cc_ci(state.path()).arg("reap").output().unwrap().status.success());
    let second = run(state.path(), first.path(), "good/new-secret", &[]);
    assert_eq!(second.code, i32::from(Exit::NoSlot.code()));
    let look_at = second.verdict().decided_by.as_ref().map(|decision| decision.fault.failure.look_at.clone());
    assert!(look_at.as_ref().is_some_and(|words| words.contains("reap --run")), "{look_at:?}");

    // What was red, and only that, against the kept app: its scratch folder and its run id are still there.
    let again = on_kept(state.path(), first.path(), &["--rerun-failed"]);
    let asked: Vec<_> = checks(&again).into_iter().map(|check| check.0).collect();
    assert_eq!(asked, ["functional.answers", "functional/20-b.sh"], "is the app up, and what was red");
    assert_eq!(again.code, i32::from(Exit::Test.code()));
    let mended = recipes(
        "",
        &[("10-a.sh", GREEN), ("20-b.sh", "#!/bin/sh\nset -e\ngrep -q \"$CCCI_RUN\" \"$CCCI_WORK/run\"\n")],
    );
    let again = on_kept(state.path(), mended.path(), &["--rerun-failed"]);
    assert_eq!(again.code, 0, "{}", again.verdict().line);
    assert!(again.verdict().line.contains("keeps"), "{}", again.verdict().line);

    // What [health] says now is asked before the tests: the app never answers with this status.
    let unwell = recipes("[health]\nstatus = [418]\n", &[("10-a.sh", GREEN)]);
    let asked = on_kept(state.path(), unwell.path(), &[]);
    assert_eq!(
        (asked.decided(), asked.code),
        ("no-answer", i32::from(Exit::Recipe.code())),
        "{}",
        asked.verdict().line
    );
    let first = checks(&asked).into_iter().map(|check| (check.0, check.1)).next();
    assert_eq!(first, Some(("functional.answers".to_owned(), Outcome::Failed)));
    let unasked = recipes(
        "[health]\nstatus = [418]\n[opt_out]\n\"install.answers\" = \"it answers nothing but its own tests\"\n",
        &[("10-a.sh", GREEN)],
    );
    assert_eq!(on_kept(state.path(), unasked.path(), &[]).code, 0, "nothing asks where recipe.toml says so");

    // A test that comes and goes is named, and red.
    let odd = recipes("", &[("10-a.sh", GREEN), ("30-c.sh", ALTERNATES)]);
    let hunted = on_kept(state.path(), odd.path(), &["--repeat", "4"]);
    assert_eq!(hunted.decided(), "comes-and-goes", "{}", hunted.verdict().line);
    assert!(hunted.verdict().line.contains("30-c.sh comes and goes: green in 2 of 4 rounds"));

    let other = cc_ci(state.path()).args(["run", "custom-html", "--kept", "--only", "backup"]).output().unwrap();
    assert_eq!(other.status.code(), Some(i32::from(Exit::Usage.code())));
    let shell = cc_ci(state.path()).args(["shell", "custom-html", "--", "cat", "/etc/hostname"]).output().unwrap();
    assert!(shell.status.success() && !shell.stdout.is_empty());
    let logs = cc_ci(state.path()).args(["logs", "custom-html"]).output().unwrap();
    assert!(String::from_utf8_lossy(&logs.stdout).contains("GET /"), "{}", String::from_utf8_lossy(&logs.stderr));
    let none = cc_ci(state.path()).args(["logs", "custom-html", "--service", "$(id)"]).output().unwrap();
    assert_eq!(none.status.code(), Some(i32::from(Exit::Usage.code())));

    let run = said.records.iter().find_map(|record| match &record.event {
        Event::RunStarted(started) => Some(started.run.to_string()),
        _ => None,
    });
    let ended = cc_ci(state.path()).args(["reap", "--run", &run.unwrap()]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert_eq!(left(&stack), Vec::<String>::new());
    let gone = cc_ci(state.path()).args(["run", "custom-html", "--kept"]).output().unwrap();
    assert_eq!(gone.status.code(), Some(i32::from(Exit::Usage.code())));
}

#[test]
fn a_kept_app_goes_by_itself() {
    let state = own_state();
    let recipes = recipes("", &[("10-a.sh", GREEN)]);
    let said = run(state.path(), recipes.path(), "broken/backup-empty", &["--only", "functional", "--keep", "2s"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let run = said.records.iter().find_map(|record| match &record.event {
        Event::RunStarted(started) => Some(started.run.to_string()),
        _ => None,
    });
    // The same as the process that the run left behind; whichever is first.
    let due = cc_ci(state.path()).args(["reap", "--when-due", "--run", &run.unwrap()]).output().unwrap();
    assert!(due.status.success(), "{}", String::from_utf8_lossy(&due.stdout));
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

/// Tests that cannot run are told before anything is deployed.
#[test]
fn tests_that_cannot_run_stop_a_run_at_once() {
    let state = own_state();
    let cases: [(&str, &str, &str); 4] = [
        ("10-broken.hurl", "GET {{CCCI_URL\n", "10-broken.hurl:1"),
        ("10-no-run-bit.sh", GREEN, "chmod +x"),
        ("10-only-200.hurl", "GET {{CCCI_URL}}/\nHTTP 200\n", "asserts nothing but status 200"),
        ("10-a.sh", "#!/bin/sh\nset -e\nif true; then\n", "syntax error"),
    ];
    for (name, text, says) in cases {
        let bad = recipes("", &[(name, text)]);
        let said = run(state.path(), bad.path(), "broken/crash-loop", &[]);
        assert_eq!(
            (said.decided(), said.code),
            ("check-broken", i32::from(Exit::Test.code())),
            "{}",
            said.verdict().line
        );
        assert!(said.verdict().line.contains(says), "{}", said.verdict().line);
        assert_eq!(said.outcome(Stage::Install), Some(Outcome::Blocked));
        assert_eq!(left(&said.stack()), Vec::<String>::new());
    }
}

/// Tests that are wrong when they run: each has one clear line, and the run is torn down.
#[test]
fn bad_tests_are_named_and_everything_is_torn_down() {
    let state = own_state();
    let bad = recipes(
        "[timeouts]\nfunctional = 12\n",
        &[
            ("30-floods.sh", "#!/bin/sh\nset -e\nyes 0123456789abcdef | head -c 100000000\nfalse\n"),
            ("40-leaves.sh", "#!/bin/sh\nset -e\nsleep 1000 >/dev/null 2>&1 &\necho $! >\"$CCCI_WORK/left\"\n"),
            (
                "50-was-killed.sh",
                "#!/bin/sh\nset -e\nstate=$(cut -d' ' -f3 \"/proc/$(cat \"$CCCI_WORK/left\")/stat\" 2>/dev/null || true)\ncase $state in ''|Z) echo it is gone ;; *) echo it lives; false ;; esac\n",
            ),
            ("60-hangs.sh", "#!/bin/sh\nset -e\necho begins\nsleep 1000\n"),
        ],
    );
    let said = run(state.path(), bad.path(), "broken/config-unversioned", &["--only", "functional"]);
    assert_eq!(said.code, i32::from(Exit::Test.code()), "{}", said.stderr);
    let checks = checks(&said);
    let text = |name: &str| &checks.iter().find(|check| check.0.contains(name)).unwrap().2;
    assert!(text("30-floods").contains("exit 1"), "{}", text("30-floods"));
    assert!(text("50-was").contains("it is gone"), "{}", text("50-was"));
    assert!(text("60-hangs").contains("was killed; its last line: begins"), "{}", text("60-hangs"));
    let cut = said.records.iter().find_map(|record| match &record.event {
        Event::CheckEnded { check, .. } if check.name.contains("30-floods") => check.fault.clone(),
        _ => None,
    });
    let detail = cut.unwrap().failure.detail;
    assert!(detail.contains("[cut: ") && detail.len() < 200_000, "{}", detail.len());
    assert_eq!(said.outcome(Stage::Teardown), Some(Outcome::Passed));
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}
