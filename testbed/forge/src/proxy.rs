//! A proxy that counts requests and fails the one that it is told to.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri, header};
use harness::http::Http;
use tokio::net::TcpListener;

/// A proxy before a forge.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({})", self.0.url)
    }
}

struct Inner {
    http: Http,
    url: String,
    state: Mutex<Counts>,
}

struct Counts {
    target: String,
    asked: Vec<String>,
    /// The request that fails, counted from now.
    fails: Option<usize>,
}

impl Proxy {
    /// Starts one before this address.
    pub async fn start(http: Http, target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Mutex::new(Counts { target, asked: Vec::new(), fails: None });
        let proxy = Self(Arc::new(Inner { http, url, state }));
        let router = Router::new().fallback(pass).with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        proxy
    }

    fn with<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        work(&mut self.0.state.lock().unwrap())
    }

    /// Its own address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The address behind it.
    #[must_use]
    pub fn target(&self) -> String {
        self.with(|counts| counts.target.clone())
    }

    /// From now on it passes everything on to this address.
    pub fn aim(&self, target: String) {
        self.with(|counts| counts.target = target);
    }

    /// The requests since this was asked the last time.
    pub fn asked(&self) -> Vec<String> {
        self.with(|counts| std::mem::take(&mut counts.asked))
    }

    /// The request after so many others is answered by 502, after it was passed on or instead of that.
    pub fn fail_after(&self, others: Option<usize>) {
        self.with(|counts| counts.fails = others);
    }
}

async fn pass(State(proxy): State<Proxy>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let (target, fails) = proxy.with(|counts| {
        counts.asked.push(format!("{method} {uri}"));
        let fails = counts.fails == Some(0);
        counts.fails = counts.fails.and_then(|others| others.checked_sub(1));
        (counts.target.clone(), fails)
    });
    let gone = || Response::builder().status(502).body(Body::empty()).unwrap();
    if fails {
        return gone();
    }
    let mut ask = proxy.0.http.ask(method, &format!("{target}{uri}").parse().unwrap()).up_to(64 << 20);
    if let Some(token) = headers.get(header::AUTHORIZATION) {
        ask = ask.header(header::AUTHORIZATION, token.to_str().unwrap());
    }
    if !body.is_empty() {
        let kind = headers.get(header::CONTENT_TYPE).map_or("application/json", |kind| kind.to_str().unwrap());
        ask = ask.body(kind, body.to_vec());
    }
    let Ok(answer) = ask.send().await else { return gone() };
    let mut passed = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        if ["date", "x-total-count", "content-type", "location"].contains(&name.as_str()) {
            passed = passed.header(name, value);
        }
    }
    passed.body(Body::from(answer.body)).unwrap()
}
