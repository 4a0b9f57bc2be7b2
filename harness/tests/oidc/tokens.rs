//! What makes a token of the real provider one that is not believed.

use std::time::{Duration, Instant};

use harness::oidc::{Expect, OidcError, TokenRefused};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use crate::scene::{NOWHERE, Scene, refusal};

pub(crate) async fn a_token_is_judged_by_whom_it_is_for(scene: &Scene) {
    let tokens = scene.tokens().await;
    let verify = |token: &SecretString, expect: &Expect| {
        scene.provider.verify(token, expect, Timestamp::now()).map_err(|error| error.token().unwrap().clone())
    };
    let id = tokens.id_token().unwrap();
    let audience = |wanted: &str, told: &[&str]| TokenRefused::Audience {
        wanted: wanted.into(),
        told: told.iter().map(|one| (*one).to_owned()).collect(),
    };
    assert!(verify(id, &Expect::id_token("app")).is_ok());
    assert_eq!(verify(id, &Expect::id_token("other")).unwrap_err(), audience("other", &["app"]));
    assert_eq!(verify(id, &Expect::id_token("app").nonce("n")).unwrap_err(), TokenRefused::Nonce);
    assert!(verify(&tokens.access, &Expect::access_of("app")).is_ok());
    assert!(verify(&tokens.access, &Expect::access_for("account")).is_ok());
    assert_eq!(verify(&tokens.access, &Expect::access_for("app")).unwrap_err(), audience("app", &["account"]));
    assert!(matches!(verify(&tokens.access, &Expect::access_of("other")), Err(TokenRefused::Party { .. })));
    assert_eq!(verify(&tokens.access, &Expect::id_token("app")).unwrap_err(), audience("app", &["account"]));
    // What only the provider itself reads is signed by a secret.
    let refresh = tokens.refresh_token().unwrap();
    assert_eq!(verify(refresh, &Expect::access_of("app")).unwrap_err(), TokenRefused::Algorithm("HS512".into()));
    // Another realm has keys of its own; with the same ones it would still be another.
    let mut fresh = scene.hasty.clone();
    fresh.renew_keys().await.unwrap();
    let error = fresh.verify(id, &Expect::id_token("app"), Timestamp::now()).unwrap_err();
    assert!(matches!(error.token(), Some(TokenRefused::UnknownKey(_))), "{error}");
    let issuer = &scene.hasty.discovery().issuer;
    let keys = scene.provider.keys();
    let error = harness::oidc::verify(id.expose_secret(), keys, issuer, &Expect::id_token("app"), Timestamp::now());
    assert!(matches!(error, Err(TokenRefused::Issuer { .. })), "{error:?}");
}

pub(crate) async fn a_token_is_judged_by_its_time(scene: &Scene) {
    let tokens = scene.hasty.password(&scene.client, "ann", &scene.password, &["openid"]).await.unwrap();
    // Keycloak tells whole seconds from its own clock: 0 of 1 when one began between making and telling.
    assert!(tokens.lasts.is_some_and(|lasts| lasts <= Duration::from_secs(1)), "{:?}", tokens.lasts);
    let expect = Expect::access_of("app").leeway(Duration::from_secs(2));
    let verify = |at: Timestamp| scene.hasty.verify(&tokens.access, &expect, at);
    // Its own time says when it was made, so that the machine's speed does not matter.
    let expires = match verify(Timestamp::MAX).unwrap_err() {
        OidcError::Token(TokenRefused::Expired { at, .. }) => at,
        other => panic!("{other}"),
    };
    let claims = verify(expires - SignedDuration::from_secs(1)).unwrap();
    assert_eq!(claims.expires(), expires);
    assert!(verify(expires + SignedDuration::from_secs(1)).is_ok(), "within the leeway");
    let late = verify(expires + SignedDuration::from_secs(2)).unwrap_err();
    assert!(matches!(late.token(), Some(TokenRefused::Expired { .. })), "{late}");
    let early = verify(expires - SignedDuration::from_secs(60)).unwrap_err();
    assert!(matches!(early.token(), Some(TokenRefused::FromTheFuture { .. })), "{early}");
}

pub(crate) async fn the_provider_refuses_an_expired_token(scene: &Scene) {
    let tokens = scene.hasty.password(&scene.client, "ann", &scene.password, &["openid"]).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let refused = loop {
        match scene.hasty.userinfo(&tokens.access).await {
            Ok(_) => assert!(Instant::now() < deadline, "the token lasts 1 s and still opens"),
            refused => break refusal(refused),
        }
    };
    assert_eq!((refused.0.as_str(), refused.1), ("invalid_token", 401));
    // What it was refreshed with opens again.
    let tokens = scene.hasty.refresh(&scene.client, tokens.refresh_token().unwrap()).await.unwrap();
    // Its second may be over by now, and who made it is still to be seen.
    let expect = Expect::access_of("app").leeway(Duration::from_secs(600));
    assert!(scene.hasty.verify(&tokens.access, &expect, Timestamp::now()).is_ok());
}

pub(crate) async fn nothing_shows_a_secret(scene: &Scene) {
    let visitor = scene.http.session();
    let attempt = scene.provider.begin(&scene.client, NOWHERE, &["openid"]).unwrap();
    let code = scene.provider.code_by_form(&visitor, &attempt, "ann", &scene.password).await.unwrap();
    let tokens = scene.provider.redeem(&scene.client, &attempt, &code).await.unwrap();
    let claims = scene.provider.verify(tokens.id_token().unwrap(), &attempt.expect(), Timestamp::now()).unwrap();
    let answer = scene.provider.userinfo_is_protected(&tokens.access).await.unwrap();
    let error = scene.provider.redeem(&scene.client, &attempt, &code).await.unwrap_err();
    let shown = format!(
        "{visitor:?} {attempt:?} {code:?} {tokens:?} {claims:?} {answer:?} {error:?} {error} {:?} {:?}",
        scene.provider, scene.client
    );
    let session = visitor.cookie(&scene.provider.discovery().token_endpoint, "KEYCLOAK_IDENTITY").unwrap();
    let query: Vec<String> = attempt.start().query_pairs().map(|(_, value)| value.into_owned()).collect();
    let nonce = query.iter().rev().nth(2).unwrap();
    for secret in [
        scene.password.expose_secret(),
        scene.secret.expose_secret(),
        code.secret().expose_secret(),
        attempt.pkce().verifier().expose_secret(),
        tokens.access.expose_secret(),
        tokens.id_token().unwrap().expose_secret(),
        tokens.refresh_token().unwrap().expose_secret(),
        session.expose_secret(),
        nonce,
    ] {
        assert!(secret.len() > 20 && !shown.contains(secret), "{shown}");
    }
}
