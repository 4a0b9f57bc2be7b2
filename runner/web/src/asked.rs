//! Parameters of paths and queries. An invalid name is answered with a page, or with JSON, as not found: the parser's
//! message is an internal detail, and may contain the request's text.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::respond::NoPage;

/// The names in a path.
#[derive(Debug)]
pub(super) struct NamedPart<T>(pub(super) T);

/// The query parameters.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for NamedPart<T> {
    type Rejection = NoPage;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, NoPage> {
        let named = Path::<T>::from_request_parts(parts, state).await;
        named.map(|Path(named)| Self(named)).map_err(|_| NoPage::Missing("page"))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = NoPage;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, NoPage> {
        let asked = Query::<T>::from_request_parts(parts, state).await;
        let wrong = |_| NoPage::Wrong("a name or a number in the query is invalid".to_owned());
        asked.map(|Query(asked)| Self(asked)).map_err(wrong)
    }
}
