//! A stand-in for Drone's server.
//!
//! **It is not Drone.** Drone's server could not be had where this was made. The stand-in keeps to what is documented
//! of the paths, parameters, header and answers that cc-ci uses (`docs.drone.io/api/builds`), and refuses everything
//! else. It runs nothing by itself: whoever holds it hears of builds that are started and stopped, and says how they
//! stand. That the documentation was read rightly only a Drone can show.

#![expect(clippy::unwrap_used, reason = "for tests alone")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use url::Url;

/// The token of the one user.
pub const TOKEN: &str = "55f24eb3d61ef6ac5e83d550178638dc";
/// The newest commit of the branch `main` of the one repository, `coop/cc-ci`.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

type Shared = Arc<Mutex<Builds>>;
type Answer = Result<Json<Value>, StatusCode>;

#[derive(Default)]
struct Builds {
    all: Vec<Value>,
    down: bool,
    loses: bool,
    asked: Vec<String>,
    heard: Option<mpsc::UnboundedSender<Heard>>,
}

/// What a runner of Drone would hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A build waits to be run, with these parameters.
    Started(usize, BTreeMap<String, String>),
    /// A build that waited or ran is to stop.
    Stopped(usize),
}

/// The stand-in.
pub struct StandIn {
    url: Url,
    builds: Shared,
}

impl std::fmt::Debug for StandIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StandIn({})", self.url)
    }
}

impl StandIn {
    /// Starts one on a port of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let builds = Shared::default();
        let router = Router::new()
            .route("/api/repos/{owner}/{name}/builds", post(create).get(list))
            .route("/api/repos/{owner}/{name}/builds/{build}", get(info).delete(stop))
            .layer(from_fn(authorised))
            .layer(from_fn_with_state(Arc::clone(&builds), troubled))
            .with_state(Arc::clone(&builds));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, builds }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Builds) -> T) -> T {
        work(&mut self.builds.lock().unwrap())
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// Says how a build stands, in Drone's word.
    pub fn set(&self, number: usize, status: &str) {
        self.with(|builds| builds.all[number - 1]["status"] = status.into());
    }

    /// How a build stands, in Drone's word.
    #[must_use]
    pub fn status(&self, number: usize) -> String {
        self.with(|builds| builds.all[number - 1]["status"].as_str().unwrap().to_owned())
    }

    /// A parameter of a build.
    #[must_use]
    pub fn parameter(&self, number: usize, name: &str) -> Option<String> {
        self.with(|builds| builds.all[number - 1]["params"][name].as_str().map(str::to_owned))
    }

    /// How many builds were started.
    #[must_use]
    pub fn count(&self) -> usize {
        self.with(|builds| builds.all.len())
    }

    /// While it is down, it answers 503 to everything and does nothing.
    pub fn is_down(&self, down: bool) {
        self.with(|builds| builds.down = down);
    }

    /// The answer to the next request that starts a build gets lost: the build is there all the same.
    pub fn loses_the_next_answer(&self) {
        self.with(|builds| builds.loses = true);
    }

    /// The requests since this was asked the last time, such as `GET /api/repos/coop/cc-ci/builds`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.with(|builds| std::mem::take(&mut builds.asked))
    }

    /// What a runner of Drone hears from now on.
    #[must_use]
    pub fn hears(&self) -> mpsc::UnboundedReceiver<Heard> {
        let (send, heard) = mpsc::unbounded_channel();
        self.with(|builds| builds.heard = Some(send));
        heard
    }
}

async fn troubled(State(builds): State<Shared>, request: Request, next: Next) -> Result<Response, StatusCode> {
    let is_start = request.method() == "POST";
    let asked = format!("{} {}", request.method(), request.uri().path());
    let (down, loses) = {
        let mut builds = builds.lock().unwrap();
        builds.asked.push(asked);
        (builds.down, is_start && !builds.down && std::mem::take(&mut builds.loses))
    };
    if down {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let answer = next.run(request).await;
    if loses { Err(StatusCode::BAD_GATEWAY) } else { Ok(answer) }
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
    State(builds): State<Shared>,
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
    let number = builds.all.len() + 1;
    let build = json!({
        "id": 100_206 + number, "repo_id": 296_163, "number": number, "status": "pending",
        "event": "custom", "before": commit, "after": commit, "ref": format!("refs/heads/{branch}"),
        "target": branch, "params": query, "created": 1_564_085_874, "version": 1,
    });
    builds.all.push(build.clone());
    if let Some(heard) = &builds.heard {
        let _ = heard.send(Heard::Started(number, query));
    }
    Ok(Json(build))
}

async fn list(
    State(builds): State<Shared>,
    Path((owner, name)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Answer {
    known(&owner, &name)?;
    if query.keys().any(|key| !["page", "per_page", "branch", "tag"].contains(&key.as_str())) {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(Json(builds.lock().unwrap().all.iter().rev().cloned().collect()))
}

async fn info(State(builds): State<Shared>, Path((owner, name, build)): Path<(String, String, usize)>) -> Answer {
    known(&owner, &name)?;
    let builds = builds.lock().unwrap();
    let found = build.checked_sub(1).and_then(|at| builds.all.get(at));
    found.cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn stop(
    State(builds): State<Shared>,
    Path((owner, name, build)): Path<(String, String, usize)>,
) -> Result<StatusCode, StatusCode> {
    known(&owner, &name)?;
    let mut builds = builds.lock().unwrap();
    let found = build.checked_sub(1).and_then(|at| builds.all.get_mut(at)).ok_or(StatusCode::NOT_FOUND)?;
    if found["status"] == "pending" || found["status"] == "running" {
        found["status"] = "killed".into();
        if let Some(heard) = &builds.heard {
            let _ = heard.send(Heard::Stopped(build));
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
