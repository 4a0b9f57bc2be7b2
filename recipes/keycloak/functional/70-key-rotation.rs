//! A realm gets a new key to sign with. Apps that take the published keys believe tokens of the new one from then on, and
//! those of the old one until it is switched off.

use harness::http::Method;
use harness::oidc::{Client, Expect, OAuthCode, Oidc, Timestamp, TokenRefused};
use harness::testing::{Outcome, Test, Wrong};
use serde_json::{Value, json};

pub async fn run(test: &Test) -> Outcome {
    let (http, realm) = (test.http()?, test.value("own_realm")?);
    let issuer = test.url(&format!("/realms/{realm}"));
    let before = Oidc::discover(&http, &issuer).await?;
    let manager = Client::confidential("manager", test.value("own_manager_secret")?.into());
    let token = async || Ok::<_, Wrong>(before.client_credentials(&manager, &["openid"]).await?.access);
    let admin = async |method, path: &str, body: Value| -> Result<Value, Wrong> {
        let url = test.address(&format!("/admin/realms/{realm}/{path}"))?;
        let answer = http.ask(method, &url).bearer(&token().await?).json(&body).send().await?;
        assert!(answer.is_success(), "{path}: {}", answer.status);
        Ok(answer.json().unwrap_or_default())
    };
    let believe = |keys: &Oidc, token| keys.verify(token, &Expect::access_of("manager"), Timestamp::now());
    let lacks = |key: &Value| TokenRefused::UnknownKey(key.as_str().unwrap_or_default().to_owned());

    let old = token().await?;
    believe(&before, &old)?;
    let keys = admin(Method::GET, "keys", json!({})).await?;
    let old_key = &keys["active"]["RS256"];
    let mut signing = keys["keys"].as_array().into_iter().flatten().filter(|key| key["kid"] == *old_key);
    let provider = signing.find_map(|key| key["providerId"].as_str());
    let provider = format!("components/{}", provider.ok_or_else(|| Wrong::red("the realm has no key that signs"))?);

    let next = json!({ "name": "next", "providerType": "org.keycloak.keys.KeyProvider", "providerId": "rsa-generated",
        "config": { "priority": [Timestamp::now().as_second().to_string()] } });
    admin(Method::POST, "components", next).await?;
    let new_key = &admin(Method::GET, "keys", json!({})).await?["active"]["RS256"];
    let (new, both) = (token().await?, Oidc::discover(&http, &issuer).await?);
    assert_eq!(believe(&before, &new).err(), Some(lacks(new_key).into()), "the new token, by the keys of before");
    for token in [&old, &new] {
        believe(&both, token)?;
        both.userinfo(token).await?;
    }

    let mut switched_off = admin(Method::GET, &provider, json!({})).await?;
    switched_off["config"]["enabled"] = json!(["false"]);
    admin(Method::PUT, &provider, switched_off).await?;
    let after = Oidc::discover(&http, &issuer).await?;
    believe(&after, &new)?;
    after.userinfo(&new).await?;
    assert_eq!(believe(&after, &old).err(), Some(lacks(old_key).into()), "the old token, by the keys of after");
    let refusal = after.userinfo(&old).await.err().and_then(|error| error.code().cloned());
    assert_eq!(refusal, Some(OAuthCode::InvalidToken), "what Keycloak says to the old token");
    Ok(format!("apps believed tokens of {old_key} until it was switched off, and believe those of {new_key}"))
}
