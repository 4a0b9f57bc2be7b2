//! What a step of a build finds about it in its environment. Pure.

use std::path::PathBuf;
use std::str::FromStr;

use base::names::Commit;
use url::Url;

use crate::names::{Branch, Repo};

/// What runs the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Drone.
    Drone,
    /// Woodpecker.
    Woodpecker,
}

/// Why there is a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A branch got commits.
    Push,
    /// A pull request was opened or got commits.
    PullRequest,
    /// A pull request was closed or merged. Woodpecker makes builds of it, Drone does not.
    PullRequestClosed,
    /// A tag was made.
    Tag,
    /// Somebody asked for it, by hand or over the interface.
    Asked,
    /// It was time.
    Cron,
    /// A build was promoted or rolled back (Drone), or deployed (Woodpecker).
    Deployment,
    /// Anything else.
    Other,
}

/// The facts of a build. What a build does not have is none; what it has and what is not fit is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildFacts {
    /// What runs it.
    pub system: System,
    /// The repository whose pipeline runs.
    pub repo: Option<Repo>,
    /// The build's number.
    pub number: Option<u64>,
    /// The build that this one was made from: by a restart, a promotion or a rollback.
    pub parent: Option<u64>,
    /// The build's page.
    pub link: Option<Url>,
    /// Why there is a build.
    pub event: Event,
    /// The commit that is built.
    pub commit: Option<Commit>,
    /// The branch that is built, or that the pull request is to be merged into.
    pub branch: Option<Branch>,
    /// The pull request.
    pub pull: Option<u64>,
    /// Where git fetches the repository from.
    pub clone_url: Option<Url>,
    /// The folder that the steps of a build share.
    pub workspace: Option<PathBuf>,
    /// Where the card of the result goes; Drone alone has one.
    pub card: Option<PathBuf>,
}

/// A variable that does not hold what it is for. Its value is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the variable {variable} does not hold {what}")]
pub struct UnfitFact {
    /// The variable.
    pub variable: &'static str,
    /// What it is for.
    pub what: &'static str,
}

/// One fact under its two names.
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

/// The facts of the build that this environment belongs to; none where it is no build's.
///
/// # Errors
/// The first variable that does not hold what it is for.
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
        // Both write 0 where there is none.
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

    /// An empty variable is none: both systems set some that do not apply.
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
