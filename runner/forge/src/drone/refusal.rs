//! Why Drone starts no build, in one sentence with the setting to change.

use super::client::{Drone, DroneError};
use crate::names::{Branch, Repo};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct DroneRefusal {
    /// The cause.
    pub what: String,
    /// What to change.
    pub look_at: String,
}

impl Drone {
    /// The cause of a permanent error. Drone returns 404 for a missing repository, a missing permission and a missing
    /// branch alike, so its record of the repository is queried.
    pub async fn refusal(&self, repo: &Repo, branch: Option<&Branch>, error: &DroneError) -> DroneRefusal {
        let of_branch = |named: &str| {
            branch.map_or_else(|| format!("the default branch {named}"), |branch| format!("branch {branch}"))
        };
        match error {
            DroneError::Token { .. } => wrong_token(),
            DroneError::NotActivated { .. } => not_active(repo),
            DroneError::NoFile { .. } => {
                let known = self.repository(repo).await.ok();
                let file = known.as_ref().map_or(".drone.yml", |known| known.config_path.as_str());
                let branch = of_branch(known.as_ref().map_or("", |known| known.default_branch.as_str()));
                refusal(
                    format!("{} has no file {file} on {}", repo, branch.trim_end()),
                    format!(
                        "CCCI_DRONE_BRANCH, or the setting Configuration of {repo} in Drone: push a pipeline to {file}"
                    ),
                )
            }
            DroneError::NoPipeline { .. } => refusal(
                format!(
                    "no pipeline of {repo} on {} is for the event \"custom\", which is that of builds over Drone's API",
                    of_branch("").trim_end()
                ),
                "`trigger: event: [custom]` in the pipeline's file; where it is there: the user who activated the \
                 repository in Drone is switched off there",
            ),
            DroneError::Missing { .. } | DroneError::NoBuild { .. } => self.missing(repo, branch).await,
            DroneError::Unreachable { .. } | DroneError::Wrong { .. } => wrong_address(error),
        }
    }

    async fn missing(&self, repo: &Repo, branch: Option<&Branch>) -> DroneRefusal {
        let user = match self.user().await {
            Ok(login) => format!("the user {login}"),
            Err(DroneError::Token { .. }) => return wrong_token(),
            // Every Drone answers this request for a user.
            Err(error @ (DroneError::Missing { .. } | DroneError::Wrong { .. })) => return wrong_address(&error),
            Err(_) => "the token's user".to_owned(),
        };
        let sync = "a right that was given just now: Sync on Drone's first page, as that user";
        match self.repository(repo).await {
            Ok(known) if !known.may_write() => refusal(
                format!("{user} may not start builds of {repo} in Drone"),
                format!("the right to write to {repo} in the forge; {sync}"),
            ),
            Ok(known) if !known.active => not_active(repo),
            Ok(known) => {
                let (what, look_at) = match branch {
                    Some(branch) => (format!("branch {branch}"), format!("CCCI_DRONE_BRANCH: push {branch} to {repo}")),
                    None => (
                        format!("default branch {}", known.default_branch),
                        format!("CCCI_DRONE_BRANCH, which names another branch of {repo}"),
                    ),
                };
                refusal(format!("{repo} has no {what}"), look_at)
            }
            Err(_) => refusal(
                format!("Drone shows no repository {repo} to {user}"),
                format!("CCCI_DRONE_REPO, and the rights of that user on {repo} in the forge; {sync}"),
            ),
        }
    }
}

fn wrong_token() -> DroneRefusal {
    refusal(
        "Drone does not know the token",
        "the file of CCCI_DRONE_TOKEN_FILE: it has to contain only the token from the account page in Drone",
    )
}

fn wrong_address(error: &DroneError) -> DroneRefusal {
    let why = match error {
        DroneError::Wrong { why, .. } => format!(": {why}"),
        _ => String::new(),
    };
    refusal(
        format!("what answers at its address is no Drone{why}"),
        "CCCI_DRONE_URL: the address of Drone's first page",
    )
}

fn not_active(repo: &Repo) -> DroneRefusal {
    refusal(format!("{repo} is not active in Drone"), format!("Activate Repository on the page of {repo} in Drone"))
}

fn refusal(what: impl Into<String>, look_at: impl Into<String>) -> DroneRefusal {
    DroneRefusal { what: what.into(), look_at: look_at.into() }
}
