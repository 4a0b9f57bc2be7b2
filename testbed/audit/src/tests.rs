//! A small crate with a history of fixes: honest, without a test, with a test that passes without.

use std::path::Path;

use super::*;

/// A repository with a crate that depends on nothing.
struct History(tempfile::TempDir);

impl History {
    fn new() -> Self {
        let history = Self(tempfile::tempdir().unwrap());
        history.git(&["init", "--quiet"]);
        history.put("Cargo.toml", "[package]\nname = \"small\"\nedition = \"2021\"\n[workspace]\n");
        history.put("Cargo.lock", "version = 3\n\n[[package]]\nname = \"small\"\nversion = \"0.0.0\"\n");
        history
    }

    fn git(&self, args: &[&str]) -> String {
        let name = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"];
        let args: Vec<std::ffi::OsString> = name.iter().chain(args).map(Into::into).collect();
        source::git(Some(self.0.path()), &args).unwrap()
    }

    fn put(&self, path: &str, text: &str) -> &Self {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", message]);
    }

    fn audit(&self, since: Option<&str>, build: Option<&Path>) -> Result<Audited, AuditError> {
        let run = build.map(|build| Run { build: build.to_owned(), limit: Duration::from_secs(300), within: None });
        let since = since.map(str::to_owned);
        Audit { repository: self.0.path().to_owned(), since, commits: vec![], run }.make(|_| {})
    }
}

fn lib(add: &str, double: &str, tests: &str) -> String {
    format!(
        "/// Adds.\npub fn add(a: i32, b: i32) -> i32 {{ {add} }}\npub fn double(a: i32) -> i32 {{ {double} }}\n\
         #[cfg(test)]\nmod tests {{\n    use super::*;\n{tests}}}\n"
    )
}

const ADDS: &str = "    #[test]\n    fn adds() { assert_eq!(add(1, 2), 3); }\n";
const ZERO: &str = "    #[test]\n    fn zero() { assert_eq!(double(0), 0); }\n";

fn history() -> History {
    let history = History::new();
    history.put("src/lib.rs", &lib("a - b", "a + 1", "")).commit("Add and double");
    history.put("src/lib.rs", &lib("a + b", "a + 1", ADDS)).commit("Fix adding");
    history.put("README.md", "small").commit("Fix nothing that has a test");
    let zero = format!("{ADDS}{ZERO}");
    // Not the bug: what it asserts held before.
    history
        .put("src/lib.rs", &lib("a + b", "a + 1 - 1 + a", &zero.replace("double(0), 0", "double(1), 2")))
        .commit("Mend doubling");
    let also = "use small::*;\n#[test]\nfn knows_triple() { assert_eq!(triple(1), 3); }\n";
    history.put("tests/outer.rs", also);
    let code = lib("a + b", "a + a", &zero).replace("/// Adds.", "pub fn triple(a: i32) -> i32 { 3 * a }\n/// Adds.");
    history.put("src/lib.rs", &code).commit("Correct what is missing");
    history.put("tests/outer.rs", &also.replace("(1), 3", "(2), 6")).commit("Fix a test");
    history.put("README.md", "large").commit("Write more\n\nFixes-bug: yes");
    history.put("README.md", "larger").commit("Fix a word\n\nFixes-bug: no");
    history
}

#[test]
fn fixes_are_found_with_the_tests_that_they_touch() {
    let audited = history().audit(None, None).unwrap();
    let seen: Vec<(&str, usize, Shown)> =
        audited.fixes.iter().map(|fix| (fix.subject.as_str(), fix.tests.len(), fix.shown)).collect();
    assert_eq!(
        seen,
        [
            ("Write more", 0, Shown::NoTest),
            ("Fix a test", 1, Shown::TestsAlone),
            ("Correct what is missing", 2, Shown::NotRun),
            ("Mend doubling", 1, Shown::NotRun),
            ("Fix nothing that has a test", 0, Shown::NoTest),
            ("Fix adding", 1, Shown::NotRun),
        ]
    );
    let text = terminal(&audited);
    assert!(text.contains("  - src/lib.rs (tests::adds)\n"), "{text}");
    assert!(text.ends_with("6 fixes in 8 commits: 4 touch tests, 2 touch none\n"), "{text}");
}

#[test]
fn since_is_a_revision_or_a_day_and_nothing_else() {
    let history = history();
    assert_eq!(history.audit(Some("HEAD~2"), None).unwrap().fixes.len(), 1);
    assert_eq!(history.audit(Some("2000-01-01"), None).unwrap().fixes.len(), 6);
    assert_eq!(history.audit(Some("2100-01-01"), None).unwrap().fixes.len(), 0);
    for wrong in ["yesterday", "--all", "no-such-branch", ""] {
        assert!(matches!(history.audit(Some(wrong), None), Err(AuditError::Since(_))), "{wrong}");
    }
}

