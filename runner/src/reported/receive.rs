//! The receiver: `POST /api/runs/RUN/records?first=N&sender=NAME` with lines of a journal.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use harness::names::RunId;
use trigger::token::Wanted;

use super::folders::{Folders, Refusal};
use super::follow::Batch;
use super::wire::{Answer, BODY};

/// Takes what runs report who show this token, into a state folder.
///
/// 200: taken, and what is wanted next. 409: lines before it are missing, and which is wanted. 400: it is no part of
/// this run's journal. 401: not the token. 403: another process reports as this run. 413: too much. 503: the disk
/// refuses now.
pub fn router(state: PathBuf, token: Wanted) -> Router {
    Router::new()
        .route("/api/runs/{run}/records", post(take))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(Arc::new((token, Folders::below(state))))
}

type Shared = Arc<(Wanted, Folders)>;

async fn take(
    State(shared): State<Shared>,
    Path(run): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !shown.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| shared.0.is(token)) {
        return refused(StatusCode::UNAUTHORIZED, "the token is not the one that runs report with");
    }
    let Ok(run) = run.parse::<RunId>() else {
        return refused(StatusCode::BAD_REQUEST, "the address names no run");
    };
    let Some((first, sender)) = query.as_deref().and_then(place) else {
        return refused(StatusCode::BAD_REQUEST, "first is a number, sender 8 to 64 letters and digits");
    };
    let batch = Batch { first, bytes: body.to_vec() };
    let about = run.clone();
    let taken = tokio::task::spawn_blocking(move || shared.1.take(&run, &sender, &batch)).await;
    match taken {
        Ok(Ok(taken)) => {
            let hold_s = taken.hold.map(|time| time.as_secs());
            answer(StatusCode::OK, &Answer { next: Some(taken.next), hold_s, ..Answer::default() })
        }
        Ok(Err(Refusal::Gap { next })) => {
            answer(StatusCode::CONFLICT, &Answer { next: Some(next), ..Answer::default() })
        }
        Ok(Err(Refusal::Here)) => answer(StatusCode::OK, &Answer { here: true, ..Answer::default() }),
        Ok(Err(refusal)) => {
            let status = match &refusal {
                Refusal::Other => StatusCode::FORBIDDEN,
                Refusal::Full => StatusCode::PAYLOAD_TOO_LARGE,
                Refusal::Disk(_) => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::BAD_REQUEST,
            };
            tracing::warn!("what run {about} reports is not taken: {refusal}");
            // What the disk says names folders of this machine.
            let why =
                if matches!(refusal, Refusal::Disk(_)) { "the disk refuses".to_owned() } else { refusal.to_string() };
            refused(status, &why)
        }
        Err(_) => refused(StatusCode::SERVICE_UNAVAILABLE, "it was not looked at"),
    }
}

/// The number of the first line, and who sends.
fn place(query: &str) -> Option<(u64, String)> {
    let of = |name: &str| url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    let (first, sender) = (of("first")?.1.parse().ok()?, of("sender")?.1.into_owned());
    let is_name = (8..=64).contains(&sender.len()) && sender.bytes().all(|b| b.is_ascii_alphanumeric());
    is_name.then_some((first, sender))
}

fn refused(status: StatusCode, why: &str) -> Response {
    answer(status, &Answer { why: Some(why.to_owned()), ..Answer::default() })
}

fn answer(status: StatusCode, answer: &Answer) -> Response {
    match serde_json::to_vec(answer) {
        Ok(json) => (status, [(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests;
