use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Broken, Test, Wrong};
use crate::browser::Browser;
use crate::deps::Sso;
use crate::http::{Session, Url};
use crate::oidc::{FORM, NotLoggedIn, Oidc, OidcError, REFUSED, fill_form};

/// How long a page of Keycloak's own may take: it is some megabytes of script, which a busy machine takes its time over.
const OWN_PAGES: Duration = Duration::from_secs(60);

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

/// Opens a page of Keycloak's own that wants a login in a new browser, shows that the form refuses a wrong password, and sends
/// it with this one. Gives the browser and the form's title; what comes after the form is the caller's to see.
///
/// # Errors
/// When there is no such form, or it takes the wrong password.
pub async fn pass_login_form(
    test: &Test,
    page: &str,
    user: &str,
    password: &SecretString,
) -> Result<(Browser, String), Wrong> {
    let browser = test.browser().await?;
    browser.wait_up_to(OWN_PAGES);
    browser.open(page).await?;
    browser.see(FORM).await?;
    let title = browser.title().await?;
    fill_form(&browser, user, &format!("not-{}", password.expose_secret())).await?;
    browser.see_text(REFUSED, "Invalid username or password").await?;
    fill_form(&browser, user, password.expose_secret()).await?;
    Ok((browser, title))
}
