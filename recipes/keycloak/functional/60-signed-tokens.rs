//! What apps believe: a person logs in by the page with a code and PKCE, and the token that the code is
//! good for is checked as an app does it, by the published keys. A code is good once, and a changed token
//! is none.

use harness::oidc::{Client, Expect, OAuthCode, Oidc, OidcError, Timestamp};
use harness::testing::{Outcome, Test};
use secrecy::ExposeSecret as _;

pub async fn run(test: &Test) -> Outcome {
    let http = test.http()?;
    let provider = Oidc::discover(&http, &test.url(&format!("/realms/{}", test.value("own_realm")?))).await?;
    let client = Client::confidential("app", test.value("own_secret")?.into());
    let (user, password) = (test.value("own_user")?, test.value("own_password")?.into());

    let redirect = format!("https://app.example/{}/back", test.value("own_mark")?);
    let attempt = provider.begin(&client, &redirect, &["openid", "profile"])?;
    let code = provider.code_by_form(&http.session(), &attempt, user, &password).await?;
    let tokens = provider.redeem(&client, &attempt, &code).await?;
    let identity = tokens.id_token()?;
    test.hide(identity.expose_secret())?;
    let claims = provider.verify(identity, &attempt.expect(), Timestamp::now())?;
    assert_eq!(claims.text("preferred_username"), Some(user), "whom the token is about");

    let again = provider.redeem(&client, &attempt, &code).await.err().and_then(|error| error.code().cloned());
    assert_eq!(again, Some(OAuthCode::InvalidGrant), "what is said to a code that was good for tokens before");

    let believe = |token| provider.verify(token, &Expect::access_of("app"), Timestamp::now());
    let machine = provider.client_credentials(&client, &[]).await?;
    believe(&machine.access)?;
    let (head, signature) = machine.access.expose_secret().rsplit_once('.').unwrap_or_default();
    let other = identity.expose_secret().rsplit_once('.').map_or("", |(_, signature)| signature);
    assert_ne!(signature, other, "two tokens have one signature");
    let refused = believe(&format!("{head}.{other}").into()).err();
    assert!(matches!(refused, Some(OidcError::Token(_))), "a token with another's signature is believed: {refused:?}");
    let issuer = &provider.discovery().issuer;
    Ok(format!("{user} logs in with a code that is good once; tokens are signed by the keys of {issuer}"))
}
