use super::{Broken, Test, Wrong};
use crate::deps::Sso;
use crate::http::{Session, Url};
use crate::oidc::{NotLoggedIn, Oidc, OidcError};

impl Test {
    /// The logins that the run made for the app.
    ///
    /// # Errors
    /// When it made none: the test cannot run.
    pub fn sso(&self) -> Result<Sso, Broken> {
        let logins = self.deps()?.dependencies.into_values().find_map(|dependency| dependency.sso);
        logins.ok_or_else(|| Broken::new("the run made no logins: [sso] in recipe.toml"))
    }

    /// The address of something in the app, for a request; `path` begins with a slash.
    ///
    /// # Errors
    /// When `CCCI_URL` is no address: the test cannot run.
    pub fn address(&self, path: &str) -> Result<Url, Broken> {
        self.url(path).parse().map_err(|error| Broken::new(format!("CCCI_URL is no address: {error}")))
    }
}

/// A visitor is sent from `start` to the provider, and refused there with a wrong password.
///
/// # Errors
/// When the visitor gets in, or the provider cannot be asked.
pub async fn refuses_wrong_password(provider: &Oidc, visitor: &Session, start: &str, user: &str) -> Result<(), Wrong> {
    match provider.login_by_form(visitor, start, user, &"not-the-password".into()).await {
        Err(OidcError::NotLoggedIn(NotLoggedIn::Refused { at, .. }))
            if at.starts_with(&provider.discovery().issuer) =>
        {
            Ok(())
        }
        Err(other) => Err(other.into()),
        Ok(landed) => Err(Wrong::red(format!("a wrong password leads to {}", landed.address.path()))),
    }
}
