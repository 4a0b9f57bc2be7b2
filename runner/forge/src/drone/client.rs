//! Drone's API (`docs.drone.io/api`; what is not documented was read in Drone 2.25 and seen on one: `testbed/drone`
//! says which is which).

use std::collections::BTreeMap;
use std::time::Duration;

use base::names::Commit;
use http_client::{Ask, Http, Method, coded};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::build::{Build, BuildJson, BuildStep};
use super::parameters::Parameters;
use crate::names::{Branch, Repo};

const LIMIT: Duration = Duration::from_secs(20);
/// Drone requests the pipeline's file from the forge three times, with 15 s after each, before it reports that there is
/// none.
const START: Duration = Duration::from_secs(75);
const BYTES: usize = 4 * 1024 * 1024;
/// Maximum size of a step's log in JSON: Drone keeps 5 MB of text.
const LOG_BYTES: usize = 16 * 1024 * 1024;
/// The forge's message, which Drone passes on, for something that does not exist.
const NOT_FOUND: &str = "Not Found";
/// The message of Drone's store for something that it does not have: the owner of a repository that was never
/// activated, a build.
const NO_OWNER: &str = "sql: no rows in result set";
/// Page size of builds.
const PART: usize = 100;

/// A Drone with one user's token.
#[derive(Debug, Clone)]
pub struct Drone {
    http: Http,
    base: Url,
    token: SecretString,
}

/// A build to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBuild {
    /// The repository whose pipeline runs. Only trusted people may have write access to it, since the pipeline is that
    /// of the built commit.
    pub repo: Repo,
    /// Defaults to the repository's default branch.
    pub branch: Option<Branch>,
    /// A commit of that repository. Defaults to the branch's newest.
    pub commit: Option<Commit>,
    /// The environment of the pipeline's steps.
    pub parameters: Parameters,
}

/// Why a request to Drone failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DroneError {
    /// It is down or unreachable. A build may have been started nevertheless: see [`Drone::started_with`].
    #[error("{asked}: no answer ({why}); it is retried later. Check that Drone is up and its address right")]
    Unreachable { asked: String, why: String },
    /// It does not know the token.
    #[error("{asked}: Drone does not know the token ({status})")]
    Token {
        asked: String,
        /// The response's status.
        status: u16,
    },
    /// The repository, branch, commit or build does not exist, or the token's user lacks a permission: Drone's response
    /// is the same for all of them.
    #[error("{asked}: Drone has no such object, or the token's user lacks the permission")]
    Missing { asked: String },
    /// The repository was never activated in Drone.
    #[error("{asked}: the repository was never activated in Drone")]
    NotActivated { asked: String },
    /// The build does not exist or has no log.
    #[error("{asked}: Drone has no such build")]
    NoBuild { asked: String },
    /// The branch has no pipeline file.
    #[error("{asked}: the forge has no pipeline file for Drone")]
    NoFile { asked: String },
    /// No pipeline in the file is for builds that are started over the API.
    #[error("{asked}: Drone started nothing, since no pipeline is for the event \"custom\"")]
    NoPipeline { asked: String },
    /// Its response is malformed.
    #[error("{asked}: {why}; check that this is the address of a Drone")]
    Wrong { asked: String, why: String },
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

#[derive(Deserialize)]
struct LogLine {
    #[serde(default)]
    out: String,
}

impl Drone {
    /// For the Drone at this address, such as `https://drone.example.org`. Sends no request yet.
    pub fn new(http: Http, url: Url, token: SecretString) -> Self {
        Self { http, base: url, token }
    }

    /// Starts a build.
    ///
    /// # Errors
    /// Drone cannot be queried or has no such repository or commit. Starting is not idempotent: after
    /// [`DroneError::Unreachable`], look for the build first.
    pub async fn start(&self, new: &NewBuild) -> Result<Build, DroneError> {
        let branch = new.branch.iter().map(|branch| ("branch", branch.as_str()));
        let commit = new.commit.iter().map(|commit| ("commit", commit.as_str()));
        let parameters = new.parameters.iter();
        let query: Vec<_> = branch.chain(commit).chain(parameters).collect();
        let ask = self.ask(Method::POST, &new.repo, "/builds", &query).within(START);
        let (asked, answer) = sent(ask).await?;
        let made: Option<BuildJson> = answer.json().map_err(|why| DroneError::Wrong { asked: asked.clone(), why })?;
        Ok(made.ok_or(DroneError::NoPipeline { asked })?.build())
    }

    /// The current state of a build.
    ///
    /// # Errors
    /// Drone cannot be queried or has no such build.
    pub async fn build(&self, repo: &Repo, number: u64) -> Result<Build, DroneError> {
        let ask = self.ask(Method::GET, repo, &format!("/builds/{number}"), &[]);
        Ok(answer::<BuildJson>(ask).await.map_err(of_build)?.build())
    }

