use serde::Deserialize;
use url::Url;

use super::error::OidcError;
use http_client::{Http, Method};

/// Where a provider's configuration is, below its issuer.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// What a provider says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Discovery {
    /// Its name, as its tokens have it: an address, letter for letter.
    pub issuer: String,
    /// Where visitors log in.
    pub authorization_endpoint: Url,
    /// Where codes and passwords become tokens.
    pub token_endpoint: Url,
    /// Where its public keys are.
    pub jwks_uri: Url,
    /// What a bearer of a token is told of its owner.
    #[serde(default)]
    pub userinfo_endpoint: Option<Url>,
    /// Where visitors log out.
    #[serde(default)]
    pub end_session_endpoint: Option<Url>,
    /// How codes may be proven: `S256` for [`super::Pkce`].
    #[serde(default)]
    pub code_challenge_methods_supported: Vec<String>,
    /// Whether the way back from it always names it.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl Discovery {
    pub(super) async fn fetch(http: &Http, issuer: &str) -> Result<Self, OidcError> {
        let ask = http.ask(Method::GET, &address(issuer)?);
        let asked = ask.asked().to_owned();
        let answer = ask.send().await?;
        if answer.status != 200 {
            return Err(OidcError::wrong(asked, &answer, "wanted 200 and the configuration of a provider"));
        }
        let found: Self = answer.json().map_err(|what| OidcError::wrong(&asked, &answer, what))?;
        // Else one provider could speak for another.
        if found.issuer != issuer {
            let told = super::error::printable(&found.issuer);
            return Err(OidcError::Issuer { asked, wanted: issuer.to_owned(), told });
        }
        Ok(found)
    }
}

/// The configuration's address. An issuer may end with a slash, which is then part of its name.
fn address(issuer: &str) -> Result<Url, OidcError> {
    parse(&format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/')))
}

/// A text as an address that can be asked.
pub(super) fn parse(text: &str) -> Result<Url, OidcError> {
    let wrong = |why: String| OidcError::Address(super::error::printable(text), why);
    let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("wants https, or http on a machine's own network".to_owned()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Script, Scripted};
    use http_client::HttpConfig;

    fn of(issuer: &str, own: &str) -> (String, String) {
        let json = serde_json::json!({
            "issuer": issuer, "authorization_endpoint": format!("{own}/auth"),
            "token_endpoint": format!("{own}/token"), "jwks_uri": format!("{own}/keys"),
        });
        ("200 OK".to_owned(), json.to_string())
    }

    #[tokio::test]
    async fn a_configuration_is_one_issuers() {
        let discover = async |script: Script| {
            let server = Scripted::start(script).await;
            let http = Http::new(&HttpConfig::default()).unwrap();
            (Discovery::fetch(&http, &server.url).await, server.url)
        };
        let (found, url) = discover(|_, own| of(own, own)).await;
        assert_eq!(found.unwrap().issuer, url);
        let (found, url) = discover(|_, own| of(&format!("{own}/"), own)).await;
        let issuer = OidcError::Issuer {
            asked: format!("GET {url}/.well-known/openid-configuration"),
            wanted: url.clone(),
            told: format!("{url}/"),
        };
        assert_eq!(found.unwrap_err(), issuer);
        for script in [(|_, _| ("200 OK".into(), "{}".into())) as Script, |_, own| {
            let (_, body) = of(own, own);
            ("404 Not Found".into(), body)
        }] {
            let error = discover(script).await.0.unwrap_err();
            assert!(matches!(error, OidcError::Wrong { .. }), "{error:?}");
        }
    }

    #[test]
    fn the_configuration_stands_below_the_issuer() {
        let of = |issuer: &str| address(issuer).map(String::from);
        assert_eq!(of("https://a.ci/realms/r").unwrap(), "https://a.ci/realms/r/.well-known/openid-configuration");
        assert_eq!(of("https://a.ci/o/app/").unwrap(), "https://a.ci/o/app/.well-known/openid-configuration");
        assert_eq!(
            of("a.ci").unwrap_err().to_string().split(':').next(),
            Some("\"a.ci/.well-known/openid-configuration\" is no address")
        );
        assert!(of("file:///etc").is_err());
    }
}
