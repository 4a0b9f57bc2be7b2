use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base::failure::{Failure, Kind};
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

#[test]
fn a_providers_name_is_its_recipes() {
    for name in ProviderName::ALL {
        assert_eq!(name.to_string().parse::<ProviderName>().unwrap(), *name);
        assert!(name.as_str().parse::<base::names::RecipeName>().is_ok());
    }
    let unknown = "dex".parse::<ProviderName>().unwrap_err();
    assert!(unknown.to_string().contains("\"dex\""), "{unknown}");
}

#[test]
fn secrets_are_long_letters_and_digits_and_never_the_same() {
    let (one, two) = (made_secret(), made_secret());
    assert!(one.expose_secret().len() >= 32 && one.expose_secret().bytes().all(|b| b.is_ascii_alphanumeric()));
    assert_ne!(one.expose_secret(), two.expose_secret());
}

/// A Keycloak of three answers: tokens that live so long, an empty list of realms, and for the rest this
/// status. Gives its address and how many tokens it gave.
async fn keycloak_that_answers(lives: u64, status: u16) -> (String, Arc<AtomicU32>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let given = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&given);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 65536];
            let n = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..n]).into_owned();
            let (status, body) = if request.starts_with("POST /realms/master/") {
                let given = count.fetch_add(1, Ordering::Relaxed);
                (200, format!("{{\"access_token\":\"the-token-{given}\",\"expires_in\":{lives}}}"))
            } else if request.starts_with("GET /admin/realms?") {
                assert!(request.contains(&format!("Bearer the-token-{}", count.load(Ordering::Relaxed) - 1)));
                (200, "[]".to_owned())
            } else {
                (status, format!("<html>You said\n{request}</html>"))
            };
            let length = body.len();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (base, given)
}

async fn connected(base: &str) -> Keycloak {
    let http = Http::new(&http_client::HttpConfig::default()).unwrap();
    let admin = Admin { user: "admin".to_owned(), secret: "the-password".into() };
    Keycloak::connect(http, base, admin).await.unwrap()
}

#[tokio::test]
async fn a_token_is_used_while_it_lives_and_renewed_before_it_ends() {
    for (lives, tokens) in [(60, 1), (14, 4)] {
        let (base, given) = keycloak_that_answers(lives, 500).await;
        let keycloak = connected(&base).await;
        for _ in 0..3 {
            assert_eq!(keycloak.realms().await.unwrap(), []);
        }
        assert_eq!(given.load(Ordering::Relaxed), tokens, "tokens that live {lives} s");
    }
}

#[tokio::test]
async fn an_error_says_who_was_asked_for_what_and_what_came_back_and_no_secret() {
    let wanted = RealmSpec {
        realm: "ci-x".parse().unwrap(),
        client: "app".parse().unwrap(),
        client_secret: "the-client-secret".into(),
        redirects: vec!["https://app.example.org/cb".to_owned()],
        users: Vec::new(),
    };
    for (status, kind) in [
        (500, Kind::ProviderUnexpected),
        (400, Kind::ProviderUnexpected),
        (403, Kind::ProviderRefused),
        (401, Kind::ProviderRefused),
        (503, Kind::ProviderUnreachable),
        (200, Kind::ProviderUnexpected),
    ] {
        let (base, _) = keycloak_that_answers(60, status).await;
        let failure = Failure::from(connected(&base).await.make_realm(&wanted).await.unwrap_err());
        assert_eq!(failure.kind, kind, "{failure}");
        for part in ["keycloak", "make realm ci-x", &base, &status.to_string()] {
            assert!(failure.what.contains(part), "{part}: {failure}");
        }
        for secret in ["the-client-secret", "the-token", "the-password"] {
            assert!(!failure.what.contains(secret), "{failure}");
        }
        assert!(failure.what.chars().count() < 500 && !failure.what.contains('\n'), "{failure}");
    }
}

#[test]
fn a_redirect_is_a_whole_address() {
    let wanted = |redirect: &str| RealmSpec {
        realm: "ci-x".parse().unwrap(),
        client: "app".parse().unwrap(),
        client_secret: made_secret(),
        redirects: vec!["https://app.example.org/cb".to_owned(), redirect.to_owned()],
        users: Vec::new(),
    };
    for right in ["https://app.example.org/", "http://127.0.0.1:8080/a/b?c=d"] {
        assert_eq!(wanted(right).check(), Ok(()), "{right}");
    }
    for wrong in
        ["", "*", "https://a/*", "/cb", "https:///cb", "javascript:x", "https://a/\nhttps://b/", "https://a/#x"]
    {
        assert_eq!(wanted(wrong).check(), Err(SsoError::Redirect { redirect: wrong.to_owned() }));
    }
}
