//! Tokens without a page.

use harness::oidc::{Client, Expect, Oidc, OidcError};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::keycloak::random;
use crate::scene::{Scene, refusal, url};

pub(crate) async fn a_provider_is_who_it_says(scene: &Scene) {
    let people = format!("{}/realms/people", scene.url);
    assert_eq!(scene.provider.discovery().issuer, people);
    assert_eq!(scene.provider.keys().len(), 1, "one key signs, the other encrypts");
    assert!(scene.provider.discovery().code_challenge_methods_supported.contains(&"S256".to_owned()));
    assert!(scene.provider.discovery().authorization_response_iss_parameter_supported);

    let discover = async |issuer: &str| Oidc::discover(&scene.http, issuer).await.unwrap_err();
    let error = discover(&format!("{people}/")).await;
    assert!(matches!(&error, OidcError::Issuer { told, .. } if *told == people), "{error:?}");
    let error = discover(&format!("{}/realms/nobody", scene.url)).await;
    assert!(matches!(error, OidcError::Wrong { status: 404, .. }), "{error:?}");
    assert!(!error.is_unreachable());
    let asked = format!("GET {}/realms/nobody/.well-known/openid-configuration answered 404: ", scene.url);
    assert!(error.to_string().starts_with(&asked), "{error}");
    // An app that is no provider.
    let error = discover(&format!("{}/stay", scene.app.url)).await;
    assert!(matches!(error, OidcError::Wrong { status: 404, .. }), "{error:?}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = discover(&nobody).await;
    assert!(error.is_unreachable(), "{error:?}");
    assert!(error.to_string().contains(" does not answer: Connection refused"), "{error}");
}

pub(crate) async fn a_password_opens_what_is_protected(scene: &Scene) {
    for client in [&scene.client, &scene.client.clone().in_body(), &scene.public] {
        let tokens = scene.provider.password(client, "ann", &scene.password, &["openid", "email"]).await.unwrap();
        let expect = Expect::id_token(client.id());
        let claims = scene.provider.verify(tokens.id_token().unwrap(), &expect, Timestamp::now()).unwrap();
        assert_eq!(claims.text("preferred_username"), Some("ann"));
        assert_eq!(claims.text("email"), Some("ann@example.org"));
        assert!(tokens.lasts.is_some_and(|lasts| lasts.as_secs() > 0));
        assert!(tokens.scope.is_some_and(|scope| scope.contains("email")));
        let info = scene.provider.userinfo(&tokens.access).await.unwrap();
        assert_eq!(info["sub"], claims.subject());
        let answer = scene.provider.userinfo_is_protected(&tokens.access).await.unwrap();
        assert!(answer.body.contains(claims.subject()));
    }
    // Without the scope there is no word of who it is, and no answer about them.
    let tokens = scene.provider.password(&scene.client, "ann", &scene.password, &[]).await.unwrap();
    assert!(matches!(tokens.id_token(), Err(OidcError::Missing(_))));
    assert_eq!(refusal(scene.provider.userinfo(&tokens.access).await).1, 403);

    let unknown = scene.provider.userinfo(&SecretString::from("garbage")).await;
    assert_eq!(refusal(unknown), ("invalid_token".into(), 401, "Token verification failed".into()));
    // What everybody may read is no proof, and neither is what nobody may.
    let open = url(&scene.provider.discovery().issuer);
    let error = harness::oidc::protected(&scene.http, &open, &tokens.access).await.unwrap_err();
    let said = format!("GET {open} answered 200 without a token, wanted 401 or 403");
    assert_eq!(error.to_string(), said);
    let other = scene.hasty.userinfo_is_protected(&tokens.access).await;
    assert_eq!(refusal(other).0, "invalid_token", "the other realm's door");
}

pub(crate) async fn a_wrong_password_or_client_is_refused(scene: &Scene) {
    let ask = async |client: &Client, user: &str, password: &SecretString| {
        refusal(scene.provider.password(client, user, password, &["openid"]).await)
    };
    let wrong = random();
    assert_eq!(
        ask(&scene.client, "ann", &wrong).await,
        ("invalid_grant".into(), 400, "Invalid user credentials".into())
    );
    assert_eq!(ask(&scene.client, "nobody", &scene.password).await.0, "invalid_grant");
    // Somebody who has to choose a password first.
    let (code, status, said) = ask(&scene.client, "new", &scene.password).await;
    assert_eq!((code.as_str(), status), ("invalid_grant", 400));
    assert!(said.contains("not fully set up"), "{said}");

    let impostor = Client::confidential("app", wrong.clone());
    for client in [impostor.clone(), impostor.in_body(), Client::public("app")] {
        let (code, status, _) = ask(&client, "ann", &scene.password).await;
        assert!(["invalid_client", "unauthorized_client"].contains(&code.as_str()), "{code}");
        assert_eq!(status, 401);
    }
    assert_eq!(ask(&Client::confidential("nobody", wrong), "ann", &scene.password).await.0, "invalid_client");
    let scope = scene.provider.password(&scene.client, "ann", &scene.password, &["openid", "made-up"]).await;
    assert_eq!(refusal(scope).0, "invalid_scope");
}

pub(crate) async fn a_client_logs_in_itself(scene: &Scene) {
    let tokens = scene.provider.client_credentials(&scene.client, &[]).await.unwrap();
    let claims = scene.provider.verify(&tokens.access, &Expect::access_of("app"), Timestamp::now()).unwrap();
    assert_eq!(claims.text("preferred_username"), Some("service-account-app"));
    let impostor = scene.provider.client_credentials(&Client::confidential("app", random()), &[]).await;
    assert_eq!(refusal(impostor).1, 401);
    let public = scene.provider.client_credentials(&scene.public, &[]).await;
    assert_eq!(refusal(public).0, "unauthorized_client");
}
