//! Responses and errors.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::shell::{LinkBase, Shell};
use history::HistoryError;

/// Why there is no page.
#[derive(Debug)]
pub(super) enum NoPage {
    /// Not found.
    Missing(&'static str),
    /// An invalid query.
    Wrong(String),
    /// The history does not answer.
    History(HistoryError),
    /// Its source is not available on this machine; the log says why, with paths that readers do not need.
    Unset(&'static str, String),
    /// A bug of cc-ci.
    Bug(String),
}

impl From<HistoryError> for NoPage {
    fn from(error: HistoryError) -> Self {
        Self::History(error)
    }
}

impl From<askama::Error> for NoPage {
    fn from(error: askama::Error) -> Self {
        Self::Bug(error.to_string())
    }
}

impl NoPage {
    /// Status, title and text.
    pub(super) fn words(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::Missing(what) => (
                StatusCode::NOT_FOUND,
                "Not found",
                format!("There is no such {what}. An old one may have been removed by retention."),
            ),
            Self::Wrong(why) => (StatusCode::BAD_REQUEST, "Invalid request", why.clone()),
            Self::History(error) => {
                tracing::error!("a page could not be rendered: {error}");
                let text =
                    "The history does not answer now; the log of cc-ci serve has the reason. Runs are not affected.";
                (StatusCode::SERVICE_UNAVAILABLE, "Unavailable", text.to_owned())
            }
            Self::Unset(what, why) => {
                tracing::error!("a page could not be rendered: {why}");
                (StatusCode::SERVICE_UNAVAILABLE, "Not available here", (*what).to_owned())
            }
            Self::Bug(why) => {
                tracing::error!("a page could not be rendered: {why}");
                (StatusCode::INTERNAL_SERVER_ERROR, "A bug of cc-ci", "Its log has the details.".to_owned())
            }
        }
    }
}

#[derive(Template)]
#[template(path = "pages/message.html")]
struct MessagePage {
    shell: Shell,
    title: &'static str,
    text: String,
}

impl IntoResponse for NoPage {
    fn into_response(self) -> Response {
        let (status, title, text) = self.words();
        let page = MessagePage { shell: Shell::new(title, "", LinkBase::Served), title, text };
        match page.render() {
            Ok(page) => (status, Html(page)).into_response(),
            Err(_) => (status, title).into_response(),
        }
    }
}

pub(super) fn html(page: &impl Template) -> Result<Response, NoPage> {
    Ok(Html(page.render()?).into_response())
}

/// A response of this media type.
pub(super) fn typed(kind: &'static str, body: impl Into<axum::body::Body>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body.into()).into_response()
}
