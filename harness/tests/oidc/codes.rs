//! The authorization code with PKCE, by the provider's form.

use harness::oidc::{Attempt, CallbackRefused, Code, OidcError, Pkce};
use jiff::Timestamp;

use crate::scene::{NOWHERE, Scene, refusal, url};

async fn code(scene: &Scene) -> (Attempt, Code) {
    let attempt = scene.provider.begin(&scene.client, NOWHERE, &["openid"]).unwrap();
    let code = scene.provider.code_by_form(&scene.http.session(), &attempt, "ann", &scene.password).await.unwrap();
    (attempt, code)
}

pub(crate) async fn a_code_is_for_one_login(scene: &Scene) {
    let (attempt, code) = code(scene).await;
    let tokens = scene.provider.redeem(&scene.client, &attempt, &code).await.unwrap();
    let verify =
        |attempt: &Attempt| scene.provider.verify(tokens.id_token().unwrap(), &attempt.expect(), Timestamp::now());
    assert_eq!(verify(&attempt).unwrap().text("preferred_username"), Some("ann"));
    let other = scene.provider.begin(&scene.client, NOWHERE, &["openid"]).unwrap();
    assert_eq!(verify(&other).unwrap_err().to_string(), "the token is refused: its nonce is not that of this login");
}

pub(crate) async fn a_code_is_used_once(scene: &Scene) {
    let (attempt, code) = code(scene).await;
    let tokens = scene.provider.redeem(&scene.client, &attempt, &code).await.unwrap();
    scene.provider.userinfo(&tokens.access).await.unwrap();
    let again = scene.provider.redeem(&scene.client, &attempt, &code).await;
    assert_eq!(refusal(again), ("invalid_grant".into(), 400, "Code not valid".into()));
    // Who uses it again may have stolen it, so what it gave is taken back.
    assert_eq!(refusal(scene.provider.userinfo(&tokens.access).await).0, "invalid_token");
    let refreshed = scene.provider.refresh(&scene.client, tokens.refresh_token().unwrap()).await;
    assert_eq!(refusal(refreshed).0, "invalid_grant");
}

pub(crate) async fn a_code_needs_its_own_proof_and_client(scene: &Scene) {
    let (first, used) = code(scene).await;
    scene.provider.redeem(&scene.client, &first, &used).await.unwrap();
    // The proof of an earlier login, and one of nobody's.
    for proof in [first.pkce().clone(), Pkce::new()] {
        let (attempt, code) = code(scene).await;
        let (word, status, said) = refusal(scene.provider.redeem_with(&scene.client, &attempt, &code, &proof).await);
        assert_eq!((word.as_str(), status), ("invalid_grant", 400));
        assert!(said.contains("PKCE") || said.contains("Code verifier"), "{said}");
    }
    let (attempt, code) = code(scene).await;
    let stolen = scene.provider.redeem(&scene.other, &attempt, &code).await;
    assert_eq!(refusal(stolen).0, "invalid_grant");
}

pub(crate) async fn a_way_back_of_another_login_is_refused(scene: &Scene) {
    let attempt = scene.provider.begin(&scene.client, NOWHERE, &["openid"]).unwrap();
    let visitor = scene.http.session();
    let back = scene.provider.back_by_form(&visitor, &attempt, "ann", &scene.password).await.unwrap();
    assert!(scene.provider.callback(&attempt, &back).is_ok());
    let other = scene.provider.begin(&scene.client, NOWHERE, &["openid"]).unwrap();
    let refused = |attempt: &Attempt, back: &str| match scene.provider.callback(attempt, &url(back)).unwrap_err() {
        OidcError::Callback(refused) => refused,
        error => panic!("{error}"),
    };
    assert_eq!(refused(&other, back.as_str()), CallbackRefused::State);
    let elsewhere = back.as_str().replace("/realms%2Fpeople", "").replace("realms%2Fpeople", "realms%2Fhasty");
    assert_ne!(elsewhere, back.as_str());
    assert!(matches!(refused(&attempt, &elsewhere), CallbackRefused::Issuer { .. }));
    // Another provider does not believe it either.
    let error = scene.hasty.callback(&attempt, &back).unwrap_err();
    assert!(matches!(error, OidcError::Callback(CallbackRefused::Issuer { .. })), "{error}");
    // A provider that refuses says so on the way back.
    let attempt = scene.provider.begin(&scene.client, NOWHERE, &["openid", "made-up"]).unwrap();
    let error = scene.provider.code_by_form(&visitor, &attempt, "ann", &scene.password).await;
    assert_eq!(refusal(error).0, "invalid_scope");
}