fn state(history: &History) -> [String; 2] {
    [history.git(&["status", "--porcelain"]), history.git(&["worktree", "list"])]
}

#[test]
fn the_tests_of_fixes_are_run_without_them() {
    let (history, build) = (history(), tempfile::tempdir().unwrap());
    let before = state(&history);
    let audited = history.audit(None, Some(build.path())).unwrap();
    let of = |subject: &str| audited.fixes.iter().find(|fix| fix.subject == subject).unwrap();
    assert_eq!(of("Fix adding").shown, Shown::FailsWithout, "{audited:#?}");
    assert_eq!(of("Mend doubling").shown, Shown::PassesWithout, "{audited:#?}");
    assert_eq!(of("Fix nothing that has a test").shown, Shown::NoTest);
    let missing = of("Correct what is missing");
    assert_eq!(missing.shown, Shown::CannotTell);
    let compiles = |result: &TestResult| matches!(result, TestResult::CannotTell(why) if why.contains("does not compile without the fix"));
    assert!(missing.tests.iter().any(|test| compiles(test.result.as_ref().unwrap())), "{missing:#?}");
    assert!(terminal(&audited).contains("a test fails without it: 1; its tests pass without it: 1"));
    assert_eq!(state(&history), before);
    let unshown: Vec<&str> = audited.unshown().map(|fix| fix.subject.as_str()).collect();
    assert_eq!(unshown, ["Write more", "Mend doubling", "Fix nothing that has a test"], "what the gate is red for");
    assert!(!audited.looked_at_nothing());
}

#[test]
fn two_runs_of_a_test_say_whose_doing_it_is() {
    let ran = |ended| Said::Ran(BTreeMap::from([("t".to_owned(), ended)]));
    let (green, red) = (ran(Ended::Passed), ran(Ended::Failed));
    let (none, slow) = (Said::Ran(BTreeMap::new()), Said::TooLong);
    let uncompiled = Said::DoesNotCompile("error: no `x`".to_owned());
    let unstarted = Said::NotStarted("no cargo".to_owned());
    // The words begin as these do: F fails without the fix, P passes without it, B is broken, C cannot be told.
    for (without, with, unit, whole) in [
        (&red, Some(&green), "F", "F"),
        (&green, None, "P", "P"),
        (&green, Some(&red), "P", "P"),
        (&red, Some(&red), "B fails with the fix too", "C it fails with the fix too"),
        (&red, Some(&uncompiled), "B does not compile with the fix", "B does not compile with the fix"),
        (&red, Some(&none), "C it did not run", "C it did not run"),
        (&red, Some(&slow), "C took too long", "C took too long"),
        (&red, None, "C red without the fix", "C red without the fix"),
        (&none, None, "C cargo does not run it", "C cargo does not run it"),
        (&uncompiled, Some(&green), "C does not compile without", "C does not compile without"),
        (&uncompiled, Some(&red), "B fails with the fix too", "C does not compile without"),
        (&uncompiled, Some(&uncompiled), "B does not compile with the fix or", "B does not compile with the fix or"),
        (&uncompiled, Some(&slow), "C took too long", "C took too long"),
        (&uncompiled, Some(&unstarted), "C does not compile without", "C does not compile without"),
        (&slow, None, "C took too long", "C took too long"),
        (&unstarted, None, "C cargo cannot be started", "C cargo cannot be started"),
    ] {
        for (is_unit, wanted) in [(true, unit), (false, whole)] {
            let said = match result("t", is_unit, Some(without), with) {
                TestResult::FailsWithout => "F".to_owned(),
                TestResult::PassesWithout => "P".to_owned(),
                TestResult::Broken(how) => format!("B {how}"),
                TestResult::CannotTell(why) => format!("C {why}"),
            };
            assert!(said.starts_with(wanted), "{without:?}, {with:?}, unit {is_unit}: {said}");
        }
    }
}

