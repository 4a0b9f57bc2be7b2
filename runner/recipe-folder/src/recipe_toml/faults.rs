//! What a recipe's folder switches on of the stage `faults`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::variant::is_setting;
use super::{InjectedFault, RecipeToml, Seconds};

/// Faults that the run makes on purpose, each switched on by its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Each service is taken down and brought back, one after the other.
    pub restart: Option<Recovery>,
    /// The app starts while its database is away.
    pub database_late: Option<Outage>,
    /// The database goes away under the live app, and comes back.
    pub database_gone: Option<Outage>,
    /// The app gets a wrong password for its database.
    pub wrong_secret: Option<Recovery>,
}

/// How long the app may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Recovery {
    /// Seconds until it answers again; of `wrong_secret`, for which it must not say that it is well.
    pub within: Seconds,
}

impl Default for Recovery {
    fn default() -> Self {
        Self { within: Seconds::WITHIN }
    }
}

/// How long the database is away, and how long the app may take after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outage {
    /// Seconds that the database is away.
    pub away: Seconds,
    /// Seconds from its return until the app answers again.
    pub within: Seconds,
}

impl Default for Outage {
    fn default() -> Self {
        Self { away: Seconds::AWAY, within: Seconds::WITHIN }
    }
}

/// What is tried of backups beside the backup of every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// Whether a backup of the release before is restored on the tested commit.
    pub cross_release: bool,
}

/// A redeploy of the tested commit with other settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Settings")]
pub struct Reconfigure {
    /// The settings that change in the app's env file. The tests in `reconfigure/` show them.
    pub env: BTreeMap<String, String>,
}

/// The settings that change.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The settings that change in the app's env file. The tests in `reconfigure/` show them.
    env: BTreeMap<String, String>,
}

impl TryFrom<Settings> for Reconfigure {
    type Error = String;
    fn try_from(Settings { env }: Settings) -> Result<Self, String> {
        match env.keys().find(|key| !is_setting(key)) {
            _ if env.is_empty() => Err("`env` names no setting: a redeploy without a change shows nothing".to_owned()),
            Some(key) => Err(format!("{key:?} is no setting that a redeploy can change")),
            None => Ok(Self { env }),
        }
    }
}

impl RecipeToml {
    /// The faults that the folder switches on, in the order in which they are tried.
    pub fn injected(&self) -> Vec<InjectedFault> {
        let is_on = |fault: &InjectedFault| match fault {
            InjectedFault::Restart => self.faults.restart.is_some(),
            InjectedFault::DatabaseLate => self.faults.database_late.is_some(),
            InjectedFault::DatabaseGone => self.faults.database_gone.is_some(),
            InjectedFault::WrongSecret => self.faults.wrong_secret.is_some(),
            InjectedFault::Reconfigure => self.reconfigure.is_some(),
            InjectedFault::TwoBack => self.upgrade.two_back,
            InjectedFault::CrossRelease => self.backup.cross_release,
        };
        InjectedFault::ALL.into_iter().filter(is_on).collect()
    }
}
