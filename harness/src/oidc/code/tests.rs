use super::*;
use crate::oidc::OAuthCode;

const REDIRECT: &str = "https://app.ci/callback";

fn provider(names_itself: bool) -> Discovery {
    let json = serde_json::json!({
        "issuer": "https://id.ci/r",
        "authorization_endpoint": "https://id.ci/r/auth?kc=1",
        "token_endpoint": "https://id.ci/r/token",
        "jwks_uri": "https://id.ci/r/certs",
        "authorization_response_iss_parameter_supported": names_itself,
    });
    serde_json::from_value(json).unwrap()
}

fn attempt() -> Attempt {
    Attempt::new(&provider(true), &Client::public("app"), Url::parse(REDIRECT).unwrap(), &["openid", "email"])
}

fn back(attempt: &Attempt, query: &str) -> Url {
    let query = query.replace("STATE", attempt.state.expose_secret());
    Url::parse(&format!("{REDIRECT}?{query}")).unwrap()
}

fn refused(names_itself: bool, query: &str) -> OidcError {
    let attempt = attempt();
    read(&provider(names_itself), &attempt, &back(&attempt, query)).unwrap_err()
}

const ISS: &str = "iss=https%3A%2F%2Fid.ci%2Fr";

#[test]
fn a_visitor_goes_out_with_everything_that_must_come_back() {
    let attempt = attempt();
    let pairs: std::collections::BTreeMap<_, _> = attempt.start().query_pairs().into_owned().collect();
    let is = |name: &str, value: &str| assert_eq!(pairs.get(name).map(String::as_str), Some(value), "{name}");
    is("kc", "1");
    is("response_type", "code");
    is("client_id", "app");
    is("redirect_uri", REDIRECT);
    is("scope", "openid email");
    is("code_challenge_method", "S256");
    is("code_challenge", attempt.pkce().challenge());
    let (state, nonce) = (&pairs["state"], &pairs["nonce"]);
    assert_ne!(state, nonce);
    assert!(!pairs.values().any(|value| value == attempt.pkce().verifier().expose_secret()));
    let shown = format!("{attempt:?}");
    assert!(!shown.contains(state) && !shown.contains(nonce), "{shown}");
}

#[test]
fn the_way_back_of_the_same_login_has_the_code() {
    let attempt = attempt();
    for query in [format!("state=STATE&code=c-1&{ISS}"), format!("code=c-1&session_state=x&{ISS}&state=STATE")] {
        let code = read(&provider(true), &attempt, &back(&attempt, &query)).unwrap();
        assert_eq!(code.secret().expose_secret(), "c-1");
        assert!(!format!("{code:?}").contains("c-1"));
    }
    assert!(read(&provider(false), &attempt, &back(&attempt, "state=STATE&code=c-1")).is_ok());
}

#[test]
fn another_way_back_is_refused() {
    let is = |query: &str, wanted: CallbackRefused| {
        assert_eq!(refused(true, &query.replace("ISS", ISS)), OidcError::Callback(wanted), "{query}");
    };
    is("state=x&code=c&ISS", CallbackRefused::State);
    is("code=c&ISS", CallbackRefused::State);
    is("state=x&error=access_denied&ISS", CallbackRefused::State);
    is("state=STATE&state=x&code=c&ISS", CallbackRefused::Twice("state"));
    is("state=STATE&code=c&code=d&ISS", CallbackRefused::Twice("code"));
    is("state=STATE&ISS", CallbackRefused::NoCode);
    is("state=STATE&code=&ISS", CallbackRefused::NoCode);
    let issuer = |told: &str| CallbackRefused::Issuer { wanted: "https://id.ci/r".into(), told: told.into() };
    is("state=STATE&code=c&iss=https://id.ci/other", issuer("https://id.ci/other"));
    is("state=STATE&code=c", issuer(""));
    let attempt = attempt();
    let elsewhere = Url::parse("https://app.ci/callback2?code=c").unwrap();
    let error = read(&provider(true), &attempt, &elsewhere).unwrap_err().to_string();
    assert!(error.ends_with("it leads to https://app.ci/callback2, wanted https://app.ci/callback"), "{error}");
}

#[test]
fn a_provider_that_refuses_is_told_in_its_own_words() {
    let error = refused(true, &format!("state=STATE&error=access_denied&error_description=not+now&{ISS}"));
    assert_eq!(error.code(), Some(&OAuthCode::AccessDenied));
    assert_eq!(error.to_string(), "GET https://id.ci/r/auth answered 302: access_denied (not now)");
}
