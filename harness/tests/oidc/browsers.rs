//! A person with Debian's Chromium.

use harness::browser::{Browser, Config};
use harness::testing::{Test, pass_login_form};
use jiff::Timestamp;

use crate::keycloak::random;
use crate::scene::Scene;

async fn browser() -> Browser {
    Browser::start(&Config::default()).await.unwrap()
}

pub(crate) async fn a_person_logs_in_to_an_app(scene: &Scene) {
    let browser = browser().await;
    let login = format!("{}/login", scene.app.url);
    let home = scene.provider.login_by_browser(&browser, &login, "ben", &scene.password).await.unwrap();
    browser.see_text("h1", "Hello ben").await.unwrap();
    assert_eq!(home.origin().ascii_serialization(), scene.app.url);
}

pub(crate) async fn a_code_comes_by_the_browser(scene: &Scene) {
    let browser = browser().await;
    let stay = format!("{}/stay", scene.app.url);
    let attempt = scene.provider.begin(&scene.client, &stay, &["openid"]).unwrap();
    let code = scene.provider.code_by_browser(&browser, &attempt, "ben", &scene.password).await.unwrap();
    let tokens = scene.provider.redeem(&scene.client, &attempt, &code).await.unwrap();
    let claims = scene.provider.verify(tokens.id_token().unwrap(), &attempt.expect(), Timestamp::now()).unwrap();
    assert_eq!(claims.text("preferred_username"), Some("ben"));
}

pub(crate) async fn what_the_page_says_is_told(scene: &Scene) {
    let browser = browser().await;
    let login = format!("{}/login", scene.app.url);
    let wrong = scene.provider.login_by_browser(&browser, &login, "ben", &random()).await.unwrap_err();
    assert!(!wrong.is_broken(), "{wrong}");
    assert!(wrong.to_string().ends_with("takes neither name nor password: Invalid username or password."), "{wrong}");
    let stay = format!("{}/stay", scene.app.url);
    let attempt = scene.provider.begin(&scene.consent, &stay, &["openid"]).unwrap();
    let wrong = scene.provider.code_by_browser(&browser, &attempt, "ben", &scene.password).await.unwrap_err();
    assert!(wrong.to_string().contains("wants consent, by the page \"Grant Access to consent\""), "{wrong}");
    // Only the provider gets the password.
    let trap = format!("{}/trap", scene.app.url);
    let wrong = scene.provider.login_by_browser(&browser, &trap, "ben", &scene.password).await.unwrap_err();
    assert!(wrong.to_string().contains("which is not the provider"), "{wrong}");
}

pub(crate) async fn a_form_refuses_a_wrong_password_and_takes_the_right_one(scene: &Scene) {
    let test = Test::new("browser/10-x", []);
    let login = format!("{}/login", scene.app.url);
    let (browser, title) = pass_login_form(&test, &login, "ben", &scene.password).await.unwrap();
    assert!(title.starts_with("Sign in to "), "{title}");
    browser.see_text("h1", "Hello ben").await.unwrap();
}
