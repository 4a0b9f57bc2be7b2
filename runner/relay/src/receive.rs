//! The receiver: `POST /api/runs/RUN/records?first=N&sender=NAME` with lines of a journal.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base::names::RunId;
use forge::token::RequiredToken;

use super::folders::{BatchRefusal, Folders};
use super::follow::Batch;
use super::wire::{BODY, PictureName, RelayReply};

/// Stores the reports of runs that present this token in a state folder.
///
/// A picture that one of its records names is sent to `POST /api/runs/RUN/pictures/NAME?sender=NAME`, before that
/// record.
///
/// 200: accepted, with the next expected line. 409: lines before it are missing, with the expected one. 400: not part
/// of this run's journal. 401: wrong token. 403: another process reports as this run. 413: too large. 503: the disk
/// refuses now.
pub fn router(state: PathBuf, token: RequiredToken) -> Router {
    Router::new()
        .route("/api/runs/{run}/records", post(take))
        .route("/api/runs/{run}/pictures/{name}", post(picture))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(Arc::new((token, Folders::below(state))))
}

type Shared = Arc<(RequiredToken, Folders)>;

async fn take(
    _may: MayReport,
    State(shared): State<Shared>,
    Path(run): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
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
            answer(StatusCode::OK, &RelayReply { next: Some(taken.next), hold_s, ..RelayReply::default() })
        }
        Ok(Err(BatchRefusal::Gap { next })) => {
            answer(StatusCode::CONFLICT, &RelayReply { next: Some(next), ..RelayReply::default() })
        }
        Ok(Err(BatchRefusal::Here)) => answer(StatusCode::OK, &RelayReply { here: true, ..RelayReply::default() }),
        Ok(Err(refusal)) => not_taken(&about, &refusal),
        Err(_) => refused(StatusCode::SERVICE_UNAVAILABLE, "it was not processed"),
    }
}

async fn picture(
    _may: MayReport,
    State(shared): State<Shared>,
    Path((run, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let (Ok(run), Some(name)) = (run.parse::<RunId>(), PictureName::new(&name)) else {
        return refused(StatusCode::BAD_REQUEST, "the address names no picture of a run");
    };
    let Some(sender) = query.as_deref().and_then(sender) else {
        return refused(StatusCode::BAD_REQUEST, "sender is 8 to 64 letters and digits");
    };
    let about = run.clone();
    let taken = tokio::task::spawn_blocking(move || shared.1.take_picture(&run, &sender, &name, &body)).await;
    match taken {
        Ok(Ok(())) => answer(StatusCode::OK, &RelayReply::default()),
        Ok(Err(refusal)) => not_taken(&about, &refusal),
        Err(_) => refused(StatusCode::SERVICE_UNAVAILABLE, "it was not processed"),
    }
}

/// A client that presented the token. It is checked before the body is read, so that other clients cannot store data.
struct MayReport;

impl FromRequestParts<Shared> for MayReport {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Response> {
        let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match shown.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| shared.0.is(token)) {
            true => Ok(Self),
            false => Err(refused(StatusCode::UNAUTHORIZED, "the token is not the one for reports")),
        }
    }
}

fn not_taken(run: &RunId, refusal: &BatchRefusal) -> Response {
    let status = match refusal {
        BatchRefusal::Other => StatusCode::FORBIDDEN,
        BatchRefusal::Full => StatusCode::PAYLOAD_TOO_LARGE,
        BatchRefusal::Disk(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    tracing::warn!("what run {run} reports is not taken: {refusal}");
    // The system's message contains paths of this machine.
    let why =
        if matches!(refusal, BatchRefusal::Disk(_)) { "the disk refuses".to_owned() } else { refusal.to_string() };
    refused(status, &why)
}

/// The number of the first line, and the sender.
fn place(query: &str) -> Option<(u64, String)> {
    Some((of(query, "first")?.parse().ok()?, sender(query)?))
}

fn sender(query: &str) -> Option<String> {
    let is_name = |name: &String| (8..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    of(query, "sender").filter(is_name)
}

fn of(query: &str, name: &str) -> Option<String> {
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

fn refused(status: StatusCode, why: &str) -> Response {
    answer(status, &RelayReply { why: Some(why.to_owned()), ..RelayReply::default() })
}

fn answer(status: StatusCode, answer: &RelayReply) -> Response {
    match serde_json::to_vec(answer) {
        Ok(json) => (status, [(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests;
