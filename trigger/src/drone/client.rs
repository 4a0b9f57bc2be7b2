//! Drone's interface, as its documentation has it (`docs.drone.io/api/builds`). No Drone server could be had
//! where this was made: it was tried against a stand-in that keeps to the documentation
//! (`trigger/tests/drone/`).

use std::collections::BTreeMap;
use std::time::Duration;

use harness::http::{Ask, Http, Method, coded};
use harness::names::Commit;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::build::{Build, Standing};
use super::parameters::Parameters;
use crate::names::{Branch, Repo};

const LIMIT: Duration = Duration::from_secs(20);
const BYTES: usize = 4 * 1024 * 1024;
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
    /// It does not know the token, or the token's user may not do this.
    #[error("{asked}: Drone refuses the token ({status}); its user must have the right to write to the repository")]
    Token {
        /// What was asked.
        asked: String,
        /// The status of the answer.
        status: u16,
    },
    /// There is no such repository, branch, commit or build.
    #[error("{asked}: Drone knows no such thing; is the repository active in Drone, and are branch and commit there?")]
    Missing {
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
struct Raw {
    number: u64,
    status: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    params: Option<BTreeMap<String, String>>,
}

impl Raw {
    fn build(&self) -> Build {
        Build { number: self.number, standing: Standing::of(&self.status), commit: self.after.parse().ok() }
    }
}

impl Drone {
    /// For the Drone at this address, such as `https://drone.example.org`. Asks nothing yet.
    #[must_use]
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
        let ask = self.ask(Method::POST, &new.repo, "", &query);
        Ok(answer::<Raw>(ask).await?.build())
    }

    /// A build as it is now.
    ///
    /// # Errors
    /// When Drone cannot be asked or knows no such build.
    pub async fn build(&self, repo: &Repo, number: u64) -> Result<Build, DroneError> {
        Ok(answer::<Raw>(self.ask(Method::GET, repo, &format!("/{number}"), &[])).await?.build())
    }

    /// The newest build that was started with this parameter, among the last hundred. Whoever starts builds
    /// under a name of their own finds out with it whether one was started before a crash.
    ///
    /// # Errors
    /// When Drone cannot be asked.
    pub async fn started_with(&self, repo: &Repo, name: &str, value: &str) -> Result<Option<Build>, DroneError> {
        let part = PART.to_string();
        let ask = self.ask(Method::GET, repo, "", &[("page", "1"), ("per_page", &part)]);
        let builds: Vec<Raw> = answer(ask).await?;
        let has = |raw: &&Raw| raw.params.as_ref().and_then(|params| params.get(name)).is_some_and(|own| own == value);
        Ok(builds.iter().filter(has).max_by_key(|raw| raw.number).map(Raw::build))
    }

    /// Stops a build. One that is over stays as it is.
    ///
    /// # Errors
    /// When Drone cannot be asked or knows no such build.
    pub async fn stop(&self, repo: &Repo, number: u64) -> Result<(), DroneError> {
        sent(self.ask(Method::DELETE, repo, &format!("/{number}"), &[])).await.map(|_| ())
    }

    fn ask(&self, method: Method, repo: &Repo, rest: &str, query: &[(&str, &str)]) -> Ask {
        self.ask_of(method, repo, &format!("/builds{rest}"), query)
    }

    /// A request about a repository; `rest` is the path behind its name.
    pub(super) fn ask_of(&self, method: Method, repo: &Repo, rest: &str, query: &[(&str, &str)]) -> Ask {
        let (owner, name) = (coded(repo.owner.as_str()), coded(repo.name.as_str()));
        self.ask_at(method, &format!("repos/{owner}/{name}{rest}"), query)
    }

    /// A request at a path below `/api/`.
    pub(super) fn ask_at(&self, method: Method, path: &str, query: &[(&str, &str)]) -> Ask {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/api/{path}", self.base.path().trim_end_matches('/')));
        let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect();
        url.set_query(Some(pairs.join("&").as_str()).filter(|query| !query.is_empty()));
        self.http.ask(method, &url).bearer(&self.token).within(LIMIT).up_to(BYTES)
    }
}

async fn sent(ask: Ask) -> Result<(String, harness::http::Answer), DroneError> {
    let asked = ask.asked().to_owned();
    let answer = ask.send().await.map_err(|e| DroneError::Unreachable { asked: e.asked, why: e.why })?;
    match answer.status {
        200..300 => Ok((asked, answer)),
        status @ (401 | 403) => Err(DroneError::Token { asked, status }),
        404 => Err(DroneError::Missing { asked }),
        status @ (408 | 429 | 500..) => Err(DroneError::Unreachable { asked, why: format!("it answered {status}") }),
        status => Err(DroneError::Wrong { asked, why: format!("it answered {status}") }),
    }
}

pub(super) async fn answer<T: DeserializeOwned>(ask: Ask) -> Result<T, DroneError> {
    let (asked, answer) = sent(ask).await?;
    answer.json().map_err(|why| DroneError::Wrong { asked, why })
}
