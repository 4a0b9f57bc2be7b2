use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

pub(crate) const TOKEN: &str = "55f24eb3d61ef6ac5e83d550178638dc";
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

type Builds = Arc<Mutex<Vec<Value>>>;
type Answer = Result<Json<Value>, StatusCode>;

pub(crate) struct StandIn {
    url: Url,
    builds: Builds,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let builds = Builds::default();
        let router = Router::new()
            .route("/api/repos/{owner}/{name}/builds", post(create).get(list))
            .route("/api/repos/{owner}/{name}/builds/{build}", get(info).delete(stop))
            .layer(from_fn(authorised))
            .with_state(Arc::clone(&builds));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, builds }
    }

    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    pub(crate) fn set(&self, number: usize, status: &str) {
        self.builds.lock().unwrap()[number - 1]["status"] = status.into();
    }

    pub(crate) fn parameter(&self, number: usize, name: &str) -> Option<String> {
        self.builds.lock().unwrap()[number - 1]["params"][name].as_str().map(str::to_owned)
    }
}

async fn authorised(headers: HeaderMap, request: Request, next: Next) -> Result<Response, StatusCode> {
    match headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        Some(value) if value == format!("Bearer {TOKEN}") => Ok(next.run(request).await),
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}

fn known(owner: &str, name: &str) -> Result<(), StatusCode> {
    if (owner, name) == ("coop", "cc-ci") { Ok(()) } else { Err(StatusCode::NOT_FOUND) }
}

async fn create(
    State(builds): State<Builds>,
    Path((owner, name)): Path<(String, String)>,
    Query(mut query): Query<BTreeMap<String, String>>,
) -> Answer {
    known(&owner, &name)?;
    // The branch is the default one and the commit its newest where they are not named.
    let branch = query.remove("branch").unwrap_or_else(|| "main".to_owned());
    let commit = query.remove("commit").unwrap_or_else(|| COMMIT.to_owned());
    if branch != "main" || commit != COMMIT {
        return Err(StatusCode::NOT_FOUND);
    }
    let mut builds = builds.lock().unwrap();
    let build = json!({
        "id": 100_207 + builds.len(), "repo_id": 296_163, "number": builds.len() + 1, "status": "pending",
        "event": "custom", "before": commit, "after": commit, "ref": format!("refs/heads/{branch}"),
        "target": branch, "params": query, "created": 1_564_085_874, "version": 1,
    });
    builds.push(build.clone());
    Ok(Json(build))
}

async fn list(
    State(builds): State<Builds>,
    Path((owner, name)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Answer {
    known(&owner, &name)?;
    if query.keys().any(|key| !["page", "per_page", "branch", "tag"].contains(&key.as_str())) {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(Json(builds.lock().unwrap().iter().rev().cloned().collect()))
}

async fn info(State(builds): State<Builds>, Path((owner, name, build)): Path<(String, String, usize)>) -> Answer {
    known(&owner, &name)?;
    let builds = builds.lock().unwrap();
    let found = build.checked_sub(1).and_then(|at| builds.get(at));
    found.cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn stop(
    State(builds): State<Builds>,
    Path((owner, name, build)): Path<(String, String, usize)>,
) -> Result<StatusCode, StatusCode> {
    known(&owner, &name)?;
    let mut builds = builds.lock().unwrap();
    let found = build.checked_sub(1).and_then(|at| builds.get_mut(at)).ok_or(StatusCode::NOT_FOUND)?;
    if found["status"] == "pending" || found["status"] == "running" {
        found["status"] = "killed".into();
    }
    Ok(StatusCode::NO_CONTENT)
}
