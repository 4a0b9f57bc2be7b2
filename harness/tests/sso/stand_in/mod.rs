//! A stand-in for authentik; what it is good for and what not is said at the head of `main.rs`.

mod fields;
mod lists;
mod objects;
mod oidc;

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "the-administrators-token";

/// What the stand-in is to be.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The version that it says and whose fields it knows.
    pub(crate) version: &'static str,
    /// So many requests for lists find nothing that the worker makes.
    pub(crate) worker_takes: u32,
    /// Requests whose method and path contain this fail with `breaks_with`.
    pub(crate) breaks_at: Option<&'static str>,
    /// The status of a failure.
    pub(crate) breaks_with: u16,
    /// Whether the token's user is an administrator.
    pub(crate) is_superuser: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { version: "2025.10.1", worker_takes: 0, breaks_at: None, breaks_with: 500, is_superuser: true }
    }
}

/// Everything that the stand-in knows.
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) base: String,
    /// The objects of each list, by the list's path.
    pub(super) lists: BTreeMap<&'static str, Vec<Value>>,
    /// What the worker will have made.
    pub(super) managed: Vec<(&'static str, Value)>,
    /// By user.
    pub(super) passwords: HashMap<u64, String>,
    /// By the token's identifier.
    pub(super) keys: HashMap<String, String>,
    /// Access tokens: provider, user, scopes.
    pub(super) access: HashMap<String, (u64, u64, Vec<String>)>,
    pub(super) next: u64,
    /// Requests for lists so far.
    pub(super) listed: u32,
}

/// A request that was read to its end.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) authorization: String,
    pub(super) body: String,
}

/// A status with its body; a redirect's body is its address.
pub(super) type Reply = (u16, Value);

/// A running stand-in. It ends with the test's runtime.
pub(crate) struct StandIn {
    pub(crate) base: String,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    pub(crate) async fn start(settings: Settings) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::new(settings, base.clone())));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                let service = service_fn(move |request| answer(request, Arc::clone(&state)));
                tokio::spawn(async move {
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { base, state }
    }

    /// Makes an object as somebody else, by the interface's own rules.
    pub(crate) fn somebody_makes(&self, list: &'static str, object: Value) -> Value {
        let (status, made) = self.state.lock().unwrap().create(list, &object.to_string());
        assert_eq!(status, 201, "{made}");
        made
    }

    /// How many objects there are in all lists, besides what the worker makes.
    pub(crate) fn objects(&self) -> usize {
        self.state.lock().unwrap().lists.values().map(Vec::len).sum()
    }

    /// The objects of a list.
    pub(crate) fn list(&self, list: &str) -> Vec<Value> {
        self.state.lock().unwrap().lists.get(list).cloned().unwrap_or_default()
    }

    /// From now on these requests fail.
    pub(crate) fn breaks_at(&self, at: Option<&'static str>) {
        self.state.lock().unwrap().settings.breaks_at = at;
    }

    /// From now on every request fails with this status.
    pub(crate) fn breaks_with(&self, status: u16) {
        let settings = &mut self.state.lock().unwrap().settings;
        (settings.breaks_at, settings.breaks_with) = (Some("/"), status);
    }

    /// How often a list was asked for.
    pub(crate) fn listed(&self) -> u32 {
        self.state.lock().unwrap().listed
    }
}

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default()),
        authorization: header("authorization").unwrap_or_default(),
        body,
    };
    let (status, body) = state.lock().unwrap().reply(&asked);
    let response = Response::builder().status(status);
    Ok(match (status, &body) {
        (302, Value::String(to)) => response.header("location", to).body(Full::default()).unwrap(),
        (204, _) => response.body(Full::default()).unwrap(),
        _ => response.header("content-type", "application/json").body(Full::from(body.to_string())).unwrap(),
    })
}

/// The fields of a query or a form.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://x/?{text}")).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

impl State {
    fn new(settings: Settings, base: String) -> Self {
        let flow = |pk: &str, slug: &str| json!({"pk": pk, "slug": slug, "name": slug});
        let scope = |name: &str| {
            let managed = format!("goauthentik.io/providers/oauth2/scope-{name}");
            let expression = "return {}";
            json!({"pk": format!("scope-{name}"), "managed": managed, "name": name, "scope_name": name, "expression": expression})
        };
        let mut managed = vec![
            ("/flows/instances/", flow("flow-1", "default-provider-authorization-implicit-consent")),
            ("/flows/instances/", flow("flow-2", "default-provider-authorization-explicit-consent")),
            ("/flows/instances/", flow("flow-3", "default-provider-invalidation-flow")),
            ("/crypto/certificatekeypairs/", json!({"pk": "key-0", "name": "authentik Internal JWT Certificate"})),
            ("/crypto/certificatekeypairs/", json!({"pk": "key-1", "name": "authentik Self-signed Certificate"})),
        ];
        let scopes = ["openid", "email", "profile", "offline_access"];
        managed.extend(scopes.map(|name| ("/propertymappings/provider/scope/", scope(name))));
        Self {
            settings,
            base,
            lists: BTreeMap::new(),
            managed,
            passwords: HashMap::new(),
            keys: HashMap::new(),
            access: HashMap::new(),
            next: 10,
            listed: 0,
        }
    }

    fn reply(&mut self, asked: &Asked) -> Reply {
        let what = format!("{} {}", asked.method, asked.path);
        if self.settings.breaks_at.is_some_and(|at| what.contains(at)) {
            return (
                self.settings.breaks_with,
                json!({"detail": format!("broken; you sent {} {}", asked.authorization, asked.body)}),
            );
        }
        match asked.path.strip_prefix("/api/v3") {
            Some(_) if asked.authorization != format!("Bearer {TOKEN}") => {
                (403, json!({"detail": "Token invalid/expired"}))
            }
            Some(path) => self.api(asked, path),
            None => self.oidc(asked),
        }
    }

    /// The year and month of the version.
    pub(super) fn release(&self) -> (u16, u16) {
        let mut parts = self.settings.version.split('.').map(|part| part.parse().unwrap());
        (parts.next().unwrap(), parts.next().unwrap())
    }

    /// The objects of a list with those that the worker has made by now.
    pub(super) fn all(&self, list: &str) -> impl Iterator<Item = &Value> {
        let ready = self.listed > self.settings.worker_takes;
        let managed = self.managed.iter().filter(move |(of, _)| ready && *of == list).map(|(_, object)| object);
        managed.chain(self.lists.get(list).into_iter().flatten())
    }

    pub(super) fn find(&self, list: &str, field: &str, value: &Value) -> Option<&Value> {
        self.all(list).find(|object| object[field] == *value)
    }
}