    /// The first build with this parameter among the last hundred; its restarts have the same parameters. With a unique
    /// value, this tells whether a build was started before a crash.
    ///
    /// # Errors
    /// Drone cannot be queried.
    pub async fn started_with(&self, repo: &Repo, name: &str, value: &str) -> Result<Option<Build>, DroneError> {
        let builds = self.newest(repo).await?;
        let own = builds.iter().filter(|build| build.parameter(name) == Some(value));
        Ok(own.min_by_key(|build| build.number()).map(BuildJson::build))
    }

    /// The newest build with each of these values among the last hundred.
    ///
    /// # Errors
    /// Drone cannot be queried.
    pub async fn newest_with(
        &self,
        repo: &Repo,
        name: &str,
        values: &[&str],
    ) -> Result<BTreeMap<String, Build>, DroneError> {
        let mut builds = self.newest(repo).await?;
        builds.sort_by_key(BuildJson::number);
        let wanted = |build: &BuildJson| build.parameter(name).filter(|own| values.contains(own)).map(str::to_owned);
        Ok(builds.iter().filter_map(|build| Some((wanted(build)?, build.build()))).collect())
    }

    async fn newest(&self, repo: &Repo) -> Result<Vec<BuildJson>, DroneError> {
        let part = PART.to_string();
        let ask = self.ask(Method::GET, repo, "/builds", &[("page", "1"), ("per_page", &part)]);
        // An empty list is `null` in Go's JSON.
        Ok(answer::<Option<_>>(ask).await?.unwrap_or_default())
    }

    /// A step's output by line; Drone keeps the newest 5 MB.
    ///
    /// # Errors
    /// Drone cannot be queried or has no log of the step, for example because it was killed.
    pub async fn log(&self, repo: &Repo, build: u64, step: &BuildStep) -> Result<Vec<String>, DroneError> {
        let ask = self.ask(Method::GET, repo, &format!("/builds/{build}/logs/{}/{}", step.stage, step.number), &[]);
        let lines: Option<Vec<LogLine>> = answer(ask.up_to(LOG_BYTES)).await.map_err(of_build)?;
        Ok(lines.into_iter().flatten().map(|line| line.out.trim_end().to_owned()).collect())
    }

    /// Stops a build. No effect on a build that is over.
    ///
    /// # Errors
    /// Drone cannot be queried or has no such build.
    pub async fn stop(&self, repo: &Repo, number: u64) -> Result<(), DroneError> {
        let ask = self.ask(Method::DELETE, repo, &format!("/builds/{number}"), &[]);
        sent(ask).await.map(|_| ()).map_err(of_build)
    }

    /// A request about a repository; `rest` is the path after its name.
    pub(super) fn ask(&self, method: Method, repo: &Repo, rest: &str, query: &[(&str, &str)]) -> Ask {
        let (owner, name) = (coded(repo.owner.as_str()), coded(repo.name.as_str()));
        self.at(method, &format!("/api/repos/{owner}/{name}{rest}"), query)
    }

    /// A request for a path of Drone.
    pub(super) fn at(&self, method: Method, path: &str, query: &[(&str, &str)]) -> Ask {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect();
        url.set_query(Some(pairs.join("&").as_str()).filter(|query| !query.is_empty()));
        self.http.ask(method, &url).bearer(&self.token).within(LIMIT).up_to(BYTES)
    }
}

async fn sent(ask: Ask) -> Result<(String, http_client::Answer), DroneError> {
    let asked = ask.asked().to_owned();
    let answer = ask.send().await.map_err(|e| DroneError::Unreachable { asked: e.asked, why: e.why })?;
    match answer.status {
        200..300 => Ok((asked, answer)),
        status @ (401 | 403) => Err(DroneError::Token { asked, status }),
        404 | 500 => Err(refused(asked, &answer)),
        status @ (408 | 429 | 501..) => Err(DroneError::Unreachable { asked, why: format!("it answered {status}") }),
        status => Err(DroneError::Wrong { asked, why: format!("it answered {status}") }),
    }
}

/// Responses 404 and 500 are distinguished by their message: Drone passes on that of the forge or its store.
fn refused(asked: String, answer: &http_client::Answer) -> DroneError {
    let message = answer.json::<Message>().map(|Message { message }| message).ok();
    match (answer.status, message.as_deref()) {
        (404, None | Some(NOT_FOUND)) => DroneError::Missing { asked },
        (404, Some(NO_OWNER)) => DroneError::NotActivated { asked },
        (500, Some(NOT_FOUND)) => DroneError::NoFile { asked },
        (status, None) => DroneError::Unreachable { asked, why: format!("it answered {status}") },
        // The forge is down or refuses Drone, or the store is busy.
        (status, Some(why)) => DroneError::Unreachable { asked, why: format!("it answered {status}: {}", plain(why)) },
    }
}

/// For a build, Drone's store has the same message if it does not exist.
fn of_build(error: DroneError) -> DroneError {
    match error {
        DroneError::NotActivated { asked } => DroneError::NoBuild { asked },
        error => error,
    }
}

/// One line of another server's message.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

pub(super) async fn answer<T: DeserializeOwned>(ask: Ask) -> Result<T, DroneError> {
    let (asked, answer) = sent(ask).await?;
    answer.json().map_err(|why| DroneError::Wrong { asked, why })
}
