//! The environment of a build's step. Pure.

use std::path::PathBuf;
use std::str::FromStr;

use base::names::Commit;
use url::Url;

use crate::names::{Branch, Repo};

/// The CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    Drone,
    Woodpecker,
}

/// The event that started the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Commits on a branch.
    Push,
    /// A pull request was opened or got commits.
    PullRequest,
    /// A pull request was closed or merged. Woodpecker creates builds for it, Drone does not.
    PullRequestClosed,
    /// A tag was created.
    Tag,
    /// Started by a user, manually or over the API.
    Asked,
    /// A schedule.
    Cron,
    /// A build was promoted or rolled back (Drone), or deployed (Woodpecker).
    Deployment,
    Other,
}

/// The facts of a build. Absent variables are `None`; present and malformed ones are an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildFacts {
    pub system: System,
    /// The repository whose pipeline runs.
    pub repo: Option<Repo>,
    pub number: Option<u64>,
    /// The build that this one was created from: by a restart, a promotion or a rollback.
    pub parent: Option<u64>,
    pub link: Option<Url>,
    pub event: Event,
    pub commit: Option<Commit>,
    /// The built branch, or the target branch of the pull request.
    pub branch: Option<Branch>,
    pub pull: Option<u64>,
    /// The address that git fetches the repository from.
    pub clone_url: Option<Url>,
    /// The folder that the steps of a build share.
    pub workspace: Option<PathBuf>,
    /// The file for the result's card; only Drone has one.
    pub card: Option<PathBuf>,
}

/// A malformed variable. Its value is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the variable {variable} does not contain {what}")]
pub struct UnfitFact {
    pub variable: &'static str,
    /// What it is for.
    pub what: &'static str,
}

/// One fact's variables in both systems.
struct Names {
    drone: &'static str,
    woodpecker: &'static str,
    what: &'static str,
}

const fn names(drone: &'static str, woodpecker: &'static str, what: &'static str) -> Names {
    Names { drone, woodpecker, what }
}

const REPO: Names = names("DRONE_REPO", "CI_REPO", "owner/name of a repository");
const NUMBER: Names = names("DRONE_BUILD_NUMBER", "CI_PIPELINE_NUMBER", "a number");
const PARENT: Names = names("DRONE_BUILD_PARENT", "CI_PIPELINE_PARENT", "a number");
const LINK: Names = names("DRONE_BUILD_LINK", "CI_PIPELINE_URL", "an address");
const EVENT: Names = names("DRONE_BUILD_EVENT", "CI_PIPELINE_EVENT", "an event");
const COMMIT: Names = names("DRONE_COMMIT_SHA", "CI_COMMIT_SHA", "a full commit id");
const TARGET: Names = names("DRONE_TARGET_BRANCH", "CI_COMMIT_TARGET_BRANCH", "the name of a branch");
const BRANCH: Names = names("DRONE_BRANCH", "CI_COMMIT_BRANCH", "the name of a branch");
const PULL: Names = names("DRONE_PULL_REQUEST", "CI_COMMIT_PULL_REQUEST", "a number");
const CLONE: Names = names("DRONE_GIT_HTTP_URL", "CI_REPO_CLONE_URL", "an address");
const WORKSPACE: Names = names("DRONE_WORKSPACE", "CI_WORKSPACE", "a folder");
const CARD: Names = names("DRONE_CARD_PATH", "", "a path");

/// The facts of the build of this environment; `None` outside a build.
///
/// # Errors
/// The first malformed variable.
pub fn facts(environment: impl Fn(&str) -> Option<String>) -> Result<Option<BuildFacts>, UnfitFact> {
    let system = match (environment("DRONE").as_deref(), environment("CI").as_deref()) {
        (Some("true"), _) => System::Drone,
        (_, Some("woodpecker")) => System::Woodpecker,
        _ => return Ok(None),
    };
    let read = Reader { system, environment: &environment };
    let target = read.one(&TARGET)?;
    Ok(Some(BuildFacts {
        system,
        repo: read.one(&REPO)?,
        number: read.one(&NUMBER)?,
        // Both set 0 if there is none.
        parent: read.one(&PARENT)?.filter(|number| *number != 0),
        link: read.one(&LINK)?,
        event: event(&read.text(&EVENT).unwrap_or_default()),
        commit: read.one(&COMMIT)?,
        branch: if target.is_some() { target } else { read.one(&BRANCH)? },
        pull: read.one(&PULL)?,
        clone_url: read.one(&CLONE)?,
        workspace: read.one(&WORKSPACE)?,
        card: read.one(&CARD)?,
    }))
}

struct Reader<'a, E> {
    system: System,
    environment: &'a E,
}

impl<E: Fn(&str) -> Option<String>> Reader<'_, E> {
    fn variable(&self, names: &Names) -> &'static str {
        match self.system {
            System::Drone => names.drone,
            System::Woodpecker => names.woodpecker,
        }
    }

    /// An empty variable counts as absent: both systems set some that do not apply.
    fn text(&self, names: &Names) -> Option<String> {
        Some(self.variable(names))
            .filter(|variable| !variable.is_empty())
            .and_then(self.environment)
            .filter(|text| !text.is_empty())
    }

    fn one<T: FromStr>(&self, names: &Names) -> Result<Option<T>, UnfitFact> {
        let unfit = |_| UnfitFact { variable: self.variable(names), what: names.what };
        self.text(names).map(|text| text.parse().map_err(unfit)).transpose()
    }
}

fn event(word: &str) -> Event {
    match word {
        "push" => Event::Push,
        "pull_request" | "pull_request_metadata" => Event::PullRequest,
        "pull_request_closed" => Event::PullRequestClosed,
        "tag" | "release" => Event::Tag,
        "custom" | "manual" => Event::Asked,
        "cron" => Event::Cron,
        "promote" | "rollback" | "deployment" => Event::Deployment,
        _ => Event::Other,
    }
}
