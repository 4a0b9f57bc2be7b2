//! The responses to readers before and after the history is available.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use tower::ServiceExt as _;

use super::respond::NoPage;
use super::routes::router;
use super::{Site, headers};

/// The server's pages: an explanation that there is no history, until there is one.
#[derive(Debug, Clone, Default)]
pub struct Readers(Arc<OnceLock<Router>>);

impl Readers {
    /// Shows this site from now on. A site that is shown already stays.
    pub fn show(&self, site: Site) {
        self.0.get_or_init(|| router(site));
    }

    /// The fallback for every path that no other route serves.
    pub fn router(&self) -> Router {
        let readers = self.clone();
        Router::new()
            .fallback(async move |request: Request| readers.answer(request).await)
            .layer(from_fn(headers::guard))
    }

    async fn answer(&self, request: Request) -> Response {
        let what = "No results are shown: the history cannot be opened. The log of cc-ci serve has the reason. Runs are not affected.";
        match self.0.get() {
            Some(router) => router.clone().oneshot(request).await.into_response(),
            None => NoPage::Unset(what, "the history cannot be opened".to_owned()).into_response(),
        }
    }
}
