//! Keycloak, over its admin interface.

use super::{Admin, Granted, Provider, ProviderName, SsoError, Wanted};
use crate::http::Http;
use crate::names::RealmName;

/// A Keycloak whose administrator cc-ci is.
#[derive(Debug)]
pub struct Keycloak {
    base: String,
}

impl Keycloak {
    fn not_yet<T>(&self, asked: &str) -> Result<T, SsoError> {
        Err(SsoError::Unexpected {
            provider: Self::NAME,
            asked: asked.to_owned(),
            url: self.base.clone(),
            said: "cannot be asked by cc-ci yet".to_owned(),
        })
    }
}

impl Provider for Keycloak {
    const NAME: ProviderName = ProviderName::Keycloak;

    async fn connect(_http: Http, base_url: &str, _admin: Admin) -> Result<Self, SsoError> {
        Ok(Self { base: base_url.trim_end_matches('/').to_owned() })
    }

    async fn version(&self) -> Result<String, SsoError> {
        self.not_yet("say its version")
    }

    async fn make_realm(&self, wanted: &Wanted) -> Result<Granted, SsoError> {
        self.not_yet(&format!("make realm {}", wanted.realm))
    }

    async fn realms(&self) -> Result<Vec<RealmName>, SsoError> {
        self.not_yet("list its realms")
    }

    async fn remove_realm(&self, realm: &RealmName) -> Result<(), SsoError> {
        self.not_yet(&format!("remove realm {realm}"))
    }
}
