use std::time::Duration;

use base::redact::Redactor;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::code::{Attempt, Code};
use super::error::{OauthRefusal, OidcError};
use super::{Oidc, Pkce};
use http_client::{Answer, Http, Method};

/// A program that a provider knows.
#[derive(Debug, Clone)]
pub struct Client {
    id: String,
    secret: Option<SecretString>,
    in_body: bool,
}

impl Client {
    /// One with a secret, which it shows in a header.
    pub fn confidential(id: impl Into<String>, secret: SecretString) -> Self {
        Self { id: id.into(), secret: Some(secret), in_body: false }
    }

    /// One without a secret.
    pub fn public(id: impl Into<String>) -> Self {
        Self { id: id.into(), secret: None, in_body: false }
    }

    /// The same, with its secret in the body (`client_secret_post`).
    pub fn in_body(mut self) -> Self {
        self.in_body = true;
        self
    }

    /// Its name at the provider.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// What a provider gives to a client that may have it.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Opens what is protected.
    pub access: SecretString,
    /// Says who is logged in; where the scope `openid` was asked for.
    pub id: Option<SecretString>,
    /// Gets new tokens.
    pub refresh: Option<SecretString>,
    /// How long the access token lasts, if the provider says.
    pub lasts: Option<Duration>,
    /// The scopes that were given, if the provider says.
    pub scope: Option<String>,
}

impl Tokens {
    /// The ID token.
    pub fn id_token(&self) -> Result<&SecretString, OidcError> {
        let missing =
            || OidcError::Missing("the provider gave no ID token; was the scope openid asked for?".to_owned());
        self.id.as_ref().ok_or_else(missing)
    }

    /// The refresh token.
    pub fn refresh_token(&self) -> Result<&SecretString, OidcError> {
        self.refresh.as_ref().ok_or_else(|| OidcError::Missing("the provider gave no refresh token".to_owned()))
    }
}

impl Oidc {
    /// Tokens for a name and a password, without any page.
    ///
    /// # Errors
    /// [`OidcError::Refused`] with `invalid_grant` for a wrong password, with `invalid_client` or
    /// `unauthorized_client` for a wrong client.
    pub async fn password(
        &self,
        client: &Client,
        user: &str,
        password: &SecretString,
        scopes: &[&str],
    ) -> Result<Tokens, OidcError> {
        let scope = scopes.join(" ");
        let open = [("username", user), ("scope", scope.as_str())];
        self.grant(client, "password", &open, &[("password", password)]).await
    }

    /// Tokens for the client itself.
    ///
    /// # Errors
    /// [`OidcError::Refused`] for a wrong secret.
    pub async fn client_credentials(&self, client: &Client, scopes: &[&str]) -> Result<Tokens, OidcError> {
        let scope = scopes.join(" ");
        self.grant(client, "client_credentials", &[("scope", &scope)], &[]).await
    }

    /// New tokens for a refresh token.
    ///
    /// # Errors
    /// [`OidcError::Refused`] with `invalid_grant` after a logout.
    pub async fn refresh(&self, client: &Client, refresh: &SecretString) -> Result<Tokens, OidcError> {
        self.grant(client, "refresh_token", &[], &[("refresh_token", refresh)]).await
    }

    /// Tokens for a code and the proof that belongs to it.
    ///
    /// # Errors
    /// [`OidcError::Refused`] with `invalid_grant` for a code that was used before.
    pub async fn redeem(&self, client: &Client, attempt: &Attempt, code: &Code) -> Result<Tokens, OidcError> {
        self.redeem_with(client, attempt, code, attempt.pkce()).await
    }

    /// The same with a proof that may be another's, which a provider refuses with `invalid_grant`.
    ///
    /// # Errors
    /// See [`Oidc::redeem`].
    pub async fn redeem_with(
        &self,
        client: &Client,
        attempt: &Attempt,
        code: &Code,
        proof: &Pkce,
    ) -> Result<Tokens, OidcError> {
        let open = [("redirect_uri", attempt.redirect().as_str())];
        let secret = [("code", code.secret()), ("code_verifier", proof.verifier())];
        self.grant(client, "authorization_code", &open, &secret).await
    }

    async fn grant(
        &self,
        client: &Client,
        kind: &str,
        open: &[(&str, &str)],
        secret: &[(&str, &SecretString)],
    ) -> Result<Tokens, OidcError> {
        let url = &self.discovery().token_endpoint;
        // Nothing asked for is not an empty list, which a provider may refuse.
        let open = open.iter().filter(|(name, value)| *name != "scope" || !value.is_empty());
        let fields: Vec<(&str, &str)> = [("grant_type", kind)].iter().chain(open).copied().collect();
        let (asked, answer) = by_client(self.http(), url, client, &fields, secret).await?;
        if answer.status != 200 {
            return Err(refused(asked, &answer, client, secret));
        }
        let given: Given = answer.json().map_err(|what| OidcError::wrong(&asked, &answer, what))?;
        if !given.token_type.eq_ignore_ascii_case("bearer") {
            return Err(OidcError::wrong(asked, &answer, "the token is not one of a bearer"));
        }
        Ok(Tokens {
            access: given.access_token,
            id: given.id_token,
            refresh: given.refresh_token,
            lasts: given.expires_in.map(Duration::from_secs),
            scope: given.scope,
        })
    }
}

#[derive(Deserialize)]
struct Given {
    access_token: SecretString,
    token_type: String,
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<SecretString>,
    #[serde(default)]
    id_token: Option<SecretString>,
    #[serde(default)]
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Posts a form in a client's name; gives what was asked and the answer.
pub(super) async fn by_client(
    http: &Http,
    url: &Url,
    client: &Client,
    open: &[(&str, &str)],
    secret: &[(&str, &SecretString)],
) -> Result<(String, Answer), OidcError> {
    let mut fields = open.to_vec();
    fields.extend(secret.iter().map(|(name, value)| (*name, value.expose_secret())));
    let mut ask = http.ask(Method::POST, url);
    match &client.secret {
        Some(secret) if !client.in_body => {
            // RFC 6749, 2.3.1: both are encoded as in a form, before HTTP's own encoding.
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            ask = ask.basic(&encoded(&client.id), &SecretString::from(encoded(secret.expose_secret())));
        }
        secret => {
            fields.push(("client_id", &client.id));
            fields.extend(secret.iter().map(|secret| ("client_secret", secret.expose_secret())));
        }
    }
    let ask = ask.form(fields);
    let asked = ask.asked().to_owned();
    Ok((asked, ask.send().await?))
}

/// The provider's refusal, without what it may repeat of the secrets.
pub(super) fn refused(asked: String, answer: &Answer, client: &Client, secret: &[(&str, &SecretString)]) -> OidcError {
    let Ok(said) = answer.json::<Said>() else {
        return OidcError::wrong(asked, answer, "neither what was asked for nor a refusal in the words of OAuth");
    };
    let redactor = Redactor::new();
    for value in secret.iter().map(|(_, value)| *value).chain(&client.secret) {
        redactor.add(value.expose_secret());
    }
    let refusal = OauthRefusal::new(&redactor.text(&said.error), &redactor.text(&said.error_description));
    OidcError::Refused { asked, status: answer.status, refusal }
}

#[cfg(test)]
mod tests;
