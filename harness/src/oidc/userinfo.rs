use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::error::OauthRefusal;
use super::{Oidc, OidcError};
use http_client::{Answer, Http, Method};

impl Oidc {
    /// What the provider says of a token's owner.
    ///
    /// # Errors
    /// [`OidcError::Refused`] for a token that it does not know.
    pub async fn userinfo(&self, access: &SecretString) -> Result<Map<String, Value>, OidcError> {
        let (asked, answer) = ask(self.http(), self.userinfo_endpoint()?, Some(access)).await?;
        if answer.status != 200 {
            return Err(refused(asked, &answer));
        }
        let info: Map<String, Value> = answer.json().map_err(|what| OidcError::wrong(&asked, &answer, what))?;
        if info.get("sub").and_then(Value::as_str).is_none() {
            return Err(OidcError::wrong(asked, &answer, "it does not say whose token it is"));
        }
        Ok(info)
    }

    /// [`protected`] for the provider's own answer about a token's owner.
    ///
    /// # Errors
    /// See [`protected`].
    pub async fn userinfo_is_protected(&self, access: &SecretString) -> Result<Answer, OidcError> {
        protected(self.http(), self.userinfo_endpoint()?, access).await
    }

    fn userinfo_endpoint(&self) -> Result<&Url, OidcError> {
        let missing = || OidcError::Missing("the provider's configuration has no userinfo_endpoint".to_owned());
        self.discovery().userinfo_endpoint.as_ref().ok_or_else(missing)
    }
}

/// Shows that an address opens with a token and only with it: asks without one, with one that differs in a
/// single letter, and with it. Gives the last answer.
///
/// # Errors
/// [`OidcError::Unprotected`] where one of the first two is not refused with 401 or 403,
/// [`OidcError::Refused`] where the last is not answered with success.
pub async fn protected(http: &Http, url: &Url, access: &SecretString) -> Result<Answer, OidcError> {
    let garbage = garbled(access);
    for (token, how) in [(None, "without a token"), (Some(&garbage), "with a token of which a letter is another")] {
        let (asked, answer) = ask(http, url, token).await?;
        if !matches!(answer.status, 401 | 403) {
            return Err(OidcError::Unprotected { asked, status: answer.status, how });
        }
    }
    let (asked, answer) = ask(http, url, Some(access)).await?;
    if answer.is_success() { Ok(answer) } else { Err(refused(asked, &answer)) }
}

async fn ask(http: &Http, url: &Url, token: Option<&SecretString>) -> Result<(String, Answer), OidcError> {
    let mut ask = http.ask(Method::GET, url);
    if let Some(token) = token {
        ask = ask.bearer(token);
    }
    let asked = ask.asked().to_owned();
    Ok((asked, ask.send().await?))
}

/// The token with another letter in the middle of its last part, which is its signature.
fn garbled(token: &SecretString) -> SecretString {
    let token = token.expose_secret();
    let from = token.rfind('.').map_or(0, |dot| dot + 1);
    let middle = token.floor_char_boundary(from + (token.len() - from) / 2);
    let mut rest = token[middle..].chars();
    let other = if rest.next() == Some('A') { 'B' } else { 'A' };
    SecretString::from(format!("{}{other}{}", &token[..middle], rest.as_str()))
}

/// A refusal in the words of RFC 6750, which stand in a header.
fn refused(asked: String, answer: &Answer) -> OidcError {
    if !matches!(answer.status, 400 | 401 | 403) {
        return OidcError::wrong(asked, answer, "wanted success, or a refusal in the words of OAuth");
    }
    let header = answer.header("www-authenticate").unwrap_or_default();
    let refusal = OauthRefusal::new(parameter(header, "error"), parameter(header, "error_description"));
    OidcError::Refused { asked, status: answer.status, refusal }
}

/// A quoted parameter of a challenge; empty where there is none.
fn parameter<'a>(header: &'a str, name: &str) -> &'a str {
    let parts: Vec<&str> = header.split('"').collect();
    // Every second part stands in quotes, after its name.
    let found = parts.chunks_exact(2).find(|pair| {
        let own = pair[0].trim_end().strip_suffix('=').unwrap_or_default();
        own.rsplit([',', ' ']).next() == Some(name)
    });
    found.map_or("", |pair| pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_by_its_names() {
        let header = "Bearer realm=\"r\", error_description=\"no, error=\", error=\"invalid_token\"";
        assert_eq!(parameter(header, "error"), "invalid_token");
        assert_eq!(parameter(header, "error_description"), "no, error=");
        assert_eq!(parameter("Bearer realm=\"r\"", "error"), "");
    }

    #[test]
    fn a_garbled_token_differs_in_one_letter_of_its_last_part() {
        for token in ["aaa.bbb.cAc", "opaque-token", "A", "aaa.bbb.äöü", ""] {
            let other = garbled(&SecretString::from(token));
            let other = other.expose_secret();
            assert_ne!(other, token);
            let differ = token.chars().zip(other.chars()).filter(|(a, b)| a != b).count();
            assert!(differ <= 1 && other.starts_with(&token[..token.rfind('.').map_or(0, |dot| dot + 1)]), "{other}");
        }
    }
}
