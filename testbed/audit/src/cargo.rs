//! Tests of one commit, run by cargo: which command, and what its words mean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use super::files::{Touched, is_recipe_test};

/// Where cargo finds a test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// The package's folder below the repository's.
    pub(super) package: String,
    /// The target: the library and the programs, or one of `tests/`.
    pub(super) of: Option<String>,
}

/// How a test ended, by its name within its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Passed,
    Failed,
}

/// What one call of cargo said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The tests ran.
    Ran(BTreeMap<String, Ended>),
    /// It does not compile; the compiler's first error.
    DoesNotCompile(String),
    /// It took longer than it may.
    TooLong,
    /// It could not be started.
    NotStarted(String),
}

/// Where a test is for cargo, and its name there; none where cargo does not run it. `packages` are the folders
/// that have a Cargo.toml, without a slash at the end.
pub(super) fn place(touched: &Touched, packages: &BTreeSet<String>) -> Option<(Target, String)> {
    if is_recipe_test(&touched.file) {
        return None;
    }
    if let Some(snapshot) = touched.file.strip_suffix(".snap") {
        return of_snapshot(snapshot, packages);
    }
    let (package, path) = split(&touched.file, packages)?;
    let test = touched.test.as_deref()?;
    let mut parts: Vec<&str> = path.strip_suffix(".rs")?.split('/').collect();
    let of = match (parts.first().copied()?, parts.get(1).copied()) {
        ("src", Some(_)) => {
            parts.remove(0);
            None
        }
        ("tests", Some(name)) => {
            parts.drain(..2);
            Some(name.to_owned())
        }
        _ => return None,
    };
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(last)) {
        parts.pop();
    }
    parts.push(test);
    Some((Target { package, of }, parts.join("::")))
}

/// insta names snapshots after crate, module and test: `runner__exit__tests__reads_well.snap`.
fn of_snapshot(path: &str, packages: &BTreeSet<String>) -> Option<(Target, String)> {
    let (package, below) = split(path, packages)?;
    let (_, file) = below.rsplit_once('/')?;
    let parts: Vec<&str> = file.split("__").collect();
    // A second snapshot of a test has a number behind its name.
    let (name, above) = parts.get(1..)?.split_last()?;
    let name = match name.rsplit_once('-') {
        Some((name, number)) if number.chars().all(|c| c.is_ascii_digit()) => name,
        _ => name,
    };
    let of = below.strip_prefix("tests/").map(|_| parts[0].to_owned());
    Some((Target { package, of }, above.iter().copied().chain([name]).collect::<Vec<_>>().join("::")))
}

/// The innermost package of a file, and the file's path in it.
fn split<'a>(file: &'a str, packages: &BTreeSet<String>) -> Option<(String, &'a str)> {
    let below = |package: &String| match package.as_str() {
        "" => Some(file),
        _ => file.strip_prefix(package.as_str())?.strip_prefix('/'),
    };
    let found = packages.iter().filter_map(|package| Some((package.clone(), below(package)?)));
    found.max_by_key(|(package, _)| package.len())
}

/// For `timeout`, to which 0 is no limit.
fn seconds(limit: Duration) -> String {
    limit.as_secs().max(1).to_string()
}

/// Builds every program of a tree: whole tests start those of other packages too, which cargo does not build for
/// them. What does not compile is told by the tests that need it.
pub(super) fn build(tree: &Path, build: &Path, limit: Duration) {
    let words = ["--kill-after=10", &seconds(limit), "cargo", "build", "--quiet", "--workspace", "--bins"];
    let built = duct::cmd("timeout", words)
        .dir(tree)
        .env("CARGO_TARGET_DIR", build)
        .stdin_null()
        .stdout_null()
        .stderr_null()
        .unchecked()
        .run();
    if let Err(error) = built {
        tracing::warn!("the programs of {} are not built: {error}", tree.display());
    }
}

