//! A stand-in for Drone's server, and for what its docker runner makes of a pipeline.
//!
//! **It is not Drone.** It answers what cc-ci asks of Drone and refuses what Drone refuses. It runs nothing by itself:
//! a test that plays the runner hears of builds that are started and killed, and says how they end.
//!
//! *Seen* on Drone 2.25.0 (the full build) with drone-runner-docker 1.8.4 and Gitea 1.26:
//! - a setting's variable is `PLUGIN_` and its name in capitals; a hyphen and a dot stay, an absent secret is an empty
//!   variable;
//! - `DELETE` marks the build `killed` and its step `killed` with exit code 130 at once; the runner then sends SIGKILL,
//!   never SIGTERM, and makes the exit code 137. About one cancel in four never reaches the runner: it listens 30 s of
//!   each 40 s, and the container runs on to its own end;
//! - the repository's time limit kills with SIGKILL too; the step has exit code 137, and nothing says "time limit";
//! - a file without a pipeline for the event `custom`: 200 and `null`; no file: 500 `Not Found` after 45 s; a branch that
//!   is not there: 404 at once; a user without the right to write: 404, as for what is not there; a token that is not
//!   known: 401 for writes, while a public repository is shown to everyone;
//! - `protected` checks nothing of builds that are started over the API, of whichever branch;
//! - an untrusted repository: 200, and the stage ends `error` with the linter's words;
//! - a restart is a new build with the same parameters that names its parent;
//! - a runner that dies leaves its build `running`;
//! - an image with the tag `latest` or none is pulled unless `pull: if-not-exists`;
//! - each custom build sets the status `continuous-integration/drone` on the commit whose pipeline it runs.
//!
//! *Read* in its source alone: a repository that was never activated (404 `sql: no rows in result set`), the words of a
//! YAML error (a build `error` without parameters), 400 for the restart of a declined build, the JSON's fields.
//!
//! *Assumed*: that other 2.x releases answer the same.

#![expect(clippy::unwrap_used, reason = "for tests alone")]

mod api;
mod pipeline;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use url::Url;

pub use self::pipeline::{Refused, step_variables, substituted};

/// The token of the one user, `cc-ci`.
pub const TOKEN: &str = "55f24eb3d61ef6ac5e83d550178638dc";
/// The newest commit of every branch of the one repository, `coop/cc-ci`.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// The pipeline file that cc-ci's repository has.
pub const PIPELINE: &str = include_str!("../../../.drone.yml");

pub(crate) type Shared = Arc<Mutex<Server>>;

/// The one repository's settings in Drone.
#[derive(Debug, Clone)]
pub struct RepositorySettings {
    /// Whether it was ever activated.
    pub active: bool,
    /// Whether the token's user may write to it.
    pub may_write: bool,
    /// Whether the token's user, or anyone, may see it.
    pub visible: bool,
    /// Whether an administrator made it trusted.
    pub trusted: bool,
    /// The time limit of a build, in minutes.
    pub timeout: u64,
    /// The pipeline file of each branch, if it has one.
    pub branches: BTreeMap<String, Option<String>>,
    /// How long Drone asks the forge for a file that is not there.
    pub patience: Duration,
    /// Whether an extension of Drone wants an approval for each build.
    pub asks_for_approval: bool,
}

impl Default for RepositorySettings {
    fn default() -> Self {
        Self {
            active: true,
            may_write: true,
            visible: true,
            trusted: true,
            timeout: 60,
            branches: BTreeMap::from([("main".to_owned(), Some(PIPELINE.to_owned()))]),
            patience: Duration::from_secs(45),
            asks_for_approval: false,
        }
    }
}

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) repository: RepositorySettings,
    pub(crate) builds: Vec<Value>,
    pub(crate) logs: BTreeMap<usize, Vec<String>>,
    pub(crate) statuses: Vec<(String, String, String)>,
    pub(crate) down: bool,
    pub(crate) loses_answer: bool,
    pub(crate) loses_cancel: bool,
    pub(crate) asked: Vec<String>,
    heard: Option<mpsc::UnboundedSender<Heard>>,
}

/// What a runner of Drone hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A build waits to be run.
    Started {
        /// Its number.
        number: usize,
        /// Its parameters.
        parameters: BTreeMap<String, String>,
        /// The build that it restarts; 0 where it restarts none.
        parent: u64,
    },
    /// The step of a build is to be killed.
    Kill(usize),
}

