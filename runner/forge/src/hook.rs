//! Webhooks: the same comments as polling finds, some seconds sooner. Polling finds what is lost here; the watcher
//! discards duplicates.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc;

use crate::api::{Comment, comment_of_payload};

/// A larger payload is refused. It contains the pull request's description as well as the comment; polling finds longer
/// ones.
pub const PAYLOAD_BYTES: usize = 2 * 1024 * 1024;

/// A shorter secret could be guessed from one signed payload.
pub const SECRET_LENGTH: usize = 16;

/// The events about comments on pull requests in Gitea and GitHub.
const EVENTS: [&str; 2] = ["issue_comment", "pull_request_comment"];

/// Why a payload is refused. The sender learns no more than this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The secret is too short.
    #[error(
        "the webhook's secret must have at least {SECRET_LENGTH} characters; create a new one and set it in the forge too"
    )]
    Weak,
    /// The signature is missing or does not match the secret.
    #[error("the payload is not signed with the webhook's secret")]
    Unsigned,
    /// It is signed, and is not a known payload.
    #[error("the payload cannot be read: {0}; is the webhook of the right kind?")]
    Unreadable(String),
}

/// The secret that a forge signs its payloads with.
#[derive(Clone)]
pub struct HookSecret(hmac::Key);

impl std::fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HookSecret(…)")
    }
}

impl HookSecret {
    pub fn new(secret: &SecretString) -> Result<Self, HookError> {
        let secret = secret.expose_secret();
        if secret.len() < SECRET_LENGTH {
            return Err(HookError::Weak);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())))
    }

    /// The signature of a payload, in hexadecimal digits.
    pub fn sign(&self, payload: &[u8]) -> String {
        hmac::sign(&self.0, payload).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether a payload has this signature, in hexadecimal digits. Constant time.
    fn has_signed(&self, payload: &[u8], signature: &str) -> bool {
        bytes_of(signature).is_some_and(|tag| hmac::verify(&self.0, payload, &tag).is_ok())
    }
}

/// The headers of a payload.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signed<'a> {
    /// The header `X-Gitea-Signature`: only digits.
    pub gitea: Option<&'a str>,
    /// The header `X-Hub-Signature-256`: `sha256=` and the digits.
    pub hub: Option<&'a str>,
    /// The header `X-Gitea-Event` or `X-GitHub-Event`.
    pub event: Option<&'a str>,
}

/// The comment of a webhook; `None` if it is about something else. Pure.
///
/// # Errors
/// The payload is not signed, or malformed. The signature is checked first.
pub fn read(secret: &HookSecret, signed: Signed<'_>, payload: &[u8]) -> Result<Option<Comment>, HookError> {
    let signature = signed.gitea.or_else(|| signed.hub.and_then(|hub| hub.strip_prefix("sha256=")));
    if !signature.is_some_and(|signature| secret.has_signed(payload, signature)) {
        return Err(HookError::Unsigned);
    }
    if !signed.event.is_some_and(|event| EVENTS.contains(&event)) {
        return Ok(None);
    }
    comment_of_payload(payload).map_err(HookError::Unreadable)
}

fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.chunks_exact(2).map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?)).collect()
}

/// A route that takes webhooks at `path` and forwards their comments. It returns 204 on success, 401 for a wrong
/// signature, 400 and 413 for a malformed or long payload, and 503 if comments are not accepted at the moment; none of
/// these loses a comment, since polling finds it.
pub fn router(path: &str, secret: HookSecret, comments: mpsc::Sender<Comment>) -> Router {
    Router::new()
        .route(path, post(take))
        .layer(DefaultBodyLimit::max(PAYLOAD_BYTES))
        .with_state(Arc::new((secret, comments)))
}

async fn take(
    State(state): State<Arc<(HookSecret, mpsc::Sender<Comment>)>>,
    headers: HeaderMap,
    payload: Bytes,
) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = Signed {
        gitea: header("x-gitea-signature"),
        hub: header("x-hub-signature-256"),
        event: header("x-gitea-event").or_else(|| header("x-github-event")),
    };
    match read(&state.0, signed, &payload) {
        Ok(None) => StatusCode::NO_CONTENT,
        Ok(Some(comment)) => match state.1.try_send(comment) {
            Ok(()) => StatusCode::NO_CONTENT,
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        },
        Err(HookError::Unreadable(why)) => {
            tracing::warn!("a webhook's payload cannot be read: {why}");
            StatusCode::BAD_REQUEST
        }
        Err(_) => StatusCode::UNAUTHORIZED,
    }
}

#[cfg(test)]
mod tests;
