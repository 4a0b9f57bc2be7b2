use super::*;
use crate::oidc::{Client, NotLoggedIn, Oidc};
use crate::scripted::{Script, Scripted};
use http_client::{Http, HttpConfig};

/// What every provider here has beside its pages.
fn provider(request: &str, own: &str, page: impl Fn(&str) -> (String, String)) -> (String, String) {
    let ok = |body: String| ("200 OK".to_owned(), body);
    if request.starts_with("GET /.well-known/openid-configuration ") {
        return ok(format!(
            r#"{{"issuer":"{own}","authorization_endpoint":"{own}/auth","token_endpoint":"{own}/token","jwks_uri":"{own}/keys"}}"#
        ));
    }
    if request.starts_with("GET /keys ") { ok(r#"{"keys":[]}"#.to_owned()) } else { page(request) }
}

fn form(action: &str, fields: &str) -> (String, String) {
    ("200 OK".to_owned(), format!("<form id=kc-form-login method=post action='{action}'>{fields}</form>"))
}

const BOTH: &str = "<input name=username><input name=password type=password>";

/// Logs in; gives how it ended and what the provider was sent.
async fn log_in(script: Script) -> (Result<String, OidcError>, Vec<String>) {
    let server = Scripted::start(script).await;
    let http = Http::new(&HttpConfig::default()).unwrap();
    let oidc = Oidc::discover(&http, &server.url).await.unwrap();
    let attempt = oidc.begin(&Client::public("app"), "http://app.invalid/callback", &["openid"]).unwrap();
    let back = oidc.back_by_form(&http.session(), &attempt, "ann", &SecretString::from("pass-1")).await;
    (back.map(String::from), server.seen())
}

fn is_sent(seen: &[String]) -> usize {
    seen.iter().filter(|request| request.contains("password=pass-1")).count()
}

#[tokio::test]
async fn a_name_may_be_asked_for_before_the_password() {
    let (back, seen) = log_in(|request, own| {
        provider(request, own, |request| match request.split(' ').nth(1).unwrap() {
            "/two" => form("/three?x=1", "<input type=password name=password><input type=hidden name=h value=v>"),
            "/three?x=1" => ("302 Found\r\nlocation: http://app.invalid/callback?code=c".into(), String::new()),
            _ => form("two", "<input name=username>"),
        })
    })
    .await;
    assert_eq!(back.unwrap(), "http://app.invalid/callback?code=c");
    let bodies: Vec<&str> = seen.iter().filter_map(|r| r.strip_prefix("POST")?.split("\r\n\r\n").nth(1)).collect();
    assert_eq!(bodies, ["username=ann", "password=pass-1&h=v"]);
}

#[tokio::test]
async fn a_form_that_comes_again_is_a_refusal() {
    let (back, seen) = log_in(|request, own| provider(request, own, |_| form("", BOTH))).await;
    assert!(matches!(back.unwrap_err(), OidcError::NotLoggedIn(NotLoggedIn::Refused { .. })));
    assert_eq!(is_sent(&seen), 1);
    let (back, _) = log_in(|request, own| provider(request, own, |_| form("", "<input name=username>"))).await;
    assert!(matches!(back.unwrap_err(), OidcError::NotLoggedIn(NotLoggedIn::Refused { .. })));
}

#[tokio::test]
async fn the_password_goes_nowhere_else() {
    let (back, seen) = log_in(|request, own| provider(request, own, |_| form("http://evil.invalid/x?y", BOTH))).await;
    let error = back.unwrap_err();
    assert!(error.to_string().ends_with("leads to http://evil.invalid/x, which is not the provider"), "{error}");
    assert_eq!(is_sent(&seen), 0);
    let (back, seen) = log_in(|request, own| {
        provider(request, own, |request| match request.starts_with("POST") {
            true => ("307 Temporary Redirect\r\nlocation: /again".into(), String::new()),
            false => form("", BOTH),
        })
    })
    .await;
    assert!(back.unwrap_err().to_string().ends_with("answered 307: it would have the password sent on"));
    assert_eq!(is_sent(&seen), 1);
}

#[tokio::test]
async fn a_provider_that_turns_in_circles_is_left() {
    let (back, seen) =
        log_in(|request, own| provider(request, own, |_| ("302 Found\r\nlocation: /auth?again".into(), String::new())))
            .await;
    assert!(matches!(back.unwrap_err(), OidcError::Redirects(_)));
    assert!(seen.len() < 30, "{} requests", seen.len());
}

#[tokio::test]
async fn what_is_shown_instead_is_described() {
    let (back, _) = log_in(|request, own| {
        let page = "<title>Broken</title><p role=alert>No\n such <b>realm</b></p><form><input name=q></form>";
        provider(request, own, |_| ("503 Service Unavailable".into(), page.into()))
    })
    .await;
    let error = back.unwrap_err().to_string();
    let said = "answered 503 with the page \"Broken\", which says \"No such realm\", wanted the way back to the app";
    assert!(error.ends_with(said), "{error}");
}
