//! Providers of logins behind one trait: a realm for a run, with a client for the app and users to log
//! in, and its removal. What a provider cannot tell about itself (its domain, its administrator's secret)
//! the caller finds by [`ProviderName::admin_facts`].

mod authentik;
mod call;
mod discovery;
mod error;
mod key;
mod keycloak;
mod secret;
mod types;

use base::names::RealmName;

pub use authentik::Authentik;
pub use error::SsoError;
pub use keycloak::Keycloak;
pub use secret::made_secret;
pub use types::{Admin, AdminFacts, Granted, ProviderName, RealmSpec, UnknownProvider, User};

use http_client::Http;

/// What cc-ci asks of a provider, as its administrator. Every method ends: each request has a limit.
///
/// Two users of one provider do not meet as long as their realms have different names.
pub trait Provider: Sized {
    /// The provider's name.
    const NAME: ProviderName;

    /// Logs in as the administrator of the provider at `base_url`, such as `https://sso.example.org`.
    fn connect(http: Http, base_url: &str, admin: Admin) -> impl Future<Output = Result<Self, SsoError>> + Send;

    /// The provider's own version, such as `26.7.3`.
    fn version(&self) -> impl Future<Output = Result<String, SsoError>> + Send;

    /// Makes a realm with its client and its users. The client is confidential, may use the authorization
    /// code, password and client credentials grants, is named in the audience of its access tokens, and
    /// is sent back to exactly the addresses that are given. A realm that could not be made whole is gone
    /// again.
    ///
    /// # Errors
    /// [`SsoError::Conflict`] when there is a realm of this name; else when the provider cannot be asked.
    fn make_realm(&self, wanted: &RealmSpec) -> impl Future<Output = Result<Granted, SsoError>> + Send;

    /// The realms that cc-ci made and that are still there, by name.
    fn realms(&self) -> impl Future<Output = Result<Vec<RealmName>, SsoError>> + Send;

    /// Removes a realm with everything in it. One that is gone already is no error.
    ///
    /// # Errors
    /// [`SsoError::NotOurs`] when the realm lacks cc-ci's marker; else when the provider cannot be asked.
    fn remove_realm(&self, realm: &RealmName) -> impl Future<Output = Result<(), SsoError>> + Send;
}

/// The provider that a recipe's folder names.
#[derive(Debug)]
pub enum AnyProvider {
    /// Keycloak.
    Keycloak(Keycloak),
    /// authentik.
    Authentik(Authentik),
}

/// Calls the same method of whichever provider it is.
macro_rules! whichever {
    ($self:ident, $method:ident($($argument:ident),*)) => {
        match $self {
            Self::Keycloak(provider) => provider.$method($($argument),*).await,
            Self::Authentik(provider) => provider.$method($($argument),*).await,
        }
    };
}

impl AnyProvider {
    /// See [`Provider::connect`].
    pub async fn connect(name: ProviderName, http: Http, base_url: &str, admin: Admin) -> Result<Self, SsoError> {
        match name {
            ProviderName::Keycloak => Keycloak::connect(http, base_url, admin).await.map(Self::Keycloak),
            ProviderName::Authentik => Authentik::connect(http, base_url, admin).await.map(Self::Authentik),
        }
    }

    /// Which provider it is.
    pub fn name(&self) -> ProviderName {
        match self {
            Self::Keycloak(_) => ProviderName::Keycloak,
            Self::Authentik(_) => ProviderName::Authentik,
        }
    }

    /// See [`Provider::version`].
    pub async fn version(&self) -> Result<String, SsoError> {
        whichever!(self, version())
    }

    /// See [`Provider::make_realm`].
    pub async fn make_realm(&self, wanted: &RealmSpec) -> Result<Granted, SsoError> {
        whichever!(self, make_realm(wanted))
    }

    /// See [`Provider::realms`].
    pub async fn realms(&self) -> Result<Vec<RealmName>, SsoError> {
        whichever!(self, realms())
    }

    /// See [`Provider::remove_realm`].
    pub async fn remove_realm(&self, realm: &RealmName) -> Result<(), SsoError> {
        whichever!(self, remove_realm(realm))
    }
}

#[cfg(test)]
mod tests;
