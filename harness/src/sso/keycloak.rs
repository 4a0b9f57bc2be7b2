//! Keycloak, over its admin interface. A realm is one request: Keycloak takes it with its clients and
//! users, whole or not at all.

use std::time::{Duration, Instant};

use base::names::{ClientId, RealmName};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::call::Caller;
use super::discovery::discover;
use super::key::made_key;
use super::{Admin, Granted, Provider, ProviderName, RealmSpec, SsoError, User};
use http_client::{Http, Method};

/// The attribute of a realm that says that cc-ci made it; its value is the realm's name.
const MARKER: &str = "cc-ci.realm";

/// An administrator's token lives for 60 s; one with less than this left is not used any more. A request
/// is judged by its token when it arrives, so how long it takes then does not matter.
const SPARE: Duration = Duration::from_secs(15);

/// A Keycloak whose administrator cc-ci is.
#[derive(Debug)]
pub struct Keycloak {
    caller: Caller,
    admin: Admin,
    token: Mutex<Option<Token>>,
}

#[derive(Debug)]
struct Token {
    value: SecretString,
    until: Instant,
}

impl Keycloak {
    /// A token that is good for the next request.
    async fn token(&self) -> Result<SecretString, SsoError> {
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_ref().filter(|token| token.until > Instant::now() + SPARE) {
            return Ok(token.value.clone());
        }
        let asked = format!("log in {}", self.admin.user);
        let url = self.caller.url("/realms/master/protocol/openid-connect/token");
        let start = Instant::now();
        let request = self.caller.ask(&asked, Method::POST, &url)?.form([
            ("client_id", "admin-cli"),
            ("grant_type", "password"),
            ("username", &self.admin.user),
            ("password", self.admin.secret.expose_secret()),
        ]);
        let answer = self.caller.send(&asked, request).await?;
        match answer.status {
            200 => {}
            // A wrong password is 400 in newer releases and 401 in older ones.
            400 if answer.body.contains("invalid_grant") => return Err(self.caller.refused(&asked, &url, &answer)),
            _ => return Err(self.caller.wrong(&asked, &url, &answer)),
        }
        let json = self.caller.read(&asked, &url, &answer)?;
        let value: SecretString = self.caller.text(&asked, &url, &json, "/access_token")?.into();
        self.caller.hide(&value);
        let seconds = json.get("expires_in").and_then(Value::as_u64).unwrap_or_default();
        *token = Some(Token { value: value.clone(), until: start + Duration::from_secs(seconds) });
        Ok(value)
    }

    /// The realm as Keycloak describes it; none where there is none.
    async fn realm(&self, asked: &str, realm: &RealmName) -> Result<Option<Value>, SsoError> {
        let url = self.caller.url(&format!("/admin/realms/{realm}"));
        let answer = self
            .caller
            .done(asked, self.caller.ask(asked, Method::GET, &url)?.bearer(&self.token().await?), &[200, 404])
            .await?;
        if answer.status == 404 {
            return Ok(None);
        }
        self.caller.read(asked, &url, &answer).map(Some)
    }
}

fn is_ours(realm: &RealmName, described: &Value) -> bool {
    described.get("attributes").and_then(|all| all.get(MARKER)).and_then(Value::as_str) == Some(realm.as_str())
}

impl Provider for Keycloak {
    const NAME: ProviderName = ProviderName::Keycloak;

    async fn connect(http: Http, base_url: &str, admin: Admin) -> Result<Self, SsoError> {
        let caller = Caller::new(http, Self::NAME, base_url);
        caller.hide(&admin.secret);
        let keycloak = Self { caller, admin, token: Mutex::new(None) };
        keycloak.token().await?;
        Ok(keycloak)
    }

    async fn version(&self) -> Result<String, SsoError> {
        let asked = "say its version";
        let url = self.caller.url("/admin/serverinfo");
        let json = self
            .caller
            .json(asked, self.caller.ask(asked, Method::GET, &url)?.bearer(&self.token().await?), &[200])
            .await?;
        self.caller.text(asked, &url, &json, "/systemInfo/version")
    }

