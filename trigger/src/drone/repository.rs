//! What Drone knows of a repository (`core/repo.go` of Drone 2.25; seen in its answers).

use std::time::Duration;

use serde::Deserialize;

/// A repository's settings in Drone, and what the token's user may do with it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Repository {
    /// Whether it was activated. One that never was has no owner in Drone, and no build can be started.
    #[serde(default)]
    pub active: bool,
    /// Whether its pipelines may mount folders of the host and use its network. Only an administrator of Drone sets it.
    #[serde(default)]
    pub trusted: bool,
    /// Whether builds that come by a webhook wait for a signature or an approval. Builds that are started over the API
    /// are not checked.
    #[serde(default)]
    pub protected: bool,
    /// The branch that builds are made of where none is named.
    #[serde(default)]
    pub default_branch: String,
    /// The pipeline's file.
    #[serde(default)]
    pub config_path: String,
    #[serde(default)]
    timeout: u64,
    #[serde(default)]
    permissions: Permissions,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Permissions {
    #[serde(default)]
    write: bool,
}

impl Repository {
    /// How long a build may run from the moment that a runner takes it; then Drone kills its steps with SIGKILL. None
    /// where Drone names no limit.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        (self.timeout > 0).then(|| Duration::from_secs(self.timeout.saturating_mul(60)))
    }

    /// Whether the token's user may start and stop builds, by Drone's copy of the forge's rights. It is made anew at a
    /// synchronisation, and once an hour.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.permissions.write
    }
}