/// The stand-in.
pub struct StandIn {
    url: Url,
    server: Shared,
}

impl std::fmt::Debug for StandIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StandIn({})", self.url)
    }
}

impl StandIn {
    /// Starts one on a port of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = Shared::default();
        let router = api::router(Arc::clone(&server));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, server }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Server) -> T) -> T {
        work(&mut self.server.lock().unwrap())
    }

    /// Its address.
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// Changes the repository's settings.
    pub fn repository(&self, change: impl FnOnce(&mut RepositorySettings)) {
        self.with(|server| change(&mut server.repository));
    }

    /// A runner takes a build.
    pub fn runs(&self, number: usize) {
        self.with(|server| server.set(number, "running", "running", 0));
    }

    /// The step of a build ends by itself with this exit code.
    pub fn exits(&self, number: usize, code: i32) {
        let word = if code == 0 { "success" } else { "failure" };
        self.with(|server| server.set(number, word, word, code));
    }

    /// The runner cannot make the step's container.
    pub fn breaks(&self, number: usize, why: &str) {
        self.with(|server| {
            server.set(number, "error", "error", 255);
            server.builds[number - 1]["stages"][0]["steps"][0]["error"] = why.into();
        });
    }

    /// The repository's time limit strikes: the build ran for so long.
    pub fn hits_the_time_limit(&self, number: usize) {
        self.with(|server| {
            server.set(number, "killed", "killed", 137);
            let started = server.builds[number - 1]["started"].as_u64().unwrap();
            server.builds[number - 1]["finished"] = (started + server.repository.timeout * 60).into();
            server.hear(Heard::Kill(number));
        });
    }

    /// A person cancels a build on Drone's page.
    pub fn cancel(&self, number: usize) {
        self.with(|server| server.cancel(number));
    }

    /// The next cancel is marked and never reaches the runner.
    pub fn loses_the_next_cancel(&self) {
        self.with(|server| server.loses_cancel = true);
    }

    /// A person restarts a build on Drone's page; the number of the new one.
    pub fn restart(&self, number: usize) -> usize {
        self.with(|server| server.restart(number).unwrap()["number"].as_u64().unwrap() as usize)
    }

    /// Drone forgets a build, as an administrator's purge does.
    pub fn forgets(&self, number: usize) {
        self.with(|server| server.builds[number - 1]["forgotten"] = true.into());
    }

    /// What a step printed.
    pub fn prints(&self, number: usize, lines: &[&str]) {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        self.with(|server| server.logs.insert(number, lines));
    }

    /// How a build stands, in Drone's word.
    pub fn status(&self, number: usize) -> String {
        self.with(|server| server.builds[number - 1]["status"].as_str().unwrap().to_owned())
    }

    /// A parameter of a build.
    pub fn parameter(&self, number: usize, name: &str) -> Option<String> {
        self.with(|server| server.builds[number - 1]["params"][name].as_str().map(str::to_owned))
    }

    /// The build that a build restarts; 0 where it restarts none.
    pub fn parent(&self, number: usize) -> u64 {
        self.with(|server| server.builds[number - 1]["parent"].as_u64().unwrap_or(0))
    }

    /// How many builds were made.
    pub fn count(&self) -> usize {
        self.with(|server| server.builds.len())
    }

    /// The statuses that Drone set: the branch, the name and the state.
    pub fn statuses(&self) -> Vec<(String, String, String)> {
        self.with(|server| server.statuses.clone())
    }

    /// While it is down, it answers 503 to everything and does nothing.
    pub fn is_down(&self, down: bool) {
        self.with(|server| server.down = down);
    }

    /// The answer to the next request that starts a build gets lost: the build is there all the same.
    pub fn loses_the_next_answer(&self) {
        self.with(|server| server.loses_answer = true);
    }

    /// The requests since this was asked the last time, such as `GET /api/repos/coop/cc-ci/builds`.
    pub fn asked(&self) -> Vec<String> {
        self.with(|server| std::mem::take(&mut server.asked))
    }

    /// What a runner of Drone hears from now on.
    pub fn hears(&self) -> mpsc::UnboundedReceiver<Heard> {
        let (send, heard) = mpsc::unbounded_channel();
        self.with(|server| server.heard = Some(send));
        heard
    }
}

