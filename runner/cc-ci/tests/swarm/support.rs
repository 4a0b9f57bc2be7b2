//! One run of the program, and what is left after it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use base::names::StackName;
use journal::event::{Event, Outcome, Record, Stage, Verdict};
use journal::run_dir::RunDir;
use slots::Claims;
use swarm::Swarm;

/// The root of the sources.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The state folder with the world's certificates, as `./dev` made it.
pub(crate) fn state() -> PathBuf {
    let state = std::env::var_os("CCCI_STATE").map_or_else(|| root().join(".state/cc-ci"), PathBuf::from);
    assert!(state.join("world").is_dir(), "there is no world: these tests are run by ./dev test");
    state
}

/// Kills a run, and waits until nothing holds its lock: a process that it was just starting holds it until it has become
/// the other program, and a janitor that comes before takes the run for a live one.
pub(crate) fn kill_run(mut child: Child, state: &Path) {
    child.kill().unwrap();
    child.wait().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while RunDir::all(state).unwrap().iter().any(|(_, dir)| dir.take_over().is_none()) {
        assert!(Instant::now() < until, "a run that was killed still holds its lock");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A state folder of its own, with the world's certificates: no other test reaps its runs.
pub(crate) fn own_state() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-a").arg(state().join("world")).arg(dir.path()).status().unwrap();
    assert!(copied.success());
    dir
}

/// The testbed's repositories, made once.
pub(crate) fn repositories() -> &'static Path {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        testbed::repos::build_all(dir.path()).unwrap();
        dir
    })
    .path()
}

/// Whether the tests that take long are asked for.
pub(crate) fn is_thorough() -> bool {
    std::env::var_os("CCCI_GOLDEN").is_some_and(|word| word == "all")
}

/// The program with the settings of the test world.
pub(crate) fn cc_ci(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cc-ci"));
    command
        .env("CCCI_STATE", state)
        .env("CCCI_RECIPES", root().join("recipes"))
        .env("CCCI_SOURCES", repositories())
        // Slots of the tests' own, and so many that only the tests of slots wait for one.
        .env("CCCI_SLOTS", "ccci-tests")
        .env("MAX_TESTS", "64")
        .env("CCCI_MAX_APPS", "128")
        .env("CCCI_MAX_MEMORY", "1000000")
        // Faults have tests of their own: they cost more than a run.
        .env("CCCI_FAULTS", if is_thorough() { "all" } else { "none" })
        .env_remove("CCCI_LOG")
        .env_remove("CCCI_APPROVED")
        .current_dir(root())
        .stdin(Stdio::null());
    command
}

/// An abra that does the other thing wherever that is not sure.
pub(crate) fn otherwise(dir: &Path) -> PathBuf {
    let real = Path::new(env!("CARGO_BIN_EXE_cc-ci")).with_file_name("abra-lite");
    let path = dir.join("abra");
    let script = format!("#!/bin/sh\nABRA_LITE_OTHERWISE=all exec {} \"$@\"\n", real.display());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    path
}

/// What a run said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) records: Vec<Record>,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        let text = String::from_utf8(output.stdout).unwrap();
        let records = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { code: output.status.code().unwrap_or(-1), records, stderr }
    }

    pub(crate) fn verdict(&self) -> &Verdict {
        let last = self.records.iter().rev().find_map(|record| match &record.event {
            Event::RunEnded { verdict } => Some(verdict),
            _ => None,
        });
        last.unwrap_or_else(|| panic!("no verdict; it said: {}", self.stderr))
    }

    /// The code of the failure that decided, or the verdict's own word.
    pub(crate) fn decided(&self) -> &'static str {
        self.verdict().decided_by.as_ref().map_or("passed", |decision| decision.fault.failure.kind.code())
    }

    pub(crate) fn stack(&self) -> StackName {
        let first = self.records.iter().find_map(|record| match &record.event {
            Event::RunStarted(started) => Some(started.stack.clone()),
            _ => None,
        });
        first.expect("the run has started")
    }

    pub(crate) fn outcome(&self, wanted: Stage) -> Option<Outcome> {
        self.records.iter().find_map(|record| match &record.event {
            Event::StageEnded { stage, result, .. } if *stage == wanted => Some(result.outcome),
            _ => None,
        })
    }

    pub(crate) fn notes(&self) -> Vec<&str> {
        let note = |record| match record {
            &Record { event: Event::Noted { ref text, .. }, .. } => Some(text.as_str()),
            _ => None,
        };
        self.records.iter().filter_map(note).collect()
    }
}

/// The command that runs a pull request of a testbed repository to its end. Its number is in the app's name, so that no
/// other test's run has the same app.
pub(crate) fn run_of(repository: &str, pull: u64) -> Command {
    let recipe = if repository.starts_with("custom-html") { "custom-html" } else { repository };
    let mut arguments = arguments(recipe, &repositories().join(repository), "");
    let at = arguments.iter().position(|word| word == "--ref").unwrap();
    arguments.splice(at..at + 2, ["--pr".to_owned(), pull.to_string()]);
    let mut command = cc_ci(&state());
    command.args(arguments);
    command
}

/// A copy of custom-html's repository with so many branches (`n/0`, `n/1`, …), each with a head that no other
/// test has, so that their runs share no app.
pub(crate) fn copies(count: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let git = |words: &[&str]| {
        let who = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
        let status = Command::new("git").arg("-C").arg(dir.path()).args(who).args(words).output().unwrap();
        assert!(status.status.success(), "{words:?}: {}", String::from_utf8_lossy(&status.stderr));
    };
    git(&["clone", "--quiet", repositories().join("custom-html").to_str().unwrap(), "."]);
    for n in 0..count {
        git(&["checkout", "--quiet", "-B", &format!("n/{n}"), "origin/good/new-release"]);
        let letters: String = rand::random_iter::<u8>().take(12).map(|byte| char::from(b'a' + byte % 26)).collect();
        git(&["commit", "--quiet", "--allow-empty", "-m", &format!("a head of its own: {letters}")]);
    }
    dir
}

pub(crate) fn arguments(recipe: &str, source: &Path, reference: &str) -> Vec<String> {
    let source = source.to_str().unwrap();
    ["run", recipe, "--source", source, "--ref", reference, "--json"].map(str::to_owned).into()
}

/// Starts a run and gives it with its lines.
pub(crate) fn start(
    state: &Path,
    arguments: &[String],
) -> (Child, std::io::Lines<std::io::BufReader<std::process::ChildStdout>>) {
    use std::io::BufRead;
    let mut child = cc_ci(state).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// Every object of a stack that is still there, and its claim.
pub(crate) fn left(stack: &StackName) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let swarm = Swarm::connect().await.unwrap();
        let mut found: Vec<String> = swarm.objects(stack).await.unwrap().iter().map(ToString::to_string).collect();
        let claims = Claims(&swarm).all().await.unwrap();
        found
            .extend(claims.iter().filter(|claim| claim.stack == *stack).map(|claim| format!("claim of {}", claim.run)));
        found
    })
}
