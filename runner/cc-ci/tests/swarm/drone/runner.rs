//! What a runner of Drone does with a build of the pipeline `testme`: the step is started with the variables that
//! `testbed/drone` makes of the pipeline, and killed with SIGKILL.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testdrone::{COMMIT, Heard, PIPELINE, StandIn, step_variables};

use super::super::support::{cc_ci, own_state};

/// A runner with a state folder of its own.
pub(super) struct Runner<'a> {
    pub(super) drone: &'a StandIn,
    state: Arc<tempfile::TempDir>,
    steps: Steps,
}

type Steps = Arc<Mutex<BTreeMap<usize, Child>>>;

impl<'a> Runner<'a> {
    /// With the secrets of the repository in Drone, and the variables that the runner has for every step.
    pub(super) fn start(drone: &'a StandIn, secrets: &[(&str, &str)], environ: &[(&str, &str)]) -> Self {
        let all_of = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let (secrets, environ) = (all_of(secrets), all_of(environ));
        let (state, steps, mut heard) = (Arc::new(own_state()), Steps::default(), drone.hears());
        let (own, all) = (Arc::clone(&state), Arc::clone(&steps));
        tokio::spawn(async move {
            while let Some(heard) = heard.recv().await {
                match heard {
                    Heard::Started { number, parameters, parent } => {
                        let variables = step_variables(PIPELINE, &environ, &parameters, &secrets).unwrap();
                        let step = begin(own.path(), number, parent, variables);
                        all.lock().unwrap().insert(number, step);
                    }
                    // A container's other processes die with its first; here the janitor ends them.
                    Heard::Kill(number) => all.lock().unwrap().get_mut(&number).unwrap().kill().unwrap(),
                }
            }
        });
        Self { drone, state, steps }
    }

    pub(super) fn state(&self) -> &Path {
        self.state.path()
    }

    pub(super) fn link(&self, number: usize) -> String {
        format!("{}coop/cc-ci/{number}", self.drone.url())
    }

    /// Whether a step's log has these words.
    pub(super) fn tells_now(&self, number: usize, words: &str) -> bool {
        log(self.state(), number).contains(words)
    }

    /// Waits for a step's end, tells Drone, and gives its exit code.
    pub(super) async fn ended(&self, number: usize) -> Option<i32> {
        loop {
            // A build that was started a moment ago may have no step yet.
            let ended = self.steps.lock().unwrap().get_mut(&number).and_then(|step| step.try_wait().unwrap());
            if let Some(status) = ended {
                let log = log(self.state(), number);
                self.drone.prints(number, &log.lines().collect::<Vec<_>>());
                if self.drone.status(number) != "killed" {
                    self.drone.exits(number, status.code().unwrap_or(137));
                }
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a step's log has these words.
    pub(super) async fn tells(&self, number: usize, words: &str) {
        while !log(self.state(), number).contains(words) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Nobody who looks at the step's process, or is started by it, finds this.
    pub(super) fn shows_no_secret(&self, number: usize, secret: &str) {
        let id = self.steps.lock().unwrap()[&number].id();
        for file in ["environ", "cmdline"] {
            let bytes = std::fs::read(format!("/proc/{id}/{file}")).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{file}");
        }
        assert!(!log(self.state(), number).contains(secret));
    }
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        let mut steps = self.steps.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (number, step) in steps.iter_mut() {
            if std::thread::panicking() {
                eprintln!("build {number}:\n{}", log(self.state.path(), *number));
            }
            // The number of one that has ended may be another's by now.
            if !matches!(step.try_wait(), Ok(Some(_))) {
                let _ = Command::new("kill").args(["-s", "TERM", &step.id().to_string()]).status();
                let _ = step.wait();
            }
        }
    }
}

fn log(state: &Path, number: usize) -> String {
    std::fs::read_to_string(state.join(format!("build-{number}.log"))).unwrap_or_default()
}

fn begin(state: &Path, number: usize, parent: u64, variables: BTreeMap<String, String>) -> Child {
    let workspace = state.join(format!("build-{number}"));
    std::fs::create_dir(&workspace).unwrap();
    let log = File::create(state.join(format!("build-{number}.log"))).unwrap();
    let build = [
        ("CI", "true"),
        ("DRONE", "true"),
        ("DRONE_REPO", "coop/cc-ci"),
        ("DRONE_BUILD_NUMBER", &number.to_string()),
        ("DRONE_BUILD_PARENT", &parent.to_string()),
        ("DRONE_BUILD_EVENT", "custom"),
        ("DRONE_COMMIT_SHA", COMMIT),
        ("DRONE_BRANCH", "main"),
        ("DRONE_WORKSPACE", workspace.to_str().unwrap()),
    ];
    let mut command = cc_ci(state);
    command.arg("plugin").current_dir(&workspace).envs(variables).envs(build);
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}
