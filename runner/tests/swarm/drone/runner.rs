//! What a runner of Drone does with a build of the pipeline `testme`: parameters are written into the pipeline, settings
//! become variables, the step is started, and stopped by a signal. By Drone's documentation.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use testdrone::{COMMIT, Heard, StandIn};

use super::super::support::{cc_ci, own_state};

/// A runner with a state folder of its own.
pub(super) struct Runner<'a> {
    pub(super) drone: &'a StandIn,
    state: Arc<tempfile::TempDir>,
    steps: Steps,
}

type Steps = Arc<Mutex<BTreeMap<usize, Child>>>;

impl<'a> Runner<'a> {
    /// With the secrets of the repository in Drone.
    pub(super) fn start(drone: &'a StandIn, secrets: &[(&str, &str)]) -> Self {
        let secrets: BTreeMap<String, String> =
            secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (state, steps, mut heard) = (Arc::new(own_state()), Steps::default(), drone.hears());
        let (own, all) = (Arc::clone(&state), Arc::clone(&steps));
        tokio::spawn(async move {
            while let Some(heard) = heard.recv().await {
                match heard {
                    Heard::Started(number, parameters) => {
                        let step = begin(own.path(), number, &parameters, &secrets);
                        all.lock().unwrap().insert(number, step);
                    }
                    Heard::Stopped(number) => {
                        let id = all.lock().unwrap()[&number].id().to_string();
                        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
                    }
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

    /// Waits for a step's end, tells Drone, and gives its exit code.
    pub(super) async fn ended(&self, number: usize) -> Option<i32> {
        loop {
            let ended = self.steps.lock().unwrap().get_mut(&number).unwrap().try_wait().unwrap();
            if let Some(status) = ended {
                if self.drone.status(number) != "killed" {
                    self.drone.set(number, if status.success() { "success" } else { "failure" });
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

fn begin(
    state: &Path,
    number: usize,
    parameters: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, String>,
) -> Child {
    let workspace = state.join(format!("build-{number}"));
    std::fs::create_dir(&workspace).unwrap();
    let log = File::create(state.join(format!("build-{number}.log"))).unwrap();
    let build = [
        ("CI", "true"),
        ("DRONE", "true"),
        ("DRONE_REPO", "coop/cc-ci"),
        ("DRONE_BUILD_NUMBER", &number.to_string()),
        ("DRONE_BUILD_EVENT", "custom"),
        ("DRONE_COMMIT_SHA", COMMIT),
        ("DRONE_BRANCH", "main"),
        ("DRONE_WORKSPACE", workspace.to_str().unwrap()),
    ];
    let mut command = cc_ci(state);
    command.arg("plugin").current_dir(&workspace).envs(build).envs(parameters).envs(settings(parameters, secrets));
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// The settings of the pipeline's one step, as variables.
fn settings(parameters: &BTreeMap<String, String>, secrets: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let text = substituted(include_str!("../../../../.drone.yml"), parameters);
    let pipelines: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let testme = pipelines.iter().find(|pipeline| pipeline["name"] == "testme").unwrap();
    let steps = testme["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1);
    let settings = steps[0]["settings"].as_object().unwrap().iter();
    let variable = |name: &str| format!("PLUGIN_{}", name.replace('-', "_").to_uppercase());
    settings
        .filter_map(|(name, value)| {
            let value = match &value["from_secret"] {
                Value::String(secret) => secrets.get(secret)?.clone(),
                _ => value.as_str().unwrap().to_owned(),
            };
            Some((variable(name), value))
        })
        .collect()
}

/// `${NAME}` becomes the parameter's value, or nothing.
fn substituted(text: &str, parameters: &BTreeMap<String, String>) -> String {
    let mut parts = text.split("${");
    let mut done = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap();
        done.push_str(parameters.get(name).map_or("", String::as_str));
        done.push_str(rest);
    }
    done
}
