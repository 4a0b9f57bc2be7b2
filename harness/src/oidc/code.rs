use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::claims::Expect;
use super::error::{OauthRefusal, OidcError};
use super::pkce::{Pkce, random};
use super::token::Client;
use super::{Discovery, Oidc};
use http_client::place;

/// One login by code: what goes out with the visitor, and what must come back. Its `Debug` shows neither
/// state nor nonce.
#[derive(Clone)]
pub struct Attempt {
    start: Url,
    redirect: Url,
    client: String,
    state: SecretString,
    nonce: SecretString,
    pkce: Pkce,
}

/// What a provider gives to a visitor who has logged in, for the client to redeem once.
#[derive(Debug, Clone)]
pub struct Code(SecretString);

/// Why the way back is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRefused {
    /// It leads elsewhere.
    #[error("it leads to {told}, wanted {wanted}")]
    Elsewhere {
        /// The address that the client named.
        wanted: String,
        /// Where it leads.
        told: String,
    },
    /// It belongs to another login.
    #[error("its state is not that of this login")]
    State,
    /// It does not come from this provider.
    #[error("it names the provider {told:?}, wanted {wanted:?}")]
    Issuer {
        /// The provider that was asked.
        wanted: String,
        /// The one that it names; empty where it names none, and this provider always does.
        told: String,
    },
    /// It has no code, and no error either.
    #[error("it has no code")]
    NoCode,
    /// It has something twice that must be there once.
    #[error("it has {0:?} more than once")]
    Twice(&'static str),
}

impl Oidc {
    /// Begins a login by code, with PKCE, state and nonce. Among the scopes is `openid`.
    pub fn begin(&self, client: &Client, redirect: &str, scopes: &[&str]) -> Result<Attempt, OidcError> {
        let redirect = super::discovery::parse(redirect)?;
        Ok(Attempt::new(self.discovery(), client, redirect, scopes))
    }

    /// Reads the address that a provider sent its visitor back to.
    ///
    /// # Errors
    /// [`OidcError::Callback`] where it does not belong to the attempt, [`OidcError::Refused`] where the
    /// provider says there that it refuses.
    pub fn callback(&self, attempt: &Attempt, back: &Url) -> Result<Code, OidcError> {
        read(self.discovery(), attempt, back)
    }
}

impl Attempt {
    fn new(provider: &Discovery, client: &Client, redirect: Url, scopes: &[&str]) -> Self {
        let (state, nonce, pkce) = (random(), random(), Pkce::new());
        let mut start = provider.authorization_endpoint.clone();
        start
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client.id())
            .append_pair("redirect_uri", redirect.as_str())
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", state.expose_secret())
            .append_pair("nonce", nonce.expose_secret())
            .append_pair("code_challenge", pkce.challenge())
            .append_pair("code_challenge_method", "S256");
        Self { start, redirect, client: client.id().to_owned(), state, nonce, pkce }
    }

    /// Where the visitor goes.
    pub fn start(&self) -> &Url {
        &self.start
    }

    /// Where the visitor comes back to.
    pub fn redirect(&self) -> &Url {
        &self.redirect
    }

    /// The proof that goes with the code.
    pub fn pkce(&self) -> &Pkce {
        &self.pkce
    }

    /// What the ID token of this login must say.
    pub fn expect(&self) -> Expect {
        Expect::id_token(&self.client).nonce(self.nonce.expose_secret())
    }

    /// Whether an address is the one that the visitor comes back to, whatever it carries.
    pub(super) fn ends_at(&self, url: &Url) -> bool {
        place(url) == place(&self.redirect)
    }
}

impl Code {
    /// The code itself.
    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

fn read(provider: &Discovery, attempt: &Attempt, back: &Url) -> Result<Code, OidcError> {
    if !attempt.ends_at(back) {
        return Err(CallbackRefused::Elsewhere { wanted: place(&attempt.redirect), told: place(back) }.into());
    }
    // Before anything else of it is believed, an error too.
    if once(back, "state")?.as_deref() != Some(attempt.state.expose_secret()) {
        return Err(CallbackRefused::State.into());
    }
    let issuer = once(back, "iss")?;
    let told = issuer.or_else(|| provider.authorization_response_iss_parameter_supported.then(String::new));
    if let Some(told) = told.filter(|told| *told != provider.issuer) {
        let told = super::error::printable(&told);
        return Err(CallbackRefused::Issuer { wanted: provider.issuer.clone(), told }.into());
    }
    if let Some(error) = once(back, "error")? {
        let description = once(back, "error_description")?.unwrap_or_default();
        let refusal = OauthRefusal::new(&error, &description);
        let asked = format!("GET {}", place(&provider.authorization_endpoint));
        return Err(OidcError::Refused { asked, status: 302, refusal });
    }
    let code = once(back, "code")?.filter(|code| !code.is_empty());
    Ok(Code(code.ok_or(CallbackRefused::NoCode)?.into()))
}

/// A parameter that may be there once.
fn once(url: &Url, name: &'static str) -> Result<Option<String>, CallbackRefused> {
    let mut values = url.query_pairs().filter(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    let first = values.next();
    if values.next().is_some() { Err(CallbackRefused::Twice(name)) } else { Ok(first) }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("start", &place(&self.start))
            .field("redirect", &place(&self.redirect))
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
