//! Logins at a real OpenID provider, as a person and as a program, and what must be refused.
//!
//! ```no_run
//! # async fn show(http: harness::http::Http, password: secrecy::SecretString, secret: secrecy::SecretString)
//! # -> Result<(), harness::oidc::OidcError> {
//! use harness::oidc::{Client, Oidc};
//!
//! let provider = Oidc::discover(&http, "https://id.example/realms/r").await?;
//! let client = Client::confidential("app", secret);
//! // By the provider's page, as a person would.
//! let attempt = provider.begin(&client, "https://app.example/callback", &["openid"])?;
//! let code = provider.code_by_form(&http.session(), &attempt, "ann", &password).await?;
//! let tokens = provider.redeem(&client, &attempt, &code).await?;
//! let claims = provider.verify(tokens.id_token()?, &attempt.expect(), jiff::Timestamp::now())?;
//! assert_eq!(claims.text("preferred_username"), Some("ann"));
//! provider.userinfo_is_protected(&tokens.access).await?;
//! // Into an app that starts the login itself.
//! let landed = provider.login_by_form(&http.session(), "https://app.example/login", "ann", &password).await?;
//! assert_eq!(landed.answer.status, 200);
//! # Ok(()) }
//! ```
//!
//! Everything that a provider or an app sends is a stranger's. Passwords, secrets, tokens, codes and
//! cookies are shown by no `Debug` and no message.

mod browser;
mod claims;
mod code;
mod discovery;
mod error;
mod form;
mod jwks;
mod jwt;
mod logout;
mod not_logged_in;
mod page;
mod pkce;
mod token;
mod userinfo;

pub use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

pub(crate) use self::browser::{FORM, REFUSED, fill_form};
pub use self::claims::{Claims, Expect};
pub use self::code::{Attempt, CallbackRefused, Code};
pub use self::discovery::Discovery;
pub use self::error::{OAuthCode, OauthRefusal, OidcError};
pub use self::form::Landed;
pub use self::jwks::Jwks;
pub use self::jwt::{TokenRefused, verify};
pub use self::not_logged_in::NotLoggedIn;
pub use self::pkce::Pkce;
pub use self::token::{Client, Tokens};
pub use self::userinfo::protected;
use http_client::Http;

/// A provider: its configuration and its keys, as they were when they were asked for.
#[derive(Debug, Clone)]
pub struct Oidc {
    http: Http,
    discovery: Discovery,
    keys: Jwks,
}

impl Oidc {
    /// Asks a provider for its configuration and its keys. `issuer` is its name, letter for letter.
    ///
    /// # Errors
    /// [`OidcError::Unreachable`] where nobody answers, [`OidcError::Issuer`] where the configuration is
    /// another's, [`OidcError::Wrong`] where it is none.
    pub async fn discover(http: &Http, issuer: &str) -> Result<Self, OidcError> {
        let discovery = Discovery::fetch(http, issuer).await?;
        let keys = Jwks::fetch(http, &discovery.jwks_uri).await?;
        Ok(Self { http: http.clone(), discovery, keys })
    }

    /// Asks for the keys again, as after a change of them.
    ///
    /// # Errors
    /// See [`Oidc::discover`].
    pub async fn renew_keys(&mut self) -> Result<(), OidcError> {
        self.keys = Jwks::fetch(&self.http, &self.discovery.jwks_uri).await?;
        Ok(())
    }

    /// What the provider says of itself.
    pub fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// The keys that its tokens are checked by.
    pub fn keys(&self) -> &Jwks {
        &self.keys
    }

    /// Believes a token of this provider, at a time, or says why not. Asks nobody.
    ///
    /// # Errors
    /// [`OidcError::Token`] with the first thing that is wrong with it.
    pub fn verify(&self, token: &SecretString, expect: &Expect, now: Timestamp) -> Result<Claims, OidcError> {
        Ok(verify(token.expose_secret(), &self.keys, &self.discovery.issuer, expect, now)?)
    }

    fn http(&self) -> &Http {
        &self.http
    }
}