    async fn make_realm(&self, wanted: &RealmSpec) -> Result<Granted, SsoError> {
        wanted.check()?;
        self.caller.hide_all(wanted);
        let (realm, asked) = (&wanted.realm, format!("make realm {}", wanted.realm));
        let url = self.caller.url("/admin/realms");
        let signing = tokio::task::spawn_blocking(made_key).await.map_err(|error| error.to_string()).flatten();
        let signing = signing.map_err(|why| self.caller.unexpected(&asked, &url, format!("has no key yet: {why}")))?;
        self.caller.hide(&signing);
        let request = self
            .caller
            .ask(&asked, Method::POST, &url)?
            .bearer(&self.token().await?)
            .json(&representation(wanted, &signing));
        let answer = self.caller.done(&asked, request, &[201, 409]).await?;
        if answer.status == 409 {
            let said = self.caller.said(&answer.body);
            return Err(SsoError::Conflict { provider: Self::NAME, realm: realm.clone(), said });
        }
        let issuer = self.caller.url(&format!("/realms/{realm}"));
        let granted = discover(&self.caller, &issuer, realm, &wanted.client, &wanted.users).await;
        if granted.is_err() {
            // What went wrong first is what is told; a realm that stays is listed by `realms`.
            let _ = self.remove_realm(realm).await;
        }
        granted
    }

    async fn realms(&self) -> Result<Vec<RealmName>, SsoError> {
        let asked = "list its realms";
        let url = self.caller.url("/admin/realms?briefRepresentation=true");
        let json = self
            .caller
            .json(asked, self.caller.ask(asked, Method::GET, &url)?.bearer(&self.token().await?), &[200])
            .await?;
        let names =
            json.as_array().into_iter().flatten().filter_map(|realm| realm.get("realm")?.as_str()?.parse().ok());
        let mut ours = Vec::new();
        for name in names {
            // The short list lacks the attributes. One that is gone by now is no realm any more.
            if self.realm(asked, &name).await?.is_some_and(|described| is_ours(&name, &described)) {
                ours.push(name);
            }
        }
        ours.sort();
        Ok(ours)
    }

    async fn remove_realm(&self, realm: &RealmName) -> Result<(), SsoError> {
        let asked = format!("remove realm {realm}");
        let Some(described) = self.realm(&asked, realm).await? else { return Ok(()) };
        if !is_ours(realm, &described) {
            let said = format!("it lacks the attribute {MARKER}");
            return Err(SsoError::NotOurs { provider: Self::NAME, realm: realm.clone(), said });
        }
        let url = self.caller.url(&format!("/admin/realms/{realm}"));
        let request = self.caller.ask(&asked, Method::DELETE, &url)?.bearer(&self.token().await?);
        self.caller.done(&asked, request, &[204, 404]).await.map(|_| ())
    }
}

/// The realm in Keycloak's words.
fn representation(wanted: &RealmSpec, signing: &SecretString) -> Value {
    let realm = wanted.realm.as_str();
    let key = |name: &str, id: &str, more: Value| {
        let mut config = json!({"priority": ["100"]});
        if let (Some(config), Value::Object(more)) = (config.as_object_mut(), more) {
            config.extend(more);
        }
        json!({"name": name, "providerId": id, "config": config})
    };
    json!({
        "realm": realm,
        "enabled": true,
        "attributes": {MARKER: realm},
        // The keys that a realm has by itself, without the one that encrypts tokens, which no client here
        // asks for. Making an RSA key is nearly all of a realm's time there, and little of ours.
        "components": {"org.keycloak.keys.KeyProvider": [
            key("rsa", "rsa", json!({"privateKey": [signing.expose_secret()]})),
            key("hmac-generated", "hmac-generated", json!({"algorithm": ["HS512"]})),
            key("aes-generated", "aes-generated", json!({})),
        ]},
        "clients": [client(&wanted.client, &wanted.client_secret, &wanted.redirects)],
        "users": wanted.users.iter().map(user).collect::<Vec<_>>(),
    })
}

fn client(id: &ClientId, secret: &SecretString, redirects: &[String]) -> Value {
    json!({
        "clientId": id,
        "secret": secret.expose_secret(),
        "enabled": true,
        "protocol": "openid-connect",
        "publicClient": false,
        "standardFlowEnabled": true,
        "directAccessGrantsEnabled": true,
        "serviceAccountsEnabled": true,
        "implicitFlowEnabled": false,
        "redirectUris": redirects,
        // Plus: whatever the redirects name.
        "webOrigins": ["+"],
        "attributes": {"post.logout.redirect.uris": "+"},
        "protocolMappers": [{
            "name": "audience",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-audience-mapper",
            "config": {
                "included.client.audience": id,
                "access.token.claim": "true",
                "id.token.claim": "false",
            },
        }],
    })
}

/// A user without a name or a verified mail address would be asked for them at the first login.
fn user(user: &User) -> Value {
    json!({
        "username": user.name,
        "enabled": true,
        "email": user.email,
        "emailVerified": true,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "credentials": [{"type": "password", "value": user.password.expose_secret(), "temporary": false}],
    })
}
