use harness::oidc::OidcError;
use secrecy::SecretString;

use crate::scene::{NOWHERE, Scene, refusal};

pub(crate) async fn a_person_logs_out(scene: &Scene) {
    let visitor = scene.http.session();
    let attempt = scene.provider.begin(&scene.client, NOWHERE, &["openid"]).unwrap();
    let code = scene.provider.code_by_form(&visitor, &attempt, "ann", &scene.password).await.unwrap();
    let tokens = scene.provider.redeem(&scene.client, &attempt, &code).await.unwrap();
    let refreshed = scene.provider.refresh(&scene.client, tokens.refresh_token().unwrap()).await.unwrap();
    scene.provider.userinfo(&refreshed.access).await.unwrap();

    // Without a word of who it is the provider asks first, and nobody is logged out.
    let error = scene.provider.logout(&visitor, &SecretString::from("garbage"), NOWHERE).await.unwrap_err();
    assert!(matches!(error, OidcError::Wrong { .. }), "{error:?}");
    let error = scene.provider.logout(&visitor, tokens.id_token().unwrap(), "http://evil.invalid/").await.unwrap_err();
    assert!(error.to_string().contains("Invalid redirect uri"), "{error}");
    scene.provider.userinfo(&refreshed.access).await.unwrap();

    scene.provider.logout(&visitor, tokens.id_token().unwrap(), NOWHERE).await.unwrap();
    assert_eq!(refusal(scene.provider.userinfo(&refreshed.access).await).0, "invalid_token");
    let late = scene.provider.refresh(&scene.client, refreshed.refresh_token().unwrap()).await;
    assert_eq!(refusal(late).0, "invalid_grant");
    // The provider asks for the password again.
    let login = format!("{}/login", scene.app.url);
    assert!(scene.provider.login_by_form(&visitor, &login, "ann", &scene.password).await.unwrap().asked);
}

pub(crate) async fn a_session_ends_without_the_person(scene: &Scene) {
    let tokens = scene.tokens().await;
    let refresh = tokens.refresh_token().unwrap();
    // A stranger cannot end it.
    assert_eq!(refusal(scene.provider.end(&scene.other, refresh).await).0, "invalid_grant");
    scene.provider.userinfo(&tokens.access).await.unwrap();
    scene.provider.end(&scene.client, refresh).await.unwrap();
    let late = scene.provider.refresh(&scene.client, refresh).await;
    assert_eq!(refusal(late), ("invalid_grant".into(), 400, "Session not active".into()));
    assert_eq!(refusal(scene.provider.userinfo(&tokens.access).await).0, "invalid_token");
    let garbage = scene.provider.end(&scene.client, &SecretString::from("garbage")).await;
    assert_eq!(refusal(garbage).0, "invalid_grant");
}
