//! The image of the plugin, started as Drone's docker runner starts a step: the workspace at /drone/src, the build's
//! variables, docker's socket, no terminal. Drone itself cannot be had here.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use base::names::StackName;
use journal::event::{Event, Outcome, Record};
use journal::exit::Exit;
use tempfile::TempDir;

use super::registry::{Door, LOGIN, registry_behind};
use super::support::{left, own_state, repositories};

/// Made by `docker/runner/build` from the programs that are tested; `./dev test` does it.
const IMAGE: &str = "testbed.invalid/runner:1";

/// A step of a build.
struct Step {
    name: String,
    workspace: TempDir,
    state: Rc<TempDir>,
}

impl Drop for Step {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.name]).output();
    }
}

impl Step {
    /// With a repository in the workspace, whose only branch goes on from `base` with a head of its own.
    fn new(base: &str) -> Self {
        Self::with_state(base, Rc::new(own_state()))
    }

    fn with_state(base: &str, state: Rc<TempDir>) -> Self {
        let letters: String = rand::random_iter::<u8>().take(12).map(|byte| char::from(b'a' + byte % 26)).collect();
        let workspace = tempfile::tempdir().unwrap();
        let repository = workspace.path().join("repository");
        let git = |words: &[&str]| {
            let who = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
            let output = Command::new("git").args(who).args(words).output().unwrap();
            assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        let (from, to) = (repositories().join("custom-html"), repository.to_str().unwrap());
        git(&["clone", "--quiet", "--branch", base, from.to_str().unwrap(), to]);
        git(&["-C", to, "commit", "--quiet", "--allow-empty", "-m", &format!("a head of its own: {letters}")]);
        git(&["-C", to, "branch", "--force", "tested"]);
        Self { name: format!("cc-ci-test-plugin-{letters}"), workspace, state }
    }

    fn command(&self, network: &str, settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new("docker");
        command.args(["run", "--rm", "--name", &self.name, "--network", network, "--workdir", "/drone/src"]);
        for (from, to) in [
            (self.workspace.path(), "/drone/src"),
            (self.state.path(), "/var/lib/cc-ci"),
            (Path::new("/var/run/docker.sock"), "/var/run/docker.sock"),
        ] {
            command.arg("--volume").arg(format!("{}:{to}", from.display()));
        }
        let build = [
            ("CI", "true"),
            ("DRONE", "true"),
            ("DRONE_REPO", "coop/custom-html"),
            ("DRONE_BUILD_NUMBER", "42"),
            ("DRONE_BUILD_EVENT", "custom"),
            ("DRONE_BUILD_LINK", "https://drone.example.org/coop/custom-html/42"),
            ("DRONE_COMMIT_SHA", "0123456789abcdef0123456789abcdef01234567"),
            ("DRONE_BRANCH", "main"),
            ("DRONE_PULL_REQUEST", ""),
            ("DRONE_WORKSPACE", "/drone/src"),
            ("DRONE_CARD_PATH", "/drone/src/card.json"),
            ("PLUGIN_SOURCE", "repository"),
            ("PLUGIN_REF", "tested"),
            ("PLUGIN_SLOTS", "ccci-tests"),
            // As Drone writes them, as Woodpecker does, and in between.
            ("PLUGIN_MAX-TESTS", "64"),
            ("PLUGIN_MAX_APPS", "128"),
            ("plugin_max.memory", "1000000"),
            // What a pipeline passes on and does not have.
            ("PLUGIN_REPORT-TO", ""),
            ("MAX_TESTS", ""),
            ("CCCI_REPORT_TO", ""),
            ("CCCI_MAX_WAIT", ""),
            ("CCCI_PUBLIC_URL", "https://ci.example.org"),
        ];
        for (name, value) in build.iter().chain(settings) {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        command.arg(IMAGE).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The code and the words of a step that ran to its end.
    fn ends(&self, network: &str, settings: &[(&str, &str)]) -> (i32, String, String) {
        let output = self.command(network, settings).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    /// Starts the step and comes back when its app is being deployed.
    fn deploys(&self, settings: &[(&str, &str)]) -> Child {
        let mut child = self.command("host", settings).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("waiting for app")), "it deployed nothing");
        // Nobody may be left whose output has no reader.
        std::thread::spawn(move || lines.for_each(drop));
        child
    }

    fn does(&self, words: &[&str]) {
        let output = Command::new("docker").args(words).arg(&self.name).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.workspace.path().join(name)).unwrap()
    }

    /// The stack of the run that its state folder has.
    fn stack(&self) -> StackName {
        let run = std::fs::read_dir(self.state.path().join("runs")).unwrap().next().unwrap().unwrap();
        let journal = std::fs::read_to_string(run.path().join("journal.jsonl")).unwrap();
        match serde_json::from_str::<Record>(journal.lines().next().unwrap()).unwrap().event {
            Event::RunStarted(started) => started.stack,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_step_is_a_whole_run_with_its_card_and_its_artifacts() {
    let step = Step::new("good/new-release");
    let (code, out, err) = step.ends("host", &[]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("✓ passed: custom-html") && out.contains("upgraded from"), "{out}");
    assert!(!out.contains('\u{1b}') && !out.contains('\r'), "a log has plain lines");
    for file in ["report.html", "junit.xml", "journal.jsonl"] {
        assert!(step.file(&format!("cc-ci/{file}")).contains("custom-html"), "{file}");
    }
    let card: serde_json::Value = serde_json::from_str(&step.file("card.json")).unwrap();
    assert_eq!((&card["data"]["recipe"], &card["data"]["outcome"]), (&"custom-html".into(), &"✓ passed".into()));
    assert_eq!(card["schema"], "https://ci.example.org/card.json");
    assert!(card["data"]["stages"].as_array().unwrap().iter().any(|stage| stage["stage"] == "backup"));
    assert_eq!(left(&step.stack()), Vec::<String>::new());
}

#[test]
fn a_red_step_passes_the_exit_code_on() {
    let step = Step::new("broken/health-wrong");
    let settings = [("PLUGIN_ARTIFACTS", "out/red"), ("DRONE_CARD_PATH", "/dev/stdout")];
    let (code, out, err) = step.ends("host", &settings);
    assert_eq!(code, i32::from(Exit::Recipe.code()), "{out}{err}");
    assert!(step.file("out/red/junit.xml").contains("<failure"));
    assert!(out.contains("\u{1b}]1338;"), "the card stands in the output, where Drone's runner looks for it");
    assert_eq!(left(&step.stack()), Vec::<String>::new());
}

#[test]
fn a_step_that_is_wrong_runs_nothing_and_shows_no_value() {
    let step = Step::new("main");
    for (setting, words) in [("PLUGIN_RECIEP", "did you mean recipe?"), ("PLUGIN_PR", "pr takes a whole number")] {
        let (code, out, err) = step.ends("host", &[(setting, "hunter2")]);
        assert_eq!(code, i32::from(Exit::Usage.code()), "{out}{err}");
        assert!(err.contains(words) && !format!("{out}{err}").contains("hunter2"), "{out}{err}");
    }
    assert!(!step.state.path().join("runs").exists());
}

/// As Woodpecker gives it, which makes such builds unless a pipeline leaves them out.
const CLOSED: [(&str, &str); 4] = [
    ("DRONE", ""),
    ("CI", "woodpecker"),
    ("CI_PIPELINE_EVENT", "pull_request_closed"),
    ("CI_COMMIT_PULL_REQUEST", "7"),
];

#[test]
fn a_step_of_a_closed_pull_request_is_green_at_once() {
    let step = Step::new("main");
    let (code, out, err) = step.ends("host", &CLOSED);
    assert_eq!((code, out.as_str()), (0, "nothing to test: the pull request was closed or merged\n"), "{err}");
    assert!(!step.state.path().join("runs").exists());
    let (code, out, err) = step.ends("host", &[("DRONE_BUILD_EVENT", "promote")]);
    assert_eq!(code, i32::from(Exit::Usage.code()), "{out}{err}");
    assert!(err.contains("unless deployments is true"), "{err}");
}

#[test]
fn no_process_of_a_step_has_a_secret_not_even_the_first() {
    let step = Step::new("main");
    // The address has no server: reporting changes no verdict.
    let settings = [
        ("PLUGIN_REPORT-TOKEN", "hunter2-hunter2-hunter2"),
        ("plugin_report.token", "hunter2-hunter2-hunter2"),
        ("PLUGIN_REPORT-TO", "http://127.0.0.1:9"),
        ("DRONE_NETRC_PASSWORD", "hunter2-of-git"),
        ("PLUGIN_ONLY", "install"),
    ];
    let mut child = step.deploys(&settings);
    let output = Command::new("docker").args(["top", &step.name, "-eo", "pid"]).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let processes: Vec<&str> = output.lines().skip(1).map(str::trim).collect();
    // The init and the plugin at least.
    assert!(processes.len() >= 2, "{output}");
    for process in processes {
        // One that has ended meanwhile shows nothing.
        let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        assert!(!environment.contains("hunter2"), "process {process}");
    }
    step.does(&["stop", "--time", "120"]);
    assert_eq!(child.wait().unwrap().code(), Some(i32::from(Exit::Cancelled.code())));
    assert_eq!(left(&step.stack()), Vec::<String>::new());
}

#[test]
fn a_restarted_build_is_a_run_of_its_own() {
    let step = Step::new("main");
    let settings = [("PLUGIN_RUN-ID", "20261121-091403-kxqv"), ("PLUGIN_ONLY", "install")];
    let (code, out, err) = step.ends("host", &settings);
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = step.ends("host", &settings);
    assert_eq!(code, i32::from(Exit::Usage.code()), "{out}{err}");
    assert!(err.contains("run 20261121-091403-kxqv is there already"), "{err}");
    let restart = [("DRONE_BUILD_NUMBER", "43"), ("DRONE_BUILD_PARENT", "42"), settings[0], settings[1]];
    let (code, out, err) = step.ends("host", &restart);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("run 20261121-091403-kxqv-b43"), "{out}");
    assert!(out.contains("restarted: the first attempt was run 20261121-091403-kxqv"), "{out}");
}

#[test]
fn a_step_that_is_stopped_tears_down() {
    let step = Step::new("good/new-release");
    let mut child = step.deploys(&[]);
    step.does(&["stop", "--time", "120"]);
    assert_eq!(child.wait().unwrap().code(), Some(i32::from(Exit::Cancelled.code())));
    assert!(step.file("cc-ci/junit.xml").contains("custom-html"));
    assert_eq!(left(&step.stack()), Vec::<String>::new());
}

#[test]
fn what_a_killed_step_left_is_removed_by_the_next_one() {
    let step = Step::new("good/new-release");
    let mut child = step.deploys(&[]);
    let stack = step.stack();
    step.does(&["kill"]);
    assert_eq!(child.wait().unwrap().code(), Some(137));
    assert_ne!(left(&stack), Vec::<String>::new());
    // Of another head, so that what it removes is not what it makes; with the same volume for its state.
    let next = Step::with_state("main", Rc::clone(&step.state));
    let (code, out, err) = next.ends("host", &[("PLUGIN_ONLY", "install")]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(left(&stack), Vec::<String>::new());
}

/// As the runner gives a volume and variables to all of its steps, and no pipeline has them.
#[test]
fn a_login_for_registries_is_a_file_in_a_volume_and_goes_with_the_images_of_listed_recipes() {
    let registry = registry_behind(Door::Token);
    let step = Step::new("main");
    let repository = step.workspace.path().join("repository");
    let compose = std::fs::read_to_string(repository.join("compose.yml")).unwrap();
    let line = compose.lines().find(|line| line.trim_start().starts_with("image:")).unwrap();
    let private = compose.replace(line, &format!("    image: {registry}/private:1"));
    std::fs::write(repository.join("compose.yml"), private).unwrap();
    let script =
        "git -c user.name=test -c user.email=test@example.org commit -qam 'A private image' && git branch -f tested";
    assert!(Command::new("sh").args(["-c", script]).current_dir(&repository).status().unwrap().success());
    let file = |name: &str, text: &str| std::fs::write(step.state.path().join(name), text).unwrap();
    file("docker.json", &format!(r#"{{"auths": {{"{registry}": {{"auth": "{LOGIN}"}}}}}}"#));
    file("none", "# nothing\n");
    file("list", "custom-html\n");
    for (list, is_pulled) in [("/var/lib/cc-ci/none", false), ("/var/lib/cc-ci/list", true)] {
        let settings = [
            ("CCCI_REGISTRY_LOGIN", "/var/lib/cc-ci/docker.json"),
            ("CCCI_REGISTRY_RECIPES", list),
            ("PLUGIN_ONLY", "install"),
        ];
        let (code, out, err) = step.ends("host", &settings);
        assert_ne!(code, 0, "the image has no program that could run: {out}{err}");
        let images = step.file("cc-ci/journal.jsonl").lines().find_map(|line| {
            match serde_json::from_str::<Record>(line).unwrap().event {
                Event::CheckEnded { check, .. } if check.name == "prepare.images" => Some(check.outcome),
                _ => None,
            }
        });
        assert_eq!(images == Some(Outcome::Passed), is_pulled, "{out}{err}");
        assert_eq!(out.contains("registry refuses it"), !is_pulled, "{out}");
        assert!(!format!("{out}{err}").contains(LOGIN));
    }
    let _ = Command::new("docker").args(["rmi", &format!("{registry}/private:1")]).output();
    assert_eq!(left(&step.stack()), Vec::<String>::new());
}

/// The machine's address on the network `bridge`, as a container there has it: an engine does not name it in each case.
fn gateway() -> String {
    let words = ["run", "--rm", "--network", "bridge", "--entrypoint", "cat", IMAGE, "/proc/net/route"];
    let output = String::from_utf8(Command::new("docker").args(words).output().unwrap().stdout).unwrap();
    let mut routes = output.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let default = routes.find(|route| route.get(1) == Some(&"00000000")).unwrap_or_else(|| panic!("{output}"));
    let address = u32::from_str_radix(default[2], 16).unwrap();
    std::net::Ipv4Addr::from(address.to_le_bytes()).to_string()
}

#[test]
fn a_step_on_a_network_of_its_own_needs_the_hosts_address_there() {
    let gateway = gateway();
    let step = Step::new("main");
    // The browser too: such a network has no IPv6.
    let settings = [("PLUGIN_ADDRESS", gateway.as_str()), ("PLUGIN_ONLY", "install,functional,browser")];
    let (code, out, err) = step.ends("bridge", &settings);
    assert_eq!(code, 0, "{out}{err}");
    assert!(step.file("cc-ci/journal.jsonl").contains("browser/10-page.rs"));
    assert_eq!(left(&step.stack()), Vec::<String>::new());
}
