//! What Drone says of a repository: what it may do, and what the user who asks may.
//!
//! Read in Drone 2.25 (`core/repo.go`, `handler/api/acl`) and seen there: a public repository is shown without a token
//! too, so that an answer says nothing of the token; the caller's rights are absent where Drone has none of this user, which is
//! also so for rights that were given after Drone last asked the forge.

use std::time::Duration;

use http_client::Method;
use serde::Deserialize;

use super::client::{Drone, DroneError, answer};
use crate::names::Repo;

/// A repository, as Drone has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DroneRepository {
    /// Whether the forge's hooks make builds of it. One that never was active cannot be built at all.
    #[serde(default)]
    pub active: bool,
    /// Whether its pipelines may mount folders of the machine and use its network.
    #[serde(default)]
    pub trusted: bool,
    /// Whether builds of hooks wait for an approval where the pipeline is not signed. Builds over the interface never do.
    #[serde(default)]
    pub protected: bool,
    /// Minutes after which a build is killed.
    #[serde(default)]
    pub timeout: u64,
    /// The file with the pipelines.
    #[serde(default)]
    pub config_path: String,
    /// The main branch.
    #[serde(default)]
    pub default_branch: String,
    /// What the user who asks may do there; none where Drone does not know.
    pub permissions: Option<DronePermissions>,
}

/// What a user may do with a repository.
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
    /// Whether the user who asks may start and stop builds.
    pub fn may_write(&self) -> bool {
        self.permissions.is_some_and(|permissions| permissions.write)
    }

    /// How long a build may take from the moment when a runner took it; none where Drone did not say.
    pub fn time_limit(&self) -> Option<Duration> {
        (self.timeout > 0).then(|| Duration::from_secs(self.timeout.saturating_mul(60)))
    }
}

#[derive(Deserialize)]
struct User {
    login: String,
}

impl Drone {
    /// The name of the token's user. It is the way to test a token: a public repository is shown to any.
    ///
    /// # Errors
    /// When Drone cannot be asked or refuses the token.
    pub async fn user(&self) -> Result<String, DroneError> {
        answer::<User>(self.at(Method::GET, "/api/user", &[])).await.map(|user| user.login)
    }

    /// What Drone says of a repository.
    ///
    /// # Errors
    /// When Drone cannot be asked or knows no such repository.
    pub async fn repository(&self, repo: &Repo) -> Result<DroneRepository, DroneError> {
        answer(self.ask(Method::GET, repo, "", &[])).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_and_without_rights() {
        // The fields of a real answer that count here, and two that do not.
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