#[test]
fn the_gate_is_red_for_what_is_broken_and_not_for_what_cannot_be_told() {
    let fix = |subject: &str, shown: Shown, result: Option<TestResult>| {
        let test = Touched { file: "src/lib.rs".to_owned(), test: Some("t".to_owned()) };
        let tests = if shown == Shown::NoTest { vec![] } else { vec![TestOfFix { test, result }] };
        let (commit, date, note) = ("c".to_owned(), "2026-11-21".to_owned(), String::new());
        Fix { commit, date, subject: subject.to_owned(), tests, shown, note }
    };
    let cannot = |why: &str| Some(TestResult::CannotTell(why.to_owned()));
    let audited = |fixes: Vec<Fix>| Audited { commits: fixes.len(), fixes, ran: true };
    let all = audited(vec![
        fix("fails", Shown::FailsWithout, Some(TestResult::FailsWithout)),
        fix("passes", Shown::PassesWithout, Some(TestResult::PassesWithout)),
        fix("broken", Shown::Broken, Some(TestResult::Broken("fails with the fix too".to_owned()))),
        fix("uncompiled", Shown::CannotTell, cannot("does not compile without the fix")),
        fix("late", Shown::NotRun, None),
        fix("alone", Shown::TestsAlone, None),
        fix("none", Shown::NoTest, None),
    ]);
    assert_eq!(all.unshown().map(|fix| fix.subject.as_str()).collect::<Vec<_>>(), ["passes", "broken", "none"]);
    let told = terminal(&all);
    assert!(told.contains("a test of it is broken: 1; cannot be told: 1; changes tests alone: 1"), "{told}");
    assert!(told.contains("touches tests, which were not run: 1\n"), "{told}");

    let late = || fix("late", Shown::NotRun, None);
    let slow = || fix("slow", Shown::CannotTell, cannot("took too long"));
    assert!(audited(vec![late()]).looked_at_nothing() && audited(vec![slow(), late()]).looked_at_nothing());
    assert!(
        !audited(vec![late(), fix("fails", Shown::FailsWithout, Some(TestResult::FailsWithout))]).looked_at_nothing()
    );
    let on_swarm = fix("swarm", Shown::CannotTell, cannot("it needs a run on a swarm"));
    assert!(!audited(vec![on_swarm]).looked_at_nothing(), "no time would tell it");
    assert!(
        !audited(vec![]).looked_at_nothing() && !audited(vec![fix("none", Shown::NoTest, None)]).looked_at_nothing()
    );
    assert!(!Audited { ran: false, ..audited(vec![late()]) }.looked_at_nothing(), "nobody asked for it");
}

#[test]
fn what_the_time_did_not_suffice_for_is_told_and_is_no_proof() {
    let (history, build) = (history(), tempfile::tempdir().unwrap());
    let run = Run { build: build.path().to_owned(), limit: Duration::from_secs(300), within: Some(Duration::ZERO) };
    let audit = Audit { repository: history.0.path().to_owned(), since: None, commits: vec![], run: Some(run) };
    let audited = audit.make(|line| panic!("{line} was run")).unwrap();
    let open = audited.fixes.iter().filter(|fix| fix.shown == Shown::NotRun);
    assert!(open.clone().count() == 3 && open.clone().all(|fix| fix.note == "the time for all of them was over"));
    assert_eq!(audited.unshown().count(), 2, "what has no test needs no time to be seen");
    assert!(terminal(&audited).contains("touches tests, which were not run (the time for all of them was over)"));
    assert!(audited.looked_at_nothing(), "and the gate is red for that");
}

#[test]
fn a_whole_test_finds_the_programs_of_other_packages_without_the_fix_and_with_it() {
    let history = History::new();
    history.put("Cargo.toml", "[workspace]\nmembers = [\"tool\", \"whole\"]\nresolver = \"2\"\n");
    for name in ["tool", "whole"] {
        let toml = format!("[package]\nname = \"{name}\"\nedition = \"2021\"\n");
        history.put(&format!("{name}/Cargo.toml"), &toml);
    }
    let locked = |name: &str| format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.0.0\"\n");
    history.put("Cargo.lock", &format!("version = 3\n{}{}", locked("tool"), locked("whole")));
    history.put("whole/src/lib.rs", "");
    history.put("tool/src/main.rs", "fn main() { print!(\"wrong\") }\n").commit("Say it");
    let test = "#[test]\nfn says_it() {\n    let own = std::env::current_exe().unwrap();\n    \
                let tool = own.parent().unwrap().parent().unwrap().join(\"tool\");\n    \
                assert_eq!(std::process::Command::new(tool).output().unwrap().stdout, b\"right\");\n}\n";
    history.put("whole/tests/outer.rs", test);
    history.put("tool/src/main.rs", "fn main() { print!(\"right\") }\n").commit("Fix what is said");
    let build = tempfile::tempdir().unwrap();
    let audited = history.audit(None, Some(build.path())).unwrap();
    assert_eq!(audited.fixes[0].shown, Shown::FailsWithout, "{audited:#?}");
}