/// Runs tests of one target in a tree, in a target folder that no other build uses.
pub(super) fn run(tree: &Path, target: &Target, tests: &[String], build: &Path, limit: Duration) -> Said {
    let of = match &target.of {
        Some(name) => vec!["--test", name],
        None => vec!["--lib", "--bins"],
    };
    // timeout ends the whole group: a test that hangs is cargo's grandchild.
    let seconds = seconds(limit);
    let mut words: Vec<&str> = vec!["--kill-after=10", &seconds, "cargo", "test", "--quiet", "--no-fail-fast"];
    let library = !tree.join(&target.package).join("src/lib.rs").exists();
    words.extend(of.into_iter().filter(|word| !(library && *word == "--lib")));
    words.extend(["--", "--exact", "--format=pretty"]);
    words.extend(tests.iter().map(String::as_str));
    let ran = duct::cmd("timeout", words)
        .dir(tree.join(&target.package))
        .env("CARGO_TARGET_DIR", build)
        .env("CARGO_TERM_COLOR", "never")
        // A snapshot that differs is a red test, and nothing is written.
        .env("INSTA_UPDATE", "no")
        .env("CI", "1")
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run();
    match ran {
        Err(error) => Said::NotStarted(error.to_string()),
        Ok(output) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            read(output.status.code(), &text(&output.stdout), &text(&output.stderr))
        }
    }
}

/// What cargo's words mean.
fn read(code: Option<i32>, out: &str, err: &str) -> Said {
    if matches!(code, Some(124 | 137)) {
        return Said::TooLong;
    }
    let of = |line: &str| {
        let (name, word) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        match word.trim() {
            "ok" => Some((name.to_owned(), Ended::Passed)),
            "FAILED" => Some((name.to_owned(), Ended::Failed)),
            _ => None,
        }
    };
    let ended: BTreeMap<String, Ended> = out.lines().filter_map(of).collect();
    if ended.is_empty() && code != Some(0) {
        let mut errors = err.lines().filter(|line| line.starts_with("error"));
        return Said::DoesNotCompile(errors.next().unwrap_or("cargo says nothing").to_owned());
    }
    Said::Ran(ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, test: Option<&str>) -> Option<(String, Option<String>, String)> {
        let packages = ["".to_owned(), "runner".to_owned()].into();
        let touched = Touched { file: file.to_owned(), test: test.map(str::to_owned) };
        place(&touched, &packages).map(|(target, name)| (target.package, target.of, name))
    }

    #[test]
    fn tests_have_a_place_and_a_name() {
        let lib = |name: &str| Some(("runner".to_owned(), None, name.to_owned()));
        assert_eq!(at("runner/src/exit.rs", Some("tests::a")), lib("exit::tests::a"));
        assert_eq!(at("runner/src/lib.rs", Some("tests::a")), lib("tests::a"));
        assert_eq!(at("runner/src/x/mod.rs", Some("a")), lib("x::a"));
        assert_eq!(at("runner/src/x/tests.rs", Some("a")), lib("x::tests::a"));
        let test = |of: &str, name: &str| Some(("runner".to_owned(), Some(of.to_owned()), name.to_owned()));
        assert_eq!(
            at("runner/tests/cli.rs", Some("a")),
            test("cli", "a").map(|(p, _, n)| (p, Some("cli".to_owned()), n))
        );
        assert_eq!(at("runner/tests/swarm/main.rs", Some("a")), test("swarm", "a"));
        assert_eq!(at("runner/tests/swarm/made.rs", Some("a")), test("swarm", "made::a"));
        assert_eq!(at("src/lib.rs", Some("t::a")), Some((String::new(), None, "t::a".to_owned())));
        assert_eq!(at("recipes/n8n/functional/10-a.rs", Some("a")), None);
        let snap = "runner/src/report/snapshots/runner__report__html__tests__reads-2.snap";
        assert_eq!(at(snap, None), lib("report::html::tests::reads"));
        assert_eq!(at("docs/x.rs", Some("a")), None, "cargo knows src/ and tests/ alone");
    }

    #[test]
    fn words_of_cargo() {
        let out = "\nrunning 3 tests\ntest a::b ... ok\ntest a::c ... FAILED\ntest d - should panic ... ok\ntest e ... ignored\n";
        let Said::Ran(ended) = read(Some(101), out, "") else { panic!("it ran") };
        assert_eq!(ended.len(), 3);
        assert_eq!((ended["a::b"], ended["a::c"], ended["d"]), (Ended::Passed, Ended::Failed, Ended::Passed));
        let wrong = read(Some(101), "", "warning: x\nerror[E0425]: cannot find `y`\nerror: aborting\n");
        assert_eq!(wrong, Said::DoesNotCompile("error[E0425]: cannot find `y`".to_owned()));
        assert_eq!(read(Some(124), "test a ... ok\n", ""), Said::TooLong);
        assert_eq!(read(Some(0), "running 0 tests\n", ""), Said::Ran(BTreeMap::new()));
    }
}
