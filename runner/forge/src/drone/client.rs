//! Drone's API (`docs.drone.io/api`; what is not documented was read in Drone 2.25 and seen on one: `testbed/drone` says
//! which is which).

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
/// Drone asks the forge for the pipeline's file three times, with 15 s after each, before it says that there is none.
const START: Duration = Duration::from_secs(75);
const BYTES: usize = 4 * 1024 * 1024;
/// A step's log in JSON: Drone keeps 5 MB of text.
const LOG_BYTES: usize = 16 * 1024 * 1024;
/// What the forge tells Drone, and Drone tells its users, where a thing is not there.
const NOT_FOUND: &str = "Not Found";
/// What Drone's store says of what it does not have: the owner of a repository that was never activated, a build.
const NO_OWNER: &str = "sql: no rows in result set";
/// How many builds Drone gives at once.
const PART: usize = 100;

/// A Drone, as one user with one token.
#[derive(Debug, Clone)]
pub struct Drone {
    http: Http,
    base: Url,
    token: SecretString,
}

/// A build to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBuild {
    /// The repository whose pipeline runs. It must be one that only trusted people write to: the pipeline is
    /// the one of the commit that is built.
    pub repo: Repo,
    /// The branch; the repository's default one where none is named.
    pub branch: Option<Branch>,
    /// The commit of that repository; the branch's newest one where none is named.
    pub commit: Option<Commit>,
    /// What the pipeline's steps find in their environment.
    pub parameters: Parameters,
}

/// Why Drone did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DroneError {
    /// It is down or out of reach. A build may have been started nevertheless: [`Drone::started_with`] tells.
    #[error("{asked}: no answer ({why}); it is asked again later. Is Drone up, and is its address right?")]
    Unreachable {
        /// What was asked.
        asked: String,
        /// Why.
        why: String,
    },
    /// It does not know the token.
    #[error("{asked}: Drone does not know the token ({status})")]
    Token {
        /// What was asked.
        asked: String,
        /// The status of the answer.
        status: u16,
    },
    /// There is no such repository, branch, commit or build, or the token's user may not do this: Drone answers all of
    /// them alike.
    #[error("{asked}: Drone knows no such thing, or the token's user may not do this")]
    Missing {
        /// What was asked.
        asked: String,
    },
    /// The repository was never activated in Drone.
    #[error("{asked}: the repository was never activated in Drone")]
    NotActivated {
        /// What was asked.
        asked: String,
    },
    /// There is no such build, or no log of it.
    #[error("{asked}: Drone has no such build")]
    NoBuild {
        /// What was asked.
        asked: String,
    },
    /// The branch has no pipeline file.
    #[error("{asked}: the forge has no pipeline file for Drone")]
    NoFile {
        /// What was asked.
        asked: String,
    },
    /// No pipeline of the file is for builds that are started over the API.
    #[error("{asked}: Drone started nothing, since no pipeline is for the event \"custom\"")]
    NoPipeline {
        /// What was asked.
        asked: String,
    },
    /// It answered what it should not.
    #[error("{asked}: {why}; is this the address of a Drone?")]
    Wrong {
        /// What was asked.
        asked: String,
        /// What is wrong with the answer.
        why: String,
    },
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
    /// For the Drone at this address, such as `https://drone.example.org`. Asks nothing yet.
    pub fn new(http: Http, url: Url, token: SecretString) -> Self {
        Self { http, base: url, token }
    }

    /// Starts a build.
    ///
    /// # Errors
    /// When Drone cannot be asked or knows no such repository or commit. Starting is not repeatable: after
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

    /// A build as it is now.
    ///
    /// # Errors
    /// When Drone cannot be asked or knows no such build.
    pub async fn build(&self, repo: &Repo, number: u64) -> Result<Build, DroneError> {
        let ask = self.ask(Method::GET, repo, &format!("/builds/{number}"), &[]);
        Ok(answer::<BuildJson>(ask).await.map_err(of_build)?.build())
    }

    /// The first build that was started with this parameter, among the last hundred; its restarts have the same
    /// parameters. Whoever starts builds under a name of their own finds out with it whether one was started before a
    /// crash.
    ///
    /// # Errors
    /// When Drone cannot be asked.
    pub async fn started_with(&self, repo: &Repo, name: &str, value: &str) -> Result<Option<Build>, DroneError> {
        let builds = self.newest(repo).await?;
        let own = builds.iter().filter(|build| build.parameter(name) == Some(value));
        Ok(own.min_by_key(|build| build.number()).map(BuildJson::build))
    }

    /// For each of these values, the newest build that was started with it, among the last hundred.
    ///
    /// # Errors
    /// When Drone cannot be asked.
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
        // A list of none is `null` in Go's JSON.
        Ok(answer::<Option<_>>(ask).await?.unwrap_or_default())
    }

    /// What a step has printed, line by line; Drone keeps the newest 5 MB.
    ///
    /// # Errors
    /// When Drone cannot be asked or has no log of the step, as of one that was killed.
    pub async fn log(&self, repo: &Repo, build: u64, step: &BuildStep) -> Result<Vec<String>, DroneError> {
        let ask = self.ask(Method::GET, repo, &format!("/builds/{build}/logs/{}/{}", step.stage, step.number), &[]);
        let lines: Option<Vec<LogLine>> = answer(ask.up_to(LOG_BYTES)).await.map_err(of_build)?;
        Ok(lines.into_iter().flatten().map(|line| line.out.trim_end().to_owned()).collect())
    }

    /// Stops a build. One that is over stays as it is.
    ///
    /// # Errors
    /// When Drone cannot be asked or knows no such build.
    pub async fn stop(&self, repo: &Repo, number: u64) -> Result<(), DroneError> {
        let ask = self.ask(Method::DELETE, repo, &format!("/builds/{number}"), &[]);
        sent(ask).await.map(|_| ()).map_err(of_build)
    }

    /// A request about a repository; `rest` is the path behind its name.
    pub(super) fn ask(&self, method: Method, repo: &Repo, rest: &str, query: &[(&str, &str)]) -> Ask {
        let (owner, name) = (coded(repo.owner.as_str()), coded(repo.name.as_str()));
        self.at(method, &format!("/api/repos/{owner}/{name}{rest}"), query)
    }

    /// A request at a path of Drone's.
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

/// What an answer of 404 or 500 means is in its words: Drone hands on what the forge or its store told it.
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

/// Of a build, Drone's store has the same words for one that is not there.
fn of_build(error: DroneError) -> DroneError {
    match error {
        DroneError::NotActivated { asked } => DroneError::NoBuild { asked },
        error => error,
    }
}

/// One line of what another server said.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

pub(super) async fn answer<T: DeserializeOwned>(ask: Ask) -> Result<T, DroneError> {
    let (asked, answer) = sent(ask).await?;
    answer.json().map_err(|why| DroneError::Wrong { asked, why })
}
