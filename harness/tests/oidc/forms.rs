//! A person without a browser.

use harness::http::Method;
use harness::oidc::{Client, NotLoggedIn, OidcError};

use crate::keycloak::random;
use crate::scene::{NOWHERE, Scene, url};

pub(crate) async fn a_person_logs_in_to_an_app(scene: &Scene) {
    let (visitor, home) = (scene.http.session(), url(&format!("{}/", scene.app.url)));
    let stranger = visitor.ask(Method::GET, &home).send().await.unwrap();
    assert_eq!(stranger.status, 401);
    let login = format!("{}/login", scene.app.url);
    let landed = scene.provider.login_by_form(&visitor, &login, "ann", &scene.password).await.unwrap();
    assert_eq!((landed.address.as_str(), landed.answer.status, landed.asked), (home.as_str(), 200, true));
    assert!(landed.answer.body.contains("<h1>Hello ann</h1>"), "{}", landed.answer.body);
    // It stays so, and for nobody else.
    let again = visitor.ask(Method::GET, &home).send().await.unwrap();
    assert!(again.body.contains("Hello ann"), "{}", again.body);
    assert_eq!(scene.http.session().ask(Method::GET, &home).send().await.unwrap().status, 401);
    // The provider knows ann now, and does not ask a second time.
    let landed = scene.provider.login_by_form(&visitor, &login, "ann", &random()).await.unwrap();
    assert_eq!((landed.answer.status, landed.asked), (200, false));
}

pub(crate) async fn the_app_refuses_what_it_should(scene: &Scene) {
    let visitor = scene.http.session();
    let login = format!("{}/login", scene.app.url);
    let started = visitor.ask(Method::GET, &url(&login)).send().await.unwrap();
    assert_eq!(started.status, 307);
    let callback = |query: &str| url(&format!("{}/callback?{query}", scene.app.url));
    let answer = visitor.ask(Method::GET, &callback("state=x&code=y")).send().await.unwrap();
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("its state is not that of this login"), "{}", answer.body);
}

pub(crate) async fn a_page_that_is_not_the_form_is_named(scene: &Scene) {
    let log_in = async |client: &Client, redirect: &str, user: &str, password: &_| {
        let attempt = scene.provider.begin(client, redirect, &["openid"]).unwrap();
        match scene.provider.code_by_form(&scene.http.session(), &attempt, user, password).await.unwrap_err() {
            OidcError::NotLoggedIn(why) => why,
            error => panic!("{error}"),
        }
    };
    let at = |path: &str| format!("{}/realms/people/{path}", scene.url);
    let refused = log_in(&scene.client, NOWHERE, "ann", &random()).await;
    let said = "Invalid username or password.".to_owned();
    assert_eq!(refused, NotLoggedIn::Refused { at: at("login-actions/authenticate"), said });
    let consent = log_in(&scene.consent, NOWHERE, "ann", &scene.password).await;
    let page = "the page \"Grant Access to consent\" (login-login-oauth-grant)".to_owned();
    assert_eq!(consent, NotLoggedIn::Consent { at: at("login-actions/required-action"), page });
    let action = log_in(&scene.client, NOWHERE, "new", &scene.password).await;
    let page = "the page \"Update password\" (login-login-update-password)";
    assert!(
        matches!(&action, NotLoggedIn::Action { action, page: told, .. }
        if action == "UPDATE_PASSWORD" && told.starts_with(page)),
        "{action}"
    );
    // An address that the client has not named to the provider.
    let elsewhere = log_in(&scene.client, "http://evil.invalid/", "ann", &scene.password).await;
    assert!(
        matches!(&elsewhere, NotLoggedIn::Shown { status: 400, page, .. }
        if page.contains("Invalid parameter: redirect_uri")),
        "{elsewhere}"
    );
}

pub(crate) async fn an_app_that_asks_no_provider_is_told(scene: &Scene) {
    for (path, status) in [("/stay", 200), ("/trap", 200), ("/gone", 404)] {
        let start = format!("{}{path}", scene.app.url);
        let error = scene.provider.login_by_form(&scene.http.session(), &start, "ann", &scene.password).await;
        let said = format!("{start} led to {start} ({status}) and never to the provider {}", scene.url);
        assert_eq!(error.unwrap_err().to_string(), said);
    }
}
