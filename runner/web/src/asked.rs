//! What a path and a question name. What cannot be a name is answered with a page, or with JSON, as what is not
//! there: the words of the parser are nobody's business, and may hold what was asked.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::respond::NoPage;

/// The names in a path.
#[derive(Debug)]
pub(super) struct NamedPart<T>(pub(super) T);

/// What stands behind the question mark.
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
        let wrong = |_| NoPage::Wrong("a name or a number behind the question mark is none".to_owned());
        asked.map(|Query(asked)| Self(asked)).map_err(wrong)
    }
}