impl Server {
    fn hear(&self, heard: Heard) {
        if let Some(runner) = &self.heard {
            let _ = runner.send(heard);
        }
    }

    fn set(&mut self, number: usize, status: &str, step: &str, code: i32) {
        let (branch, after) = {
            let build = &mut self.builds[number - 1];
            build["status"] = status.into();
            build["started"] = 1_700_000_000.into();
            if step != "running" {
                build["finished"] = 1_700_000_030.into();
            }
            // A stage whose step was red has exit code 0 in Drone: only the step's says anything.
            build["stages"] = json!([{
                "id": 7, "number": 1, "name": "testme", "kind": "pipeline", "type": "docker", "status": status,
                "exit_code": 0, "machine": "ci-1", "steps": [{
                    "id": 9, "step_id": 7, "number": 1, "name": "testme", "status": step, "exit_code": code,
                }],
            }]);
            (build["target"].as_str().unwrap().to_owned(), status.to_owned())
        };
        self.statuses.push((branch, "continuous-integration/drone".to_owned(), after));
    }

    fn cancel(&mut self, number: usize) {
        let status = self.builds[number - 1]["status"].as_str().unwrap().to_owned();
        match status.as_str() {
            // The server writes 130; the runner overwrites it when it has heard and killed.
            "running" if self.loses_cancel => self.set(number, "killed", "killed", 130),
            "running" => self.set(number, "killed", "killed", 137),
            "pending" => {
                self.builds[number - 1]["status"] = "killed".into();
                self.builds[number - 1]["stages"][0]["status"] = "skipped".into();
            }
            _ => return,
        }
        if !std::mem::take(&mut self.loses_cancel) {
            self.hear(Heard::Kill(number));
        }
    }

    /// Makes a build, or says why not.
    fn make(&mut self, branch: &str, commit: &str, params: BTreeMap<String, String>, parent: u64) -> Value {
        let number = self.builds.len() + 1;
        let file = self.repository.branches[branch].clone().unwrap_or_default();
        let mut build = json!({
            "id": 100_206 + number, "repo_id": 296_163, "trigger": "cc-ci", "number": number, "status": "pending",
            "event": "custom", "action": "", "link": "", "timestamp": 0, "message": "", "before": commit,
            "after": commit, "ref": format!("refs/heads/{branch}"), "source_repo": "", "source": branch,
            "target": branch, "sender": "cc-ci", "started": 0, "finished": 0, "created": 1_564_085_874,
            "updated": 1_564_085_874, "version": 1,
        });
        if parent > 0 {
            build["parent"] = parent.into();
        }
        match pipeline::of_event(&file, "custom") {
            Ok(false) => return Value::Null,
            Err(why) => {
                // Such a build has no parameters.
                build["status"] = "error".into();
                build["error"] = why.into();
                self.builds.push(build.clone());
                return build;
            }
            Ok(true) => {}
        }
        build["params"] = json!(params);
        let stage = if self.repository.asks_for_approval { "blocked" } else { "pending" };
        build["stages"] = json!([{ "id": 7, "number": 1, "name": "testme", "status": stage, "exit_code": 0 }]);
        self.builds.push(build.clone());
        self.statuses.push((branch.to_owned(), "continuous-integration/drone".to_owned(), "pending".to_owned()));
        match pipeline::linted(&file, self.repository.trusted) {
            Err(why) => {
                let build = &mut self.builds[number - 1];
                build["status"] = "error".into();
                build["stages"][0]["status"] = "error".into();
                build["stages"][0]["error"] = why.into();
            }
            Ok(()) if stage == "pending" => {
                self.hear(Heard::Started { number, parameters: params, parent });
            }
            Ok(()) => {}
        }
        // What a start is answered with has no stages.
        build.as_object_mut().unwrap().remove("stages");
        build
    }

    fn restart(&mut self, number: usize) -> Result<Value, &'static str> {
        let old = self.builds[number - 1].clone();
        if old["stages"][0]["status"] == "declined" {
            return Err("cannot start a declined build");
        }
        let text = |name: &str| old[name].as_str().unwrap().to_owned();
        let params = old["params"].as_object().into_iter().flatten();
        let params = params.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        Ok(self.make(&text("target"), &text("after"), params, number as u64))
    }
}
