use std::fmt;

use http_client::{Answer, NoAnswer, TooManyRedirects};

use super::code::CallbackRefused;

use super::jwt::TokenRefused;
use super::not_logged_in::NotLoggedIn;

/// The most characters of a stranger's words that a message has.
const WORDS: usize = 200;

/// Why something with a provider did not go as it was asked. No message holds a password, a secret, a
/// token, a code or a cookie.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// Nobody answers there.
    #[error(transparent)]
    Unreachable(#[from] NoAnswer),
    /// Something answers, and not as an OpenID provider does.
    #[error("{asked} answered {status}: {what}")]
    Wrong {
        /// What was asked: `GET https://host/path`.
        asked: String,
        /// The status that came back.
        status: u16,
        /// What is wrong with the answer.
        what: String,
    },
    /// The provider refuses, in the words of OAuth.
    #[error("{asked} answered {status}: {refusal}")]
    Refused {
        /// What was asked: `POST https://host/path`.
        asked: String,
        /// The status that came back; 302 where the refusal came by a redirect.
        status: u16,
        /// What it said.
        refusal: OauthRefusal,
    },
    /// The configuration is that of another issuer.
    #[error("{asked} is the configuration of {told}, wanted that of {wanted}")]
    Issuer {
        /// What was asked.
        asked: String,
        /// The issuer that was wanted.
        wanted: String,
        /// The issuer that it names.
        told: String,
    },
    /// What was asked for is not in the answer, or the provider does not offer it.
    #[error("{0}")]
    Missing(String),
    /// A token is not to be believed.
    #[error("the token is refused: {0}")]
    Token(#[from] TokenRefused),
    /// The address that the provider sent the visitor back to is not to be believed.
    #[error("the way back from the provider is refused: {0}")]
    Callback(#[from] CallbackRefused),
    /// The visitor is not logged in.
    #[error(transparent)]
    NotLoggedIn(#[from] NotLoggedIn),
    /// A chain of redirects has no end.
    #[error(transparent)]
    Redirects(#[from] TooManyRedirects),
    /// A text that should be an address is none.
    #[error("{0:?} is no address: {1}")]
    Address(String, String),
    /// What only a token should open is open.
    #[error("{asked} answered {status} {how}, wanted 401 or 403")]
    Unprotected {
        /// What was asked.
        asked: String,
        /// The status that came back.
        status: u16,
        /// With what it was asked: `without a token`.
        how: &'static str,
    },
}

impl OidcError {
    pub(super) fn wrong(asked: impl Into<String>, answer: &Answer, what: impl Into<String>) -> Self {
        Self::Wrong { asked: asked.into(), status: answer.status, what: what.into() }
    }

    /// The error code of a refusal in the words of OAuth; none for everything else.
    pub fn code(&self) -> Option<&OAuthCode> {
        match self {
            Self::Refused { refusal, .. } => Some(&refusal.code),
            _ => None,
        }
    }

    /// Why a token is not believed; none for everything else.
    pub fn token(&self) -> Option<&TokenRefused> {
        match self {
            Self::Token(refused) => Some(refused),
            _ => None,
        }
    }

    /// Whether nobody answered, rather than something wrong.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

/// A refusal in the words of OAuth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthRefusal {
    /// The code.
    pub code: OAuthCode,
    /// The provider's own words, at most 200 characters of them; may be empty.
    pub description: String,
}

impl OauthRefusal {
    pub(super) fn new(code: &str, description: &str) -> Self {
        Self { code: OAuthCode::from(code), description: printable(description) }
    }
}

impl fmt::Display for OauthRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.description.is_empty() {
            return write!(f, "{}", self.code);
        }
        write!(f, "{} ({})", self.code, self.description)
    }
}

macro_rules! codes {
    ($($name:ident = $code:literal,)+) => {
        /// The error codes of OAuth 2.0 and OpenID Connect that are told apart.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum OAuthCode {
            $(#[doc = concat!("`", $code, "`")] $name,)+
            /// The answer names none, as for a request without a token.
            None,
            /// Another.
            Other(String),
        }

        impl From<&str> for OAuthCode {
            fn from(code: &str) -> Self {
                match code { $($code => Self::$name,)+ "" => Self::None, other => Self::Other(printable(other)) }
            }
        }

        impl fmt::Display for OAuthCode {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $code,)+ Self::None => "refused without a code", Self::Other(other) => other
                })
            }
        }
    };
}

codes! {
    InvalidRequest = "invalid_request",
    InvalidClient = "invalid_client",
    InvalidGrant = "invalid_grant",
    UnauthorizedClient = "unauthorized_client",
    UnsupportedGrantType = "unsupported_grant_type",
    UnsupportedResponseType = "unsupported_response_type",
    InvalidScope = "invalid_scope",
    InvalidToken = "invalid_token",
    InsufficientScope = "insufficient_scope",
    AccessDenied = "access_denied",
    LoginRequired = "login_required",
    InteractionRequired = "interaction_required",
    ConsentRequired = "consent_required",
    ServerError = "server_error",
    TemporarilyUnavailable = "temporarily_unavailable",
}

/// A stranger's words in one line of bounded length.
pub(super) fn printable(text: &str) -> String {
    let mut words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = String::new();
    let mut left = WORDS;
    while left > 0
        && let Some(word) = words.next()
    {
        if !line.is_empty() {
            line.push(' ');
        }
        let taken: String = word.chars().take(left).collect();
        left -= taken.chars().count();
        line.push_str(&taken);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_by_its_own_word() {
        for word in ["invalid_client", "invalid_grant", "access_denied", "made_up"] {
            assert_eq!(OAuthCode::from(word).to_string(), word);
        }
        assert_eq!(OAuthCode::from("invalid_grant"), OAuthCode::InvalidGrant);
        assert_eq!(OAuthCode::from("made_up"), OAuthCode::Other("made_up".to_owned()));
        assert_eq!(OAuthCode::from(""), OAuthCode::None);
    }

    #[test]
    fn a_strangers_words_are_one_short_line() {
        assert_eq!(printable(" a\n\tb\u{1b}[31m c "), "a b [31m c");
        assert!(printable(&"ä ".repeat(5000)).chars().count() <= 2 * WORDS);
        assert!(printable(&"ä".repeat(5000)).chars().count() <= WORDS);
    }
}
