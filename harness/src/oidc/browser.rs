use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::code::{Attempt, Code};
use super::not_logged_in::{NotLoggedIn, refused, shown};
use super::page::LoginPage;
use super::{Oidc, OidcError};
use crate::browser::{Browser, By};
use crate::testing::Wrong;
use http_client::place;

/// Keycloak's form.
pub(crate) const FORM: &str = "#kc-form-login";
const USER: &str = "#username";
const PASSWORD: &str = "#password";
const GO: &str = "#kc-login";
pub(crate) const REFUSED: &str = "#input-error-username, #input-error";

/// How long the way back may take.
const BACK: Duration = Duration::from_secs(30);
/// How often the address is looked at: a browser does not tell when it changes.
const INTERVAL: Duration = Duration::from_millis(100);

impl Oidc {
    /// Logs in to an app in a browser: opens the app's own address for it, fills in Keycloak's form, and
    /// waits until the browser is back at the app. Gives the address that it is at then.
    pub async fn login_by_browser(
        &self,
        browser: &Browser,
        start: &str,
        user: &str,
        password: &SecretString,
    ) -> Result<Url, Wrong> {
        let app = super::discovery::parse(start)?.origin();
        self.walk(browser, start, user, password, |here| here.origin() == app).await
    }

    /// Logs in in a browser, and gives the code with which the browser is sent back.
    ///
    /// # Errors
    /// As [`Oidc::login_by_browser`], and what [`Oidc::callback`] says of the way back.
    pub async fn code_by_browser(
        &self,
        browser: &Browser,
        attempt: &Attempt,
        user: &str,
        password: &SecretString,
    ) -> Result<Code, Wrong> {
        let back = |here: &Url| attempt.ends_at(here);
        let here = self.walk(browser, attempt.start().as_str(), user, password, back).await?;
        Ok(self.callback(attempt, &here)?)
    }

    async fn walk(
        &self,
        browser: &Browser,
        start: &str,
        user: &str,
        password: &SecretString,
        is_back: impl Fn(&Url) -> bool,
    ) -> Result<Url, Wrong> {
        browser.open(start).await?;
        browser.see(USER).await?;
        // The password is for the provider alone, whoever shows a form like its.
        let here = browser.current_url().await?;
        if here.origin() != self.origin() {
            let to = here.origin().ascii_serialization();
            return Err(OidcError::from(NotLoggedIn::Elsewhere { at: place(&here), to }).into());
        }
        fill_form(browser, user, password.expose_secret()).await?;
        self.back(browser, is_back).await
    }

    /// Waits until the browser has left the provider, or the provider shows why it will not.
    async fn back(&self, browser: &Browser, is_back: impl Fn(&Url) -> bool) -> Result<Url, Wrong> {
        let deadline = Instant::now() + BACK;
        loop {
            let here = browser.current_url().await?;
            if is_back(&here) {
                return Ok(here);
            }
            let page = LoginPage::read(&browser.source().await?);
            // The page may have changed between the two questions.
            let stays = browser.current_url().await? == here && here.origin() == self.origin();
            let late = Instant::now() >= deadline;
            match (page.login_form(), &page.said) {
                (Some(_), Some(_)) if stays => return Err(OidcError::from(refused(&here, &page)).into()),
                (None, _) if stays && (late || page.name.is_some()) => {
                    return Err(OidcError::from(shown(&here, 200, &page)).into());
                }
                _ if late => return Err(OidcError::from(shown(&here, 200, &page)).into()),
                _ => tokio::time::sleep(INTERVAL).await,
            }
        }
    }
}

/// Fills in Keycloak's form, which may ask for the password on a page of its own.
pub(crate) async fn fill_form(browser: &Browser, user: &str, password: &str) -> Result<(), Wrong> {
    browser.fill(USER, user).await?;
    if browser.find_all(By::Css(PASSWORD)).await?.is_empty() {
        browser.click(GO).await?;
    }
    browser.fill(PASSWORD, password).await?;
    browser.click(GO).await
}
