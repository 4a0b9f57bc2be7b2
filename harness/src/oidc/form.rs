use secrecy::{ExposeSecret as _, SecretString};
use url::{Origin, Url};

use super::code::Attempt;
use super::error::OidcError;
use super::not_logged_in::{NotLoggedIn, refused, shown};
use super::page::{Form, Kind, LoginPage};
use super::{Code, Oidc};
use http_client::{Answer, Chain, Method, Session, place};

/// Where a login ended in an app.
#[derive(Debug, Clone)]
pub struct Landed {
    /// The address of the page.
    pub address: Url,
    /// The page, whatever its status.
    pub answer: Answer,
    /// Whether the provider asked for the password; it does not when the visitor is logged in there.
    pub asked: bool,
}

impl Oidc {
    /// Logs a visitor in by the provider's form, and gives the code with which the visitor is sent back.
    /// The address to come back to is not asked, so nobody needs to be there.
    ///
    /// # Errors
    /// [`OidcError::NotLoggedIn`], or what [`Oidc::callback`] says of the way back.
    pub async fn code_by_form(
        &self,
        visitor: &Session,
        attempt: &Attempt,
        user: &str,
        password: &SecretString,
    ) -> Result<Code, OidcError> {
        self.callback(attempt, &self.back_by_form(visitor, attempt, user, password).await?)
    }

    /// The same, with the whole address that the visitor is sent back to. It holds the code.
    ///
    /// # Errors
    /// See [`Oidc::code_by_form`].
    pub async fn back_by_form(
        &self,
        visitor: &Session,
        attempt: &Attempt,
        user: &str,
        password: &SecretString,
    ) -> Result<Url, OidcError> {
        let mut walk = Walk::new(self, visitor, attempt.start(), Some(attempt));
        walk.go(user, password).await?;
        // Without an answer there it ended before the address was asked.
        Ok(walk.here)
    }

    /// Logs a visitor in to an app: follows the app's own address for it to the provider's form, fills it
    /// in, and follows the way back to a page of the app. What logs in afterwards is the visitor's cookies.
    ///
    /// # Errors
    /// [`OidcError::NotLoggedIn`] where the provider does not send the visitor back. What the app makes of
    /// it is in the answer.
    pub async fn login_by_form(
        &self,
        visitor: &Session,
        start: &str,
        user: &str,
        password: &SecretString,
    ) -> Result<Landed, OidcError> {
        let start = super::discovery::parse(start)?;
        let mut walk = Walk::new(self, visitor, &start, None);
        let answer = walk.go(user, password).await?;
        let answer = answer.ok_or_else(|| OidcError::Missing(format!("{} led nowhere", place(&start))))?;
        Ok(Landed { address: walk.here, answer, asked: walk.password })
    }

    /// The one place that gets a password.
    pub(super) fn origin(&self) -> Origin {
        self.discovery().authorization_endpoint.origin()
    }
}

/// A visitor's way through app and provider.
struct Walk<'a> {
    provider: Origin,
    visitor: &'a Session,
    attempt: Option<&'a Attempt>,
    start: &'a Url,
    here: Url,
    chain: Chain,
    was_there: bool,
    user: bool,
    password: bool,
}

impl<'a> Walk<'a> {
    fn new(provider: &Oidc, visitor: &'a Session, start: &'a Url, attempt: Option<&'a Attempt>) -> Self {
        let (chain, here, provider) = (Chain::new(start), start.clone(), provider.origin());
        Self { provider, visitor, attempt, start, here, chain, was_there: false, user: false, password: false }
    }

    /// Ends at a page of the app, or without one where the attempt's way back begins.
    async fn go(&mut self, user: &str, password: &SecretString) -> Result<Option<Answer>, OidcError> {
        let mut answer = self.visitor.ask(Method::GET, &self.here).send().await?;
        loop {
            while let Some(next) = self.chain.next(&self.here, &answer)? {
                self.was_there |= self.here.origin() == self.provider;
                self.here = next;
                if self.attempt.is_some_and(|attempt| attempt.ends_at(&self.here)) {
                    return Ok(None);
                }
                answer = self.visitor.ask(Method::GET, &self.here).send().await?;
            }
            if self.here.origin() != self.provider {
                return if self.was_there { Ok(Some(answer)) } else { Err(self.never(&answer).into()) };
            }
            let page = LoginPage::read(&answer.body);
            let form = page.login_form().ok_or_else(|| shown(&self.here, answer.status, &page))?;
            answer = self.post(form, &page, user, password).await?;
        }
    }

    async fn post(
        &mut self,
        form: &Form,
        page: &LoginPage,
        user: &str,
        password: &SecretString,
    ) -> Result<Answer, OidcError> {
        let (wants_user, wants_password) = (form.asks_for(Kind::Text), form.asks_for(Kind::Password));
        if (wants_password && self.password) || (!wants_password && (self.user || !wants_user)) {
            return Err(refused(&self.here, page).into());
        }
        self.user |= wants_user;
        self.password |= wants_password;
        let action = self.here.join(&form.action).ok().filter(|action| action.origin() == self.provider);
        let action = action.ok_or_else(|| NotLoggedIn::Elsewhere {
            at: place(&self.here),
            to: super::error::printable(form.action.split('?').next().unwrap_or_default()),
        })?;
        let fields = form.fields.iter().map(|field| match field.kind {
            Kind::Text => (field.name.as_str(), user),
            Kind::Password => (field.name.as_str(), password.expose_secret()),
            Kind::Given => (field.name.as_str(), field.value.as_str()),
        });
        let answer = self.visitor.ask(Method::POST, &action).form(fields).send().await?;
        self.here = action;
        // A browser would send the password on.
        if matches!(answer.status, 307 | 308) {
            let asked = format!("POST {}", place(&self.here));
            return Err(OidcError::wrong(asked, &answer, "it would have the password sent on"));
        }
        Ok(answer)
    }

    fn never(&self, answer: &Answer) -> NotLoggedIn {
        NotLoggedIn::NeverAsked {
            from: place(self.start),
            at: place(&self.here),
            status: answer.status,
            provider: self.provider.ascii_serialization(),
        }
    }
}

#[cfg(test)]
mod tests;
