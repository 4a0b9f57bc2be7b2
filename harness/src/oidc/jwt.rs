//! Whether a token is to be believed. Nothing here asks anybody: keys and clock are given.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::claims::{Claims, Expect};
use super::error::printable;
use super::jwks::{Alg, Jwks};

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// It is not three parts of which each is what it should be.
    #[error("it is no signed token: {0}")]
    Malformed(&'static str),
    /// It says of itself that nobody signed it.
    #[error("it is not signed (its algorithm is \"none\")")]
    Unsigned,
    /// Its algorithm is not one of a public key.
    #[error("its algorithm {0:?} is not one of a public key")]
    Algorithm(String),
    /// The provider has no such key.
    #[error("the provider has no key {0:?}")]
    UnknownKey(String),
    /// It names no key, and the provider has several.
    #[error("it names no key, and the provider has several")]
    NoKeyNamed,
    /// The key that it names is for another algorithm.
    #[error("its algorithm {0:?} is not the one that its key is for")]
    WrongKey(String),
    /// It demands something that is not understood here.
    #[error("it demands an extension that is not known here")]
    Extension,
    /// The key has not signed this.
    #[error("its signature is not the provider's")]
    Signature,
    /// A claim is not there, or is not what it should be.
    #[error("it has no proper claim {0:?}")]
    Claim(&'static str),
    /// Another provider made it.
    #[error("its issuer is {told:?}, wanted {wanted:?}")]
    Issuer {
        /// The issuer that was wanted.
        wanted: String,
        /// The one that it names.
        told: String,
    },
    /// It is meant for somebody else.
    #[error("it is for {told:?}, wanted {wanted:?}")]
    Audience {
        /// The audience that was wanted.
        wanted: String,
        /// Those that it names.
        told: Vec<String>,
    },
    /// It was given to somebody else.
    #[error("it was given to {told:?}, wanted {wanted:?}")]
    Party {
        /// The client that was wanted.
        wanted: String,
        /// The one that it names, if any.
        told: Option<String>,
    },
    /// Its time is over.
    #[error("it expired at {at}, and it is {now}")]
    Expired {
        /// When it expired.
        at: Timestamp,
        /// The time that it was judged at.
        now: Timestamp,
    },
    /// Its time has not come.
    #[error("it is valid from {from}, and it is {now}")]
    NotYetValid {
        /// From when it is valid.
        from: Timestamp,
        /// The time that it was judged at.
        now: Timestamp,
    },
    /// It was made at a time that has not come.
    #[error("it was made at {at}, and it is {now}")]
    FromTheFuture {
        /// When it was made.
        at: Timestamp,
        /// The time that it was judged at.
        now: Timestamp,
    },
    /// It belongs to another login.
    #[error("its nonce is not that of this login")]
    Nonce,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Believes a token or says why not. The signature comes first, so that nothing of an unsigned token is
/// looked at.
pub fn verify(token: &str, keys: &Jwks, issuer: &str, expect: &Expect, now: Timestamp) -> Result<Claims, TokenRefused> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenRefused::Malformed("it has not three parts"));
    };
    let decode =
        |part: &str, what: &'static str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRefused::Malformed(what));
    let read: Header = serde_json::from_slice(&decode(header, "its header is not base64url")?)
        .map_err(|_| TokenRefused::Malformed("its header is not the JSON of one"))?;
    let alg = algorithm(&read)?;
    let signature = decode(signature, "its signature is not base64url")?;
    let message = token.get(..header.len() + 1 + payload.len()).unwrap_or_default();
    signed(&read, alg, keys, message.as_bytes(), &signature)?;
    let claims = serde_json::from_slice(&decode(payload, "its content is not base64url")?)
        .map_err(|_| TokenRefused::Malformed("its content is not a JSON object"))?;
    super::claims::judge(claims, issuer, expect, now)
}

fn algorithm(header: &Header) -> Result<Alg, TokenRefused> {
    if header.crit.is_some() {
        return Err(TokenRefused::Extension);
    }
    if header.alg.eq_ignore_ascii_case("none") {
        return Err(TokenRefused::Unsigned);
    }
    Alg::named(&header.alg).ok_or_else(|| TokenRefused::Algorithm(printable(&header.alg)))
}

fn signed(header: &Header, alg: Alg, keys: &Jwks, message: &[u8], signature: &[u8]) -> Result<(), TokenRefused> {
    let kid = header.kid.as_deref();
    let mut of_name = keys.named(kid).peekable();
    if of_name.peek().is_none() {
        return Err(TokenRefused::UnknownKey(printable(kid.unwrap_or_default())));
    }
    let fitting: Vec<_> = of_name.filter(|key| key.is_for(alg)).collect();
    match (fitting.as_slice(), kid) {
        ([], _) => Err(TokenRefused::WrongKey(printable(&header.alg))),
        ([_, _, ..], None) => Err(TokenRefused::NoKeyNamed),
        (keys, _) if keys.iter().any(|key| key.has_signed(alg, message, signature)) => Ok(()),
        _ => Err(TokenRefused::Signature),
    }
}

#[cfg(test)]
mod tests;
