//! The paths that cc-ci uses, as Drone answers them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::{COMMIT, Shared, TOKEN};

type Answer = Result<Json<Value>, Refusal>;

/// What Drone says where it refuses.
struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "message": self.1 }))).into_response()
    }
}
type Parameters = Query<BTreeMap<String, String>>;

pub(crate) fn router(server: Shared) -> Router {
    Router::new()
        .route("/api/user", get(user))
        .route("/api/repos/{owner}/{name}", get(repository))
        .route("/api/repos/{owner}/{name}/builds", post(create).get(list))
        .route("/api/repos/{owner}/{name}/builds/{build}", get(find).post(retry).delete(cancel))
        .route("/api/repos/{owner}/{name}/builds/{build}/logs/{stage}/{step}", get(log))
        .layer(from_fn_with_state(Arc::clone(&server), allowed))
        .layer(from_fn_with_state(Arc::clone(&server), troubled))
        .with_state(server)
}

fn says(status: StatusCode, message: &'static str) -> Refusal {
    Refusal(status, message)
}

fn not_found() -> Refusal {
    says(StatusCode::NOT_FOUND, "Not Found")
}

/// Of a build that is not there: the words of Drone's store.
fn no_row() -> Refusal {
    says(StatusCode::NOT_FOUND, "sql: no rows in result set")
}

async fn troubled(State(server): State<Shared>, request: Request, next: Next) -> Result<Response, StatusCode> {
    let is_start = request.method() == Method::POST;
    let asked = format!("{} {}", request.method(), request.uri().path());
    let (down, loses) = {
        let mut server = server.lock().unwrap();
        server.asked.push(asked);
        (server.down, is_start && !server.down && std::mem::take(&mut server.loses_answer))
    };
    if down {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let answer = next.run(request).await;
    if loses { Err(StatusCode::BAD_GATEWAY) } else { Ok(answer) }
}

/// A token that is not known makes a guest, who may read what is public.
async fn allowed(
    State(server): State<Shared>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let is_user = shown == Some(format!("Bearer {TOKEN}").as_str());
    let is_read = request.method() == Method::GET && request.uri().path() != "/api/user";
    if !is_user && !is_read {
        return Err(says(StatusCode::UNAUTHORIZED, "Unauthorized"));
    }
    let (visible, may_write) = {
        let repository = &server.lock().unwrap().repository;
        (repository.visible, repository.may_write)
    };
    let path = request.uri().path().to_owned();
    let is_known = path == "/api/user" || (path.starts_with("/api/repos/coop/cc-ci") && visible);
    if !is_known || (request.method() != Method::GET && !may_write) {
        return Err(not_found());
    }
    Ok(next.run(request).await)
}

async fn user() -> Json<Value> {
    Json(json!({ "id": 1, "login": "cc-ci", "admin": false, "active": true }))
}

async fn repository(State(server): State<Shared>) -> Json<Value> {
    let repository = server.lock().unwrap().repository.clone();
    Json(json!({
        "id": 296_163, "namespace": "coop", "name": "cc-ci", "slug": "coop/cc-ci", "default_branch": "main",
        "active": repository.active, "config_path": ".drone.yml", "trusted": repository.trusted,
        "protected": false, "timeout": repository.timeout,
        "permissions": { "read": true, "write": repository.may_write, "admin": false },
    }))
}

async fn create(State(server): State<Shared>, Query(mut query): Parameters) -> Answer {
    let (repository, branch) = {
        let server = server.lock().unwrap();
        // The branch is the default one and the commit its newest where they are not named.
        (server.repository.clone(), query.remove("branch").unwrap_or_else(|| "main".to_owned()))
    };
    let commit = query.remove("commit").unwrap_or_else(|| COMMIT.to_owned());
    query.remove("access_token");
    if !repository.active {
        return Err(no_row());
    }
    match repository.branches.get(&branch) {
        None => return Err(not_found()),
        _ if commit != COMMIT => return Err(not_found()),
        Some(None) => {
            tokio::time::sleep(repository.patience).await;
            return Err(says(StatusCode::INTERNAL_SERVER_ERROR, "Not Found"));
        }
        Some(Some(_)) => {}
    }
    Ok(Json(server.lock().unwrap().make(&branch, &commit, query, 0)))
}

async fn list(State(server): State<Shared>, Query(query): Parameters) -> Answer {
    if query.keys().any(|key| !["page", "per_page", "branch", "tag"].contains(&key.as_str())) {
        return Err(says(StatusCode::BAD_REQUEST, "unknown parameter"));
    }
    let mut all: Vec<Value> = server.lock().unwrap().builds.iter().rev().cloned().collect();
    all.retain(|build| build["forgotten"] != true);
    for build in &mut all {
        build.as_object_mut().unwrap().remove("stages");
    }
    Ok(Json(all.into()))
}

fn place(server: &Shared, number: usize) -> Result<usize, Refusal> {
    let server = server.lock().unwrap();
    let found = number.checked_sub(1).and_then(|at| server.builds.get(at));
    found.filter(|build| build["forgotten"] != true).map(|_| number).ok_or_else(no_row)
}

async fn find(State(server): State<Shared>, Path((_, _, build)): Path<(String, String, usize)>) -> Answer {
    let number = place(&server, build)?;
    Ok(Json(server.lock().unwrap().builds[number - 1].clone()))
}

async fn retry(State(server): State<Shared>, Path((_, _, build)): Path<(String, String, usize)>) -> Answer {
    let number = place(&server, build)?;
    server.lock().unwrap().restart(number).map(Json).map_err(|why| says(StatusCode::BAD_REQUEST, why))
}

/// Answered with the build, whether there was anything to cancel or not.
async fn cancel(State(server): State<Shared>, Path((_, _, build)): Path<(String, String, usize)>) -> Answer {
    let number = place(&server, build)?;
    let mut server = server.lock().unwrap();
    server.cancel(number);
    Ok(Json(server.builds[number - 1].clone()))
}

async fn log(State(server): State<Shared>, Path(path): Path<(String, String, usize, usize, usize)>) -> Answer {
    let number = place(&server, path.2)?;
    let server = server.lock().unwrap();
    let lines = server.logs.get(&number).filter(|_| (path.3, path.4) == (1, 1)).ok_or_else(no_row)?;
    let line = |(at, text): (usize, &String)| json!({ "pos": at, "out": format!("{text}\n"), "time": at });
    Ok(Json(lines.iter().enumerate().map(line).collect::<Vec<_>>().into()))
}
