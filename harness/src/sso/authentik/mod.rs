//! authentik, over its published interface (`/api/v3`). It has one set of users and clients for all apps,
//! so what stands for a realm is made of parts: a group that carries cc-ci's marker and holds the realm's
//! users, a provider, an application whose slug is the realm's name and which only the group may use, and
//! a scope that says that the mail addresses are verified. The group is made first and removed last: while
//! anything is left of a realm, it is listed.

mod api;
mod make;
mod ready;
mod remove;

use std::time::Duration;

use base::names::RealmName;

use self::api::Api;
use super::{Admin, Granted, Provider, ProviderName, RealmSpec, SsoError};
use http_client::Http;

/// The attribute of groups and users that says that cc-ci made them; its value is the realm's name.
const MARKER: &str = "cc-ci-realm";

/// The oldest release whose interface cc-ci knows: it brought the flow that ends a session and the address
/// of the scopes.
const OLDEST: Release = Release(2024, 10);

/// A fresh authentik answers before its worker has made the default flows, which takes a minute or two.
const PATIENCE: Duration = Duration::from_secs(300);

/// A release by year and month, as authentik numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Release(u16, u16);

impl Release {
    /// Of `2025.10.1`.
    fn of(version: &str) -> Option<Self> {
        let mut parts = version.split('.');
        Some(Self(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// An authentik whose administrator cc-ci is.
#[derive(Debug)]
pub struct Authentik {
    api: Api,
    version: String,
    release: Release,
    patience: Duration,
}

impl Authentik {
    /// The same, which waits so long for what a fresh authentik makes by itself, instead of 5 minutes.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl Provider for Authentik {
    const NAME: ProviderName = ProviderName::Authentik;

    async fn connect(http: Http, base_url: &str, admin: Admin) -> Result<Self, SsoError> {
        let asked = format!("log in {}", admin.user);
        let api = Api::new(http, base_url, admin.secret);
        // The version is told to everybody with a token; what follows is the administrator's alone.
        let me = api.get(&asked, "/core/users/me/").await?;
        let url = api.url("/core/users/me/");
        if me.pointer("/user/is_superuser").and_then(serde_json::Value::as_bool) != Some(true) {
            let said = "the token's user is no administrator".to_owned();
            return Err(SsoError::Refused { provider: Self::NAME, asked, url, status: 200, said });
        }
        let json = api.get("say its version", "/admin/version/").await?;
        let url = api.url("/admin/version/");
        let version = api.caller.text("say its version", &url, &json, "/version_current")?;
        match Release::of(&version) {
            Some(release) if release >= OLDEST => Ok(Self { api, version, release, patience: PATIENCE }),
            _ => {
                let said = format!("is version {version}; cc-ci knows 2024.10 and newer");
                Err(api.caller.unexpected("say its version", &url, said))
            }
        }
    }

    async fn version(&self) -> Result<String, SsoError> {
        Ok(self.version.clone())
    }

    async fn make_realm(&self, wanted: &RealmSpec) -> Result<Granted, SsoError> {
        wanted.check()?;
        self.api.caller.hide_all(wanted);
        let ready = self.ready(&wanted.realm).await?;
        let group = self.make_group(&wanted.realm).await?;
        let granted = self.fill(wanted, &group, &ready).await;
        if granted.is_err() {
            // What went wrong first is what is told; a realm that stays is listed by `realms`.
            let _ = self.remove_realm(&wanted.realm).await;
        }
        granted
    }

    async fn realms(&self) -> Result<Vec<RealmName>, SsoError> {
        let groups = self.api.list("list its realms", "/core/groups/?include_users=false").await?;
        let ours = groups.iter().filter_map(|group| {
            let realm: RealmName = group.get("name")?.as_str()?.parse().ok()?;
            is_marked(group, &realm).then_some(realm)
        });
        let mut ours: Vec<RealmName> = ours.collect();
        ours.sort();
        Ok(ours)
    }

    async fn remove_realm(&self, realm: &RealmName) -> Result<(), SsoError> {
        self.remove(realm).await
    }
}

/// Whether a group or a user carries the marker of this realm.
fn is_marked(object: &serde_json::Value, realm: &RealmName) -> bool {
    object.get("attributes").and_then(|all| all.get(MARKER)).and_then(serde_json::Value::as_str) == Some(realm.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_year_and_month() {
        assert!(Release::of("2024.8.6").unwrap() < OLDEST && Release::of("2024.10.0").unwrap() == OLDEST);
        assert!(Release::of("2025.2.0-rc1").unwrap() > Release::of("2024.12.3").unwrap());
        assert_eq!(Release::of("7"), None);
        assert_eq!(Release::of("next.main"), None);
    }
}
