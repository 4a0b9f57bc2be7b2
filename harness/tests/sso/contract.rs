//! What any provider must keep.

use base::failure::{Cause, Failure, Kind};
use base::names::RealmName;
use harness::sso::{Admin, AnyProvider, Granted, Provider as _, ProviderName, RealmSpec, SsoError, User, made_secret};
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::{
    CALLBACK, access_token, authorize, client_grant, get, http, json, password_grant, realm_name, send, wanted,
};

/// A provider that runs, with nothing of cc-ci's in it.
pub(crate) struct Running {
    pub(crate) name: ProviderName,
    pub(crate) base: String,
    pub(crate) admin: Admin,
    /// A realm that somebody else made.
    pub(crate) foreign: RealmName,
    /// Whether the password grant looks at the client's secret. authentik's does not.
    pub(crate) asks_for_the_client: bool,
}

/// A realm that was made, as it was wanted.
struct Made {
    wanted: RealmSpec,
    granted: Granted,
}

impl Running {
    pub(crate) async fn connect(&self) -> AnyProvider {
        AnyProvider::connect(self.name, http(), &self.base, self.admin.clone()).await.unwrap()
    }
}

/// Goes through all of it.
pub(crate) async fn holds(running: &Running) {
    refuses_a_stranger(running).await;
    let provider = running.connect().await;
    assert_eq!(provider.name(), running.name);
    assert_eq!(provider.realms().await.unwrap(), []);
    let (one, two) = tokio::join!(make(&provider), make(&provider));
    for made in [&one, &two] {
        publishes_itself(made).await;
        gives_tokens(running, made).await;
        sends_back_to_known_addresses(made).await;
    }
    keeps_realms_apart(&one, &two).await;
    let mut both = vec![one.granted.realm.clone(), two.granted.realm.clone()];
    both.sort();
    assert_eq!(provider.realms().await.unwrap(), both);
    refuses_what_is_taken(&provider, &one).await;
    leaves_a_foreign_realm_alone(running, &provider).await;
    // Another run's connection, which knows nothing of the first one.
    removes(&running.connect().await, one, two).await;
}

async fn make(provider: &AnyProvider) -> Made {
    let wanted = wanted();
    let granted = provider.make_realm(&wanted).await.unwrap();
    assert_eq!(granted.realm, wanted.realm);
    Made { wanted, granted }
}

async fn refuses_a_stranger(running: &Running) {
    let admin = Admin { secret: made_secret(), ..running.admin.clone() };
    let error = AnyProvider::connect(running.name, http(), &running.base, admin.clone()).await.unwrap_err();
    assert!(matches!(error, SsoError::Refused { .. }), "{error}");
    let failure = Failure::from(error);
    assert_eq!((failure.kind, failure.kind.usual_cause()), (Kind::ProviderRefused, Cause::Dependency));
    assert!(failure.what.contains(&running.base) && failure.what.contains(running.name.as_str()), "{failure}");
    assert!(!format!("{failure:?}").contains(admin.secret.expose_secret()), "{failure:?}");

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let base = format!("http://{nobody}");
    let error = AnyProvider::connect(running.name, http(), &base, running.admin.clone()).await.unwrap_err();
    assert!(matches!(error, SsoError::Unreachable { .. }), "{error}");
    let failure = Failure::from(error);
    assert_eq!(failure.kind, Kind::ProviderUnreachable);
    assert!(failure.what.contains(&base) && failure.what.contains("refused"), "{failure}");

    let wanted = RealmSpec { redirects: vec!["https://app.example.org/*".to_owned()], ..wanted() };
    let error = running.connect().await.make_realm(&wanted).await.unwrap_err();
    assert!(matches!(error, SsoError::Redirect { .. }), "{error}");
}

async fn publishes_itself(made: &Made) {
    let granted = &made.granted;
    let described = send(get(&granted.discovery_url)).await;
    assert_eq!(described.status, 200);
    let described = json(&described);
    for (field, value) in [
        ("issuer", &granted.issuer),
        ("authorization_endpoint", &granted.authorization_endpoint),
        ("token_endpoint", &granted.token_endpoint),
        ("userinfo_endpoint", &granted.userinfo_endpoint),
        ("jwks_uri", &granted.jwks_uri),
        ("end_session_endpoint", &granted.end_session_endpoint),
    ] {
        assert_eq!(described[field].as_str(), Some(value.as_str()), "{field}");
    }
    let keys = json(&send(get(&granted.jwks_uri)).await);
    assert!(!keys["keys"].as_array().unwrap().is_empty(), "{keys}");
}

