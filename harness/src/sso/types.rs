//! What is asked of a provider, and what it grants.

use std::fmt;
use std::str::FromStr;

use base::names::{ClientId, RealmName};
use secrecy::SecretString;

use super::SsoError;

/// The providers that cc-ci can wire an app to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProviderName {
    /// Keycloak.
    Keycloak,
    /// authentik.
    Authentik,
}

/// A text that names no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no provider of logins that cc-ci knows; it knows keycloak and authentik")]
pub struct UnknownProvider(
    /// The text, cut at 120 characters.
    pub String,
);

impl ProviderName {
    /// Every provider.
    pub const ALL: &'static [Self] = &[Self::Keycloak, Self::Authentik];

    /// The name of the provider's recipe.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keycloak => "keycloak",
            Self::Authentik => "authentik",
        }
    }

    /// Where the recipe keeps what its administrator needs.
    pub fn admin_facts(self) -> AdminFacts {
        match self {
            Self::Keycloak => AdminFacts {
                service: "app",
                secret: "admin_password",
                user_variable: Some("ADMIN_USERNAME"),
                user_default: "admin",
            },
            Self::Authentik => {
                AdminFacts { service: "app", secret: "admin_token", user_variable: None, user_default: "akadmin" }
            }
        }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ProviderName {
    type Err = UnknownProvider;
    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        let found = Self::ALL.iter().find(|name| name.as_str() == text);
        found.copied().ok_or_else(|| UnknownProvider(text.chars().take(120).collect()))
    }
}

/// What a provider's recipe must tell so that cc-ci can be its administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdminFacts {
    /// The service that has the secret.
    pub service: &'static str,
    /// The secret's name in the recipe; it stands in `/run/secrets/`.
    pub secret: &'static str,
    /// The variable of the app's env file that says the administrator's name.
    pub user_variable: Option<&'static str>,
    /// The administrator's name where no variable says it.
    pub user_default: &'static str,
}

/// How to be administrator.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The administrator's name.
    pub user: String,
    /// The password, or the token of a provider that has one.
    pub secret: SecretString,
}

/// What a realm shall be.
#[derive(Debug, Clone)]
pub struct RealmSpec {
    /// The realm's name.
    pub realm: RealmName,
    /// The app's client.
    pub client: ClientId,
    /// The client's secret.
    pub client_secret: SecretString,
    /// The addresses that the client may be sent back to, whole and without wildcards.
    pub redirects: Vec<String>,
    /// The users that can log in.
    pub users: Vec<User>,
}

/// Somebody who can log in.
#[derive(Debug, Clone)]
pub struct User {
    /// The name to log in with.
    pub name: String,
    /// The mail address, which counts as verified.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The password, which need not be changed at the first login.
    pub password: SecretString,
}

/// A realm that was made: what an app and its tests need to know.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The realm.
    pub realm: RealmName,
    /// The app's client.
    pub client_id: ClientId,
    /// The issuer, as tokens name it.
    pub issuer: String,
    /// Where all of the following is told.
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
    /// The users as they can log in. Where a provider has one set of users for all realms, a name is not
    /// the one that was asked for.
    pub users: Vec<User>,
}

impl RealmSpec {
    /// Every redirect is a whole address: one with a `*` is a pattern for Keycloak, and a line's end would
    /// make two of one where authentik takes them as lines.
    pub(super) fn check(&self) -> Result<(), SsoError> {
        let broken = |redirect: &&String| {
            let harmless = !redirect.contains(|c: char| c == '*' || c == '#' || c.is_whitespace() || c.is_control());
            let rest = redirect.strip_prefix("https://").or_else(|| redirect.strip_prefix("http://"));
            !(harmless && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')))
        };
        match self.redirects.iter().find(broken) {
            Some(redirect) => Err(SsoError::Redirect { redirect: redirect.clone() }),
            None => Ok(()),
        }
    }
}
