//! Drone's record of a repository: its settings, and the permissions of the requesting user.
//!
//! Read in Drone 2.25 (`core/repo.go`, `handler/api/acl`) and seen there: a public repository is shown without a token
//! too, so that a response says nothing about the token; the user's permissions are absent if Drone has none of this
//! user, which includes permissions that were granted after Drone last queried the forge.

use std::time::Duration;

use http_client::Method;
use serde::Deserialize;

use super::client::{Drone, DroneError, answer};
use crate::names::Repo;

/// Drone's record of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DroneRepository {
    /// Whether the forge's webhooks start builds. A repository that was never active cannot be built at all.
    #[serde(default)]
    pub active: bool,
    /// Whether its pipelines may mount folders of the machine and use its network.
    #[serde(default)]
    pub trusted: bool,
    /// Whether builds of webhooks wait for an approval if the pipeline is not signed. Builds over the API never do.
    #[serde(default)]
    pub protected: bool,
    /// Time limit of builds, in minutes.
    #[serde(default)]
    pub timeout: u64,
    #[serde(default)]
    pub config_path: String,
    #[serde(default)]
    pub default_branch: String,
    /// The requesting user's permissions; `None` if Drone does not know them.
    pub permissions: Option<DronePermissions>,
}

/// A user's permissions for a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct DronePermissions {
    /// See its builds.
    #[serde(default)]
    pub read: bool,
    /// Start, stop and restart builds.
    #[serde(default)]
    pub write: bool,
    /// Change its settings and secrets.
    #[serde(default)]
    pub admin: bool,
}

impl DroneRepository {
    /// Whether the requesting user may start and stop builds.
    pub fn may_write(&self) -> bool {
        self.permissions.is_some_and(|permissions| permissions.write)
    }

    /// The time limit of a build, counted from its start by a runner; `None` if Drone did not return one.
    pub fn time_limit(&self) -> Option<Duration> {
        (self.timeout > 0).then(|| Duration::from_secs(self.timeout.saturating_mul(60)))
    }
}

#[derive(Deserialize)]
struct User {
    login: String,
}

impl Drone {
    /// The name of the token's user. This is the way to test a token: a public repository is visible without one.
    ///
    /// # Errors
    /// Drone cannot be queried or refuses the token.
    pub async fn user(&self) -> Result<String, DroneError> {
        answer::<User>(self.at(Method::GET, "/api/user", &[])).await.map(|user| user.login)
    }

    /// Drone's record of a repository.
    ///
    /// # Errors
    /// Drone cannot be queried or has no such repository.
    pub async fn repository(&self, repo: &Repo) -> Result<DroneRepository, DroneError> {
        answer(self.ask(Method::GET, repo, "", &[])).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_and_without_rights() {
        // The relevant fields of a real response, and two others.
        let text = r#"{"id": 1, "slug": "coop/cc-ci", "active": true, "config_path": ".drone.yml", "trusted": true,
            "protected": false, "timeout": 180, "default_branch": "main",
            "permissions": {"read": true, "write": true, "admin": false, "synced": 1764300000}}"#;
        let whole: DroneRepository = serde_json::from_str(text).unwrap();
        assert_eq!(whole.permissions, Some(DronePermissions { read: true, write: true, admin: false }));
        assert_eq!((whole.active, whole.trusted, whole.protected), (true, true, false));
        assert_eq!(whole.time_limit(), Some(Duration::from_secs(180 * 60)));
        let bare: DroneRepository = serde_json::from_str(r#"{"slug": "coop/cc-ci", "active": false}"#).unwrap();
        assert_eq!((bare.permissions, bare.time_limit()), (None, None));
    }
}
