//! Requests as an app and its users make them.

use std::time::{Duration, Instant};

use base::names::RealmName;
use harness::http::{Answer, Ask, Http, HttpConfig, Method, coded};
use harness::sso::{Granted, RealmSpec, User, made_secret};
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretString};

pub(crate) const CALLBACK: &str = "https://app.example.org/user/oauth2/sso/callback";

pub(crate) fn http() -> Http {
    Http::new(&HttpConfig::default()).unwrap()
}

pub(crate) fn soon(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

pub(crate) fn get(url: &str) -> Ask {
    http().ask(Method::GET, &url.parse().unwrap())
}

pub(crate) fn post(url: &str) -> Ask {
    http().ask(Method::POST, &url.parse().unwrap())
}

pub(crate) async fn send(ask: Ask) -> Answer {
    ask.within(Duration::from_secs(60)).send().await.unwrap()
}

pub(crate) fn realm_name() -> RealmName {
    let letters: String = rand::rng().sample_iter(rand::distr::Alphanumeric).take(8).map(char::from).collect();
    format!("ci-test-{}", letters.to_lowercase()).parse().unwrap()
}

/// A realm with two users, whose names are the same in every realm and whose passwords are not.
pub(crate) fn wanted() -> RealmSpec {
    let user = |name: &str, first: &str| User {
        name: name.to_owned(),
        email: format!("{name}@example.org"),
        first_name: first.to_owned(),
        last_name: "Example".to_owned(),
        password: made_secret(),
    };
    RealmSpec {
        realm: realm_name(),
        client: "gitea".parse().unwrap(),
        client_secret: made_secret(),
        redirects: vec![CALLBACK.to_owned(), "https://app.example.org/other".to_owned()],
        users: vec![user("ada", "Ada"), user("ben", "Ben")],
    }
}

/// Asks for a token by a user's password.
pub(crate) async fn password_grant(granted: &Granted, secret: &SecretString, user: &User) -> Answer {
    grant(
        granted,
        secret,
        &[
            ("grant_type", "password"),
            ("username", &user.name),
            ("password", user.password.expose_secret()),
            ("scope", "openid profile email"),
        ],
    )
    .await
}

/// Asks for a token as the client itself.
pub(crate) async fn client_grant(granted: &Granted, secret: &SecretString) -> Answer {
    grant(granted, secret, &[("grant_type", "client_credentials"), ("scope", "openid")]).await
}

async fn grant(granted: &Granted, secret: &SecretString, fields: &[(&str, &str)]) -> Answer {
    send(post(&granted.token_endpoint).basic(granted.client_id.as_str(), secret).form(fields.iter().copied())).await
}

pub(crate) fn json(answer: &Answer) -> serde_json::Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|e| panic!("{e} in {}: {}", answer.status, answer.body))
}

pub(crate) fn access_token(answer: &Answer) -> SecretString {
    assert_eq!(answer.status, 200, "{}", answer.body);
    json(answer)["access_token"].as_str().unwrap().into()
}

/// The status of the page where a person would log in, to be sent back to this address.
pub(crate) async fn authorize(granted: &Granted, redirect: &str) -> Answer {
    let query = [
        ("response_type", "code"),
        ("client_id", granted.client_id.as_str()),
        ("scope", "openid"),
        ("state", "s"),
        ("redirect_uri", redirect),
    ]
    .map(|(name, value)| format!("{name}={}", coded(value)));
    send(get(&format!("{}?{}", granted.authorization_endpoint, query.join("&")))).await
}