async fn gives_tokens(running: &Running, made: &Made) {
    let (granted, secret) = (&made.granted, &made.wanted.client_secret);
    assert_eq!(granted.users.len(), 2);
    for (user, wanted) in granted.users.iter().zip(&made.wanted.users) {
        assert_eq!(user.password.expose_secret(), wanted.password.expose_secret());
        let token = access_token(&password_grant(granted, secret, user).await);
        let answer = send(get(&granted.userinfo_endpoint).bearer(&token)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let info = json(&answer);
        assert_eq!(info["preferred_username"].as_str(), Some(user.name.as_str()));
        assert_eq!(info["email"].as_str(), Some(wanted.email.as_str()));
        assert_eq!(info["email_verified"].as_bool(), Some(true), "{info}");
        assert_eq!(info["name"].as_str(), Some(format!("{} Example", wanted.first_name).as_str()));
    }
    let user = &granted.users[0];
    let stranger = User { password: made_secret(), ..user.clone() };
    refused("a wrong password", &password_grant(granted, secret, &stranger).await);
    if running.asks_for_the_client {
        refused("a wrong client secret", &password_grant(granted, &made_secret(), user).await);
    }
    access_token(&client_grant(granted, secret).await);
    refused("a wrong client secret", &client_grant(granted, &made_secret()).await);
    let nobody = send(get(&granted.userinfo_endpoint).bearer(&SecretString::from("none"))).await;
    refused("a token of nobody's", &nobody);
}

fn refused(what: &str, answer: &harness::http::Answer) {
    assert!((400..=403).contains(&answer.status), "{what}: {} {}", answer.status, answer.body);
}

async fn sends_back_to_known_addresses(made: &Made) {
    let right = authorize(&made.granted, CALLBACK).await;
    assert!(matches!(right.status, 200 | 302), "{}", right.status);
    for wrong in ["https://app.example.org/", "https://evil.example.org/", &format!("{CALLBACK}/more")] {
        let answer = authorize(&made.granted, wrong).await;
        assert_eq!(answer.status, 400, "{wrong} {answer:?}");
    }
}

/// The users' names are the same; their passwords and the clients' secrets are not.
async fn keeps_realms_apart(one: &Made, two: &Made) {
    let secret = &two.wanted.client_secret;
    for user in &one.granted.users {
        refused("a user of another realm", &password_grant(&two.granted, secret, user).await);
    }
    refused("the secret of another realm", &client_grant(&two.granted, &one.wanted.client_secret).await);
    let other = Granted { client_id: one.granted.client_id.clone(), ..two.granted.clone() };
    if one.granted.client_id != two.granted.client_id {
        refused("the client of another realm", &client_grant(&other, secret).await);
    }
    assert_ne!(one.granted.issuer, two.granted.issuer);
}

async fn refuses_what_is_taken(provider: &AnyProvider, made: &Made) {
    let again = RealmSpec { realm: made.wanted.realm.clone(), ..wanted() };
    let error = provider.make_realm(&again).await.unwrap_err();
    assert!(matches!(&error, SsoError::Conflict { realm, .. } if *realm == made.wanted.realm), "{error}");
    // What was there is as it was.
    access_token(&password_grant(&made.granted, &made.wanted.client_secret, &made.granted.users[1]).await);
}

async fn leaves_a_foreign_realm_alone(running: &Running, provider: &AnyProvider) {
    for _ in 0..2 {
        let error = provider.remove_realm(&running.foreign).await.unwrap_err();
        assert!(matches!(&error, SsoError::NotOurs { realm, .. } if *realm == running.foreign), "{error}");
    }
    let again = RealmSpec { realm: running.foreign.clone(), ..wanted() };
    let error = provider.make_realm(&again).await.unwrap_err();
    assert!(matches!(error, SsoError::Conflict { .. }), "{error}");
}

async fn removes(provider: &AnyProvider, one: Made, two: Made) {
    let (user, secret) = (&one.granted.users[0], &one.wanted.client_secret);
    let token = access_token(&password_grant(&one.granted, secret, user).await);
    provider.remove_realm(&one.granted.realm).await.unwrap();
    let gone = password_grant(&one.granted, secret, user).await;
    assert!((400..=404).contains(&gone.status), "{} {}", gone.status, gone.body);
    let info = send(get(&one.granted.userinfo_endpoint).bearer(&token)).await;
    assert!((400..=404).contains(&info.status), "{} {}", info.status, info.body);
    assert_eq!(send(get(&one.granted.discovery_url)).await.status, 404);

    assert_eq!(provider.realms().await.unwrap(), std::slice::from_ref(&two.granted.realm));
    access_token(&password_grant(&two.granted, &two.wanted.client_secret, &two.granted.users[0]).await);
    provider.remove_realm(&one.granted.realm).await.unwrap();
    provider.remove_realm(&realm_name()).await.unwrap();
    provider.remove_realm(&two.granted.realm).await.unwrap();
    assert_eq!(provider.realms().await.unwrap(), []);
    // Its name is free again.
    let again = RealmSpec { realm: one.wanted.realm.clone(), ..wanted() };
    provider.make_realm(&again).await.unwrap();
    provider.remove_realm(&again.realm).await.unwrap();
}

/// The trait's own method is what `AnyProvider` calls.
#[test]
fn each_provider_knows_its_name() {
    assert_eq!(harness::sso::Keycloak::NAME, ProviderName::Keycloak);
    assert_eq!(harness::sso::Authentik::NAME, ProviderName::Authentik);
}
