//! What can go wrong with a provider.

use base::failure::{Failure, Kind};
use base::names::RealmName;

use super::ProviderName;

/// Why a provider did not do what it was asked for. No text in it holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SsoError {
    /// No answer came.
    #[error("{provider} was asked to {asked} and did not answer: {why}")]
    Unreachable {
        /// Who was asked.
        provider: ProviderName,
        /// For what: "make realm ci-1".
        asked: String,
        /// Which address, and why there is no answer.
        why: String,
    },
    /// The provider does not take cc-ci for its administrator (401 or 403).
    #[error("{provider} refused to {asked}: {url} answered {status}: {said}")]
    Refused {
        /// Who was asked.
        provider: ProviderName,
        /// For what.
        asked: String,
        /// The address.
        url: String,
        /// The status.
        status: u16,
        /// The beginning of the answer.
        said: String,
    },
    /// There is a realm of this name.
    #[error("{provider} has a realm {realm} already: {said}")]
    Conflict {
        /// Who was asked.
        provider: ProviderName,
        /// The realm.
        realm: RealmName,
        /// What there is.
        said: String,
    },
    /// The realm was not made by cc-ci.
    #[error("realm {realm} of {provider} was not made by cc-ci: {said}")]
    NotOurs {
        /// Who was asked.
        provider: ProviderName,
        /// The realm.
        realm: RealmName,
        /// What shows it.
        said: String,
    },
    /// A redirect is not a whole address.
    #[error("the redirect {redirect:?} is no whole address: http(s)://, with no *, # or blank")]
    Redirect {
        /// The redirect.
        redirect: String,
    },
    /// The provider answered what its interface does not say, or not in time what it must say.
    #[error("{provider} was asked to {asked}: {url} {said}")]
    Unexpected {
        /// Who was asked.
        provider: ProviderName,
        /// For what.
        asked: String,
        /// The address.
        url: String,
        /// What is wrong with the answer, with its beginning: "answered 500: …".
        said: String,
    },
}

impl From<SsoError> for Failure {
    fn from(error: SsoError) -> Self {
        let (kind, look_at) = match &error {
            SsoError::Unreachable { .. } => {
                (Kind::ProviderUnreachable, "the log lines of the provider, and whether its domain leads to it")
            }
            SsoError::Refused { .. } => {
                (Kind::ProviderRefused, "the name and the secret of the provider's administrator in its recipe")
            }
            SsoError::Conflict { .. } => {
                (Kind::ProviderRefused, "which run made it: `cc-ci reap` removes what a killed run left")
            }
            SsoError::NotOurs { .. } => (Kind::ProviderRefused, "who made this realm; cc-ci leaves it alone"),
            SsoError::Redirect { .. } => (Kind::CheckBroken, "the redirects that recipe.toml names in [sso]"),
            SsoError::Unexpected { .. } => {
                (Kind::ProviderUnexpected, "the log lines of the provider, and its version: does cc-ci know it?")
            }
        };
        Self::new(kind, error.to_string(), look_at)
    }
}
