//! The file that `$CCCI_DEPS_FILE` names: what a run deployed for a recipe, for the recipe's tests and
//! its `install_steps.sh`. The runner writes it, tests read it; docs/deps-file.md describes it.

mod file;

pub use file::DepsFileError;

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use base::names::{ClientId, Domain, RealmName, RecipeName};

/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "The file that CCCI_DEPS_FILE names")]
pub struct Deps {
    /// The version of the format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// The apps that were deployed, by recipe.
    #[schemars(with = "BTreeMap<String, Dependency>")]
    pub dependencies: BTreeMap<RecipeName, Dependency>,
}

/// An app that a run deployed for the recipe.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// The recipe's name.
    #[schemars(with = "String")]
    pub recipe: RecipeName,
    /// The app's public host name.
    #[schemars(with = "String")]
    pub domain: Domain,
    /// The app's address: `https://` and the domain.
    pub url: String,
    /// The release that is deployed, such as `2.1.0+26.7.3`.
    pub release: String,
    /// Whether the app was there before the run and stays after it.
    pub warm: bool,
    /// The realm that was made for the run, where the app is the provider of logins.
    pub sso: Option<Sso>,
}

/// A realm with its client and its users.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sso {
    /// The issuer, as tokens name it.
    pub issuer: String,
    /// The address of the discovery document.
    pub discovery_url: String,
    /// Where a person logs in.
    pub authorization_endpoint: String,
    /// Where tokens are given.
    pub token_endpoint: String,
    /// Where a token's user is told.
    pub userinfo_endpoint: String,
    /// The keys that tokens are signed with.
    pub jwks_uri: String,
    /// Where a session ends.
    pub end_session_endpoint: String,
    /// The realm's name.
    #[schemars(with = "String")]
    pub realm: RealmName,
    /// The client's id.
    #[schemars(with = "String")]
    pub client_id: ClientId,
    /// The client's secret.
    #[serde(serialize_with = "exposed")]
    #[schemars(with = "String")]
    pub client_secret: SecretString,
    /// Who can log in.
    pub users: Vec<DepsUser>,
}

/// Somebody who can log in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepsUser {
    /// The name to log in with.
    pub name: String,
    /// The verified mail address.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The password.
    #[serde(serialize_with = "exposed")]
    #[schemars(with = "String")]
    pub password: SecretString,
}

/// The file is the one place where a secret is written out.
fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// The JSON schema of the file, for `docs/deps.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Deps);
    format!("{:#}\n", schema.as_value())
}

impl Deps {
    /// A file of the version that is written.
    pub fn new(dependencies: BTreeMap<RecipeName, Dependency>) -> Self {
        Self { version: VERSION, dependencies }
    }

    /// Every secret value in it, to be hidden from reports.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        self.dependencies.values().filter_map(|dependency| dependency.sso.as_ref()).flat_map(Sso::secrets)
    }

    /// Writes the file anew, readable by its owner alone. Who reads meanwhile sees the old file or the
    /// new one. A link at `path` is replaced, never followed.
    pub fn write(&self, path: &Path) -> Result<(), DepsFileError> {
        file::write(self, path)
    }

    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, DepsFileError> {
        file::read(path)
    }
}

impl Sso {
    /// The client's secret and every user's password.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.client_secret).chain(self.users.iter().map(|user| &user.password))
    }

    /// What a provider granted, with the client's secret.
    pub fn new(granted: &crate::sso::Granted, client_secret: SecretString) -> Self {
        Self {
            issuer: granted.issuer.clone(),
            discovery_url: granted.discovery_url.clone(),
            authorization_endpoint: granted.authorization_endpoint.clone(),
            token_endpoint: granted.token_endpoint.clone(),
            userinfo_endpoint: granted.userinfo_endpoint.clone(),
            jwks_uri: granted.jwks_uri.clone(),
            end_session_endpoint: granted.end_session_endpoint.clone(),
            realm: granted.realm.clone(),
            client_id: granted.client_id.clone(),
            client_secret,
            users: granted.users.iter().map(DepsUser::from).collect(),
        }
    }
}

impl From<&crate::sso::User> for DepsUser {
    fn from(user: &crate::sso::User) -> Self {
        Self {
            name: user.name.clone(),
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            password: user.password.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
