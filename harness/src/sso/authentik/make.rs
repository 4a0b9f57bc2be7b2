//! The parts of a realm, made one after the other.

use base::names::{ClientId, RealmName};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::super::discovery::discover;
use super::super::{Granted, ProviderName, RealmSpec, SsoError, User};
use super::api::segment;
use super::ready::Ready;
use super::{Authentik, MARKER, Release, is_marked};

/// Redirects became objects that say how they are compared; before, they were lines.
const REDIRECT_OBJECTS: Release = Release(2024, 12);
/// From here on a provider that is made over the interface may use no grant, unless it says which.
const GRANT_TYPES: Release = Release(2026, 5);

/// The body of a scope, in authentik's Python: since 2025.10 the one that it brings calls no address
/// verified.
const EMAIL: &str = r#"return {"email": request.user.email, "email_verified": True}"#;

impl Authentik {
    /// Makes the group that stands for the realm, and gives its key. Its name is taken by one run alone.
    pub(super) async fn make_group(&self, realm: &RealmName) -> Result<Value, SsoError> {
        let asked = format!("make realm {realm}");
        let conflict = |said: &str| {
            let (provider, realm) = (ProviderName::Authentik, realm.clone());
            Err(SsoError::Conflict { provider, realm, said: said.to_owned() })
        };
        if self.api.find(&asked, &format!("/core/applications/{realm}/")).await?.is_some() {
            return conflict("there is an application of this slug");
        }
        let group = json!({"name": realm, "is_superuser": false, "attributes": {MARKER: realm}});
        match self.api.make(&asked, "/core/groups/", &group).await {
            Ok(group) => self.api.key(&asked, "/core/groups/", &group).cloned(),
            // A name that is taken is 400, as is every other field that is wrong.
            Err(error @ SsoError::Unexpected { .. }) => {
                match self.api.named(&asked, "/core/groups/", "name", realm.as_str()).await? {
                    Some(group) if is_marked(&group, realm) => conflict("there is a group of this name"),
                    Some(_) => conflict("there is a group of this name, which cc-ci did not make"),
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Makes everything else.
    pub(super) async fn fill(&self, wanted: &RealmSpec, group: &Value, ready: &Ready) -> Result<Granted, SsoError> {
        let realm = &wanted.realm;
        let asked = format!("make realm {realm}");
        let client_id = client_of(realm, &wanted.client)
            .map_err(|e| self.api.caller.unexpected(&asked, &self.api.url(""), e.to_string()))?;

        let path = "/propertymappings/provider/scope/";
        let scope = json!({"name": scope_name(realm), "scope_name": "email", "expression": EMAIL});
        let scope = self.api.make(&asked, path, &scope).await?;
        let scope = self.api.key(&asked, path, &scope)?;

        let path = "/providers/oauth2/";
        let provider = self.provider(wanted, &client_id, scope, ready);
        let provider = self.api.make(&asked, path, &provider).await?;
        let provider = self.api.key(&asked, path, &provider)?;

        let path = "/core/applications/";
        let application = json!({"name": realm, "slug": realm, "provider": provider, "policy_engine_mode": "any"});
        let application = self.api.make(&asked, path, &application).await?;
        let application = self.api.key(&asked, path, &application)?;

        let binding = json!({"target": application, "group": group, "order": 0, "enabled": true, "negate": false});
        self.api.make(&asked, "/policies/bindings/", &binding).await?;

        self.service_account(realm, group).await?;
        let mut users = Vec::new();
        for user in &wanted.users {
            users.push(self.user(realm, user, group).await?);
        }
        let issuer = self.api.caller.url(&format!("/application/o/{realm}/"));
        discover(&self.api.caller, &issuer, realm, &client_id, &users).await
    }

    fn provider(&self, wanted: &RealmSpec, client_id: &ClientId, email: &Value, ready: &Ready) -> Value {
        let redirects = if self.release >= REDIRECT_OBJECTS {
            let strict = |url| json!({"matching_mode": "strict", "url": url});
            Value::Array(wanted.redirects.iter().map(strict).collect())
        } else {
            json!(wanted.redirects.join("\n"))
        };
        let scopes: Vec<&Value> = ready.scopes.iter().chain([email]).collect();
        let mut provider = json!({
            "name": wanted.realm,
            "authorization_flow": ready.authorization,
            "invalidation_flow": ready.invalidation,
            "client_type": "confidential",
            "client_id": client_id,
            "client_secret": wanted.client_secret.expose_secret(),
            "redirect_uris": redirects,
            "signing_key": ready.certificate,
            "property_mappings": scopes,
            "issuer_mode": "per_provider",
            "include_claims_in_id_token": true,
        });
        if self.release >= GRANT_TYPES
            && let Some(provider) = provider.as_object_mut()
        {
            let grants = json!(["authorization_code", "refresh_token", "client_credentials", "password"]);
            provider.insert("grant_types".to_owned(), grants);
        }
        provider
    }

    /// The user that authentik acts as at the client credentials grant. It would make it by itself at the
    /// first grant, but outside of the group that may use the application.
    async fn service_account(&self, realm: &RealmName, group: &Value) -> Result<(), SsoError> {
        let account = json!({
            "username": format!("ak-{realm}-client_credentials"),
            "name": format!("client of {realm}"),
            "type": "service_account",
            "path": format!("cc-ci/{realm}"),
            "groups": [group],
            "attributes": {MARKER: realm},
        });
        self.api.make(&format!("make realm {realm}"), "/core/users/", &account).await.map(|_| ())
    }

    /// Makes a user and gives it as it can log in. The password grant takes no password but only a token
    /// of the kind "app password", so there is one of the same value.
    async fn user(&self, realm: &RealmName, user: &User, group: &Value) -> Result<User, SsoError> {
        let asked = format!("make user {} of realm {realm}", user.name);
        let name = format!("{}-{realm}", user.name);
        let made = json!({
            "username": name,
            "name": format!("{} {}", user.first_name, user.last_name),
            "email": user.email,
            "is_active": true,
            "type": "internal",
            "path": format!("cc-ci/{realm}"),
            "groups": [group],
            "attributes": {MARKER: realm},
        });
        let made = self.api.make(&asked, "/core/users/", &made).await?;
        let key = self.api.key(&asked, "/core/users/", &made)?;
        let password = user.password.expose_secret();
        let path = format!("/core/users/{}/set_password/", segment(key));
        self.api.post(&asked, &path, &json!({"password": password}), &[204]).await?;
        // A token's name stands in its address.
        let identifier = format!("{realm}-{}", segment(key));
        let token = json!({
            "identifier": identifier,
            "intent": "app_password",
            "user": key,
            "description": format!("password grants of {name}"),
            "expiring": false,
        });
        self.api.make(&asked, "/core/tokens/", &token).await?;
        let path = format!("/core/tokens/{identifier}/set_key/");
        self.api.post(&asked, &path, &json!({"key": password}), &[204]).await?;
        Ok(User { name, ..user.clone() })
    }
}

/// The client's id is unique among all applications, so it has the realm's name in it.
fn client_of(realm: &RealmName, client: &ClientId) -> Result<ClientId, base::names::NameError> {
    format!("{realm}-{client}").parse()
}

/// The name of the realm's own scope.
pub(super) fn scope_name(realm: &RealmName) -> String {
    format!("cc-ci {realm}: email")
}
