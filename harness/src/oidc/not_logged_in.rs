use url::Url;

use super::page::LoginPage;
use http_client::place;

/// Why a visitor is not logged in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLoggedIn {
    /// The provider does not take the name and the password.
    #[error("{at} takes neither name nor password: {said}")]
    Refused {
        /// The page of the form.
        at: String,
        /// What the page says.
        said: String,
    },
    /// The provider wants the visitor's leave for the client.
    #[error("{at} wants consent, by {page}; let the client need none")]
    Consent {
        /// The page's address.
        at: String,
        /// The page.
        page: String,
    },
    /// The provider wants something of the visitor first.
    #[error("{at} wants {action} first, by {page}; let the user have no required action")]
    Action {
        /// The page's address.
        at: String,
        /// The provider's name for it, such as `UPDATE_PASSWORD`.
        action: String,
        /// The page.
        page: String,
    },
    /// The provider shows something else than its form or the way back.
    #[error("{at} answered {status} with {page}, wanted the way back to the app")]
    Shown {
        /// The page's address.
        at: String,
        /// The status.
        status: u16,
        /// The page.
        page: String,
    },
    /// The app never sent the visitor to the provider.
    #[error("{from} led to {at} ({status}) and never to the provider {provider}")]
    NeverAsked {
        /// Where the login began.
        from: String,
        /// Where it ended.
        at: String,
        /// The status there.
        status: u16,
        /// The provider.
        provider: String,
    },
    /// The form would give the password to somebody else.
    #[error("the form of {at} leads to {to}, which is not the provider")]
    Elsewhere {
        /// The page's address.
        at: String,
        /// Where the form leads.
        to: String,
    },
}

/// What a page of the provider's wants that is not its form.
pub(super) fn shown(here: &Url, status: u16, page: &LoginPage) -> NotLoggedIn {
    let (at, described) = (place(here), page.describe());
    let action = here.query_pairs().find(|(name, _)| name == "execution").map(|(_, value)| value.into_owned());
    let action = action.filter(|_| here.path().ends_with("/login-actions/required-action"));
    let consents = page.forms.iter().any(|form| form.action.contains("/login-actions/consent"));
    match action.as_deref() {
        _ if consents => NotLoggedIn::Consent { at, page: described },
        Some(action) => NotLoggedIn::Action { at, action: super::error::printable(action), page: described },
        None => NotLoggedIn::Shown { at, status, page: described },
    }
}

/// A provider that shows its form again.
pub(super) fn refused(here: &Url, page: &LoginPage) -> NotLoggedIn {
    let said = page.said.clone().unwrap_or_else(|| "it shows its form again".to_owned());
    NotLoggedIn::Refused { at: place(here), said }
}
