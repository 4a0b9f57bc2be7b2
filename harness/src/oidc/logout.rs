use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::page::LoginPage;
use super::pkce::random;
use super::token::{by_client, refused};
use super::{Client, Oidc, OidcError};
use http_client::{Chain, Method, Session, place};

impl Oidc {
    /// Logs a visitor out as an app does (RP-initiated): the provider ends the visitor's session and sends
    /// the visitor back. `back` is not asked.
    ///
    /// # Errors
    /// [`OidcError::Wrong`] where the provider does anything else, such as asking whether it shall.
    pub async fn logout(&self, visitor: &Session, id_token: &SecretString, back: &str) -> Result<(), OidcError> {
        let (end, back) = (self.end_session()?, super::discovery::parse(back)?);
        let state = random();
        let fields = [
            ("id_token_hint", id_token.expose_secret()),
            ("post_logout_redirect_uri", back.as_str()),
            ("state", state.expose_secret()),
        ];
        // In the body, since addresses are logged.
        let ask = visitor.ask(Method::POST, end).form(fields);
        let asked = ask.asked().to_owned();
        let (mut chain, mut here, mut answer) = (Chain::new(end), end.clone(), ask.send().await?);
        while let Some(next) = chain.next(&here, &answer)? {
            if place(&next) == place(&back) {
                let told = next.query_pairs().find(|(name, _)| name == "state");
                return if told.is_some_and(|(_, told)| told == state.expose_secret()) {
                    Ok(())
                } else {
                    Err(OidcError::wrong(asked, &answer, "the way back with another state"))
                };
            }
            here = next;
            answer = visitor.ask(Method::GET, &here).send().await?;
        }
        let page = LoginPage::read(&answer.body).describe();
        Err(OidcError::wrong(asked, &answer, format!("{page}, wanted the way back to {}", place(&back))))
    }

    /// Ends the session that a refresh token belongs to, without the visitor. Keycloak's own way.
    ///
    /// # Errors
    /// [`OidcError::Refused`] where the provider does not.
    pub async fn end(&self, client: &Client, refresh: &SecretString) -> Result<(), OidcError> {
        let secret = [("refresh_token", refresh)];
        let (asked, answer) = by_client(self.http(), self.end_session()?, client, &[], &secret).await?;
        if matches!(answer.status, 200 | 204) { Ok(()) } else { Err(refused(asked, &answer, client, &secret)) }
    }

    fn end_session(&self) -> Result<&Url, OidcError> {
        let missing = || OidcError::Missing("the provider's configuration has no end_session_endpoint".to_owned());
        self.discovery().end_session_endpoint.as_ref().ok_or_else(missing)
    }
}
