use super::*;
use crate::oidc::OAuthCode;
use crate::scripted::{Script, Scripted};
use http_client::HttpConfig;

/// Asks a provider of this behaviour for tokens; gives the answer and the request.
async fn ask(client: &Client, script: Script) -> (Result<Tokens, OidcError>, String) {
    ask_for(client, &["openid", "email"], script).await
}

async fn ask_for(client: &Client, scopes: &[&str], script: Script) -> (Result<Tokens, OidcError>, String) {
    let server = Scripted::start(script).await;
    let url = &server.url;
    let http = Http::new(&HttpConfig::default()).unwrap();
    let json = serde_json::json!({
        "issuer": url, "authorization_endpoint": format!("{url}/auth"), "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
    });
    let discovery = serde_json::from_value(json).unwrap();
    let oidc = Oidc { http, discovery, keys: crate::oidc::Jwks::default() };
    let tokens = oidc.password(client, "ann", &SecretString::from("pass-word 1"), scopes).await;
    (tokens, server.seen().concat())
}

fn confidential() -> Client {
    Client::confidential("a:p", SecretString::from("se+cret %1"))
}

const TOKENS: &str = r#"{"access_token":"a-1","token_type":"bearer","expires_in":60,"refresh_token":"r-1"}"#;

#[tokio::test]
async fn a_client_shows_its_secret_where_it_is_told_to() {
    let ok: Script = |_, _| ("200 OK".into(), TOKENS.into());
    let (tokens, request) = ask(&confidential(), ok).await;
    let tokens = tokens.unwrap();
    assert_eq!(tokens.access.expose_secret(), "a-1");
    assert_eq!(tokens.lasts, Some(Duration::from_secs(60)));
    assert!(tokens.id_token().is_err() && tokens.refresh_token().is_ok());
    // base64 of "a%3Ap:se%2Bcret+%251": both halves as a form has them, so that the colon is the only one.
    assert!(request.contains("authorization: Basic YSUzQXA6c2UlMkJjcmV0KyUyNTE="), "{request}");
    let body = "grant_type=password&username=ann&scope=openid+email&password=pass-word+1";
    assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
    let (_, request) = ask(&confidential().in_body(), ok).await;
    assert!(request.ends_with(&format!("{body}&client_id=a%3Ap&client_secret=se%2Bcret+%251")), "{request}");
    assert!(!request.contains("authorization"), "{request}");
    let (_, request) = ask(&Client::public("app"), ok).await;
    assert!(request.ends_with(&format!("{body}&client_id=app")), "{request}");
    let (_, request) = ask_for(&Client::public("app"), &[], ok).await;
    assert!(!request.contains("scope"), "{request}");
}

#[tokio::test]
async fn a_provider_that_repeats_a_secret_is_not_repeated() {
    let (error, _) = ask(&confidential(), |_, _| {
        let said = r#"{"error":"x pass-word 1","error_description":"no pass-word 1 of se+cret %1"}"#;
        ("400 Bad Request".into(), said.into())
    })
    .await;
    let error = error.unwrap_err();
    assert!(error.to_string().ends_with("/token answered 400: x [redacted] (no [redacted] of [redacted])"), "{error}");
    assert!(!format!("{error:?}").contains("pass-word"), "{error:?}");
}

#[tokio::test]
async fn a_wrong_answer_is_neither_a_refusal_nor_silence() {
    let (refused, _) = ask(&confidential(), |_, _| ("401 X".into(), r#"{"error":"invalid_client"}"#.into())).await;
    assert_eq!(refused.unwrap_err().code(), Some(&OAuthCode::InvalidClient));
    let answers: [Script; 5] = [
        |_, _| ("502 Bad Gateway".into(), "<html>".into()),
        |_, _| ("302 Found\r\nlocation: /".into(), String::new()),
        |_, _| ("200 OK".into(), r#"{"access_token":"a-1","token_type":7}"#.into()),
        |_, _| ("200 OK".into(), r#"{"access_token":"a-1","token_type":"mac"}"#.into()),
        |_, _| ("200 OK".into(), r#"{"access_token":["a-1"]}"#.into()),
    ];
    for script in answers {
        let error = ask(&confidential(), script).await.0.unwrap_err();
        assert!(matches!(error, OidcError::Wrong { .. }), "{error:?}");
        assert!(!error.is_unreachable() && error.code().is_none() && !error.to_string().contains("a-1"), "{error}");
    }
}
