//! Two realms, their clients and people, and an app that logs in at one of them.

use harness::http::{Http, Url};
use harness::oidc::{Client, Oidc, OidcError, Tokens};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::app::App;
use crate::keycloak::{Keycloak, random};

/// Where nobody is.
pub(crate) const NOWHERE: &str = "http://app.invalid/callback";

pub(crate) struct Scene {
    pub(crate) http: Http,
    /// Keycloak's address.
    pub(crate) url: String,
    pub(crate) provider: Oidc,
    /// A realm whose access tokens last 1 s.
    pub(crate) hasty: Oidc,
    pub(crate) app: App,
    /// May do everything. Its secret has every sign that needs care on its way.
    pub(crate) client: Client,
    pub(crate) secret: SecretString,
    /// May do the same, and is another.
    pub(crate) other: Client,
    pub(crate) public: Client,
    /// Its users have to consent.
    pub(crate) consent: Client,
    /// Ann's, and that of everybody.
    pub(crate) password: SecretString,
}

impl Scene {
    pub(crate) async fn new(keycloak: &Keycloak) -> Self {
        let (listener, app) = App::listen().await;
        let secret = SecretString::from(format!("{} +%:&=\u{e4}\"", random().expose_secret()));
        let password = SecretString::from(format!("{} &+%\"<\u{e4}", random().expose_secret()));
        let redirects = json!([NOWHERE, format!("{app}/*")]);
        let client = |id: &str, more: Value| {
            let mut client = json!({
                "clientId": id, "secret": secret.expose_secret(), "publicClient": false,
                "directAccessGrantsEnabled": true, "serviceAccountsEnabled": true, "redirectUris": redirects,
                "attributes": {"post.logout.redirect.uris": "+", "pkce.code.challenge.method": "S256"},
            });
            client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            client
        };
        let user = |name: &str, realm: &str, actions: &[&str]| {
            json!({
                "username": name, "enabled": true, "email": format!("{name}@example.org"), "emailVerified": true,
                "firstName": "A", "lastName": "B",
                "credentials": [{"type": "password", "value": password.expose_secret()}],
                "requiredActions": actions, "realmRoles": [format!("default-roles-{realm}")],
            })
        };
        let realm = json!({
            "realm": "people", "enabled": true,
            "clients": [
                client("app", json!({})), client("other", json!({})),
                client("public", json!({"publicClient": true, "serviceAccountsEnabled": false})),
                client("consent", json!({"consentRequired": true})),
            ],
            "users": [
                user("ann", "people", &[]), user("ben", "people", &[]), user("new", "people", &["UPDATE_PASSWORD"]),
            ],
        });
        let hasty = json!({
            "realm": "hasty", "enabled": true, "accessTokenLifespan": 1,
            "clients": [client("app", json!({}))], "users": [user("ann", "hasty", &[])],
        });
        keycloak.realm(&realm).await;
        keycloak.realm(&hasty).await;
        let provider = async |realm: &str| {
            Oidc::discover(&keycloak.http, &format!("{}/realms/{realm}", keycloak.url)).await.unwrap()
        };
        let (provider, hasty) = (provider("people").await, provider("hasty").await);
        let of = |id: &str| Client::confidential(id, secret.clone());
        Self {
            http: keycloak.http.clone(),
            url: keycloak.url.clone(),
            app: App::serve(listener, app, provider.clone(), of("app")),
            provider,
            hasty,
            client: of("app"),
            other: of("other"),
            public: Client::public("public"),
            consent: of("consent"),
            secret,
            password,
        }
    }

    /// Ann's tokens, by password.
    pub(crate) async fn tokens(&self) -> Tokens {
        self.provider.password(&self.client, "ann", &self.password, &["openid"]).await.unwrap()
    }
}

/// An address of the test.
pub(crate) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// The code and the status of a refusal in the words of OAuth, and its words.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(ended: Result<T, OidcError>) -> (String, u16, String) {
    match ended {
        Err(OidcError::Refused { status, refusal, .. }) => (refusal.code.to_string(), status, refusal.description),
        other => panic!("wanted a refusal, got {other:?}"),
    }
}
