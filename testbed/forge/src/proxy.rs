//! A proxy that counts requests, fails the one that it is told to, and holds one up. What it passes on, it passes on
//! as it is, git's as well.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{Response, Uri};
use axum::serve::Listener;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::tls::{Authority, TlsListener};

/// A proxy before a forge.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({})", self.0.url)
    }
}

struct Inner {
    client: Client<HttpConnector, Body>,
    url: String,
    state: Mutex<Counts>,
}

struct Counts {
    target: String,
    asked: Vec<String>,
    /// The request that fails, counted from now.
    fails: Option<usize>,
    holds: Option<Holds>,
}

/// A request that is to be held up.
struct Holds {
    words: String,
    /// Its answer is held up in place of it.
    answer: bool,
    caught: oneshot::Sender<()>,
    go: oneshot::Receiver<()>,
}

/// A request that is held up, once it comes, or the answer to one. Dropped, it is answered by 502.
#[derive(Debug)]
pub struct Held {
    caught: oneshot::Receiver<()>,
    go: oneshot::Sender<()>,
}

impl Held {
    /// Waits until the request is there.
    pub async fn caught(&mut self) {
        (&mut self.caught).await.expect("a proxy that lives, and one hold at a time");
    }

    /// Passes it on.
    pub fn pass(self) {
        let _ = self.go.send(());
    }
}

impl Proxy {
    /// Starts one before this address.
    pub async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self::serve(listener, url, target)
    }

    /// Starts one that speaks TLS, with a certificate of this authority's.
    pub async fn start_tls(target: String, authority: &Authority) -> Self {
        let listener = TlsListener::bind(authority).await;
        let url = format!("https://{}", listener.local_addr().unwrap());
        Self::serve(listener, url, target)
    }

    fn serve<L: Listener>(listener: L, url: String, target: String) -> Self
    where
        L::Addr: std::fmt::Debug,
    {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let state = Mutex::new(Counts { target, asked: Vec::new(), fails: None, holds: None });
        let proxy = Self(Arc::new(Inner { client, url, state }));
        let router = Router::new().fallback(pass).with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        proxy
    }

    fn with<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        work(&mut self.0.state.lock().unwrap())
    }

    /// Its own address.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The address behind it.
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

    /// The request after so many others is answered by 502 in place of being passed on.
    pub fn fail_after(&self, others: Option<usize>) {
        self.with(|counts| counts.fails = others);
    }

    /// Holds up the next request that has these words in its method and address, before it is passed on.
    pub fn hold(&self, words: &str) -> Held {
        self.holds(words, false)
    }

    /// Passes the next request on that has these words in its method and address, and holds up its answer.
    pub fn hold_answer(&self, words: &str) -> Held {
        self.holds(words, true)
    }

    fn holds(&self, words: &str, answer: bool) -> Held {
        let (caught, is_caught) = oneshot::channel();
        let (go, goes) = oneshot::channel();
        self.with(|counts| counts.holds = Some(Holds { words: words.to_owned(), answer, caught, go: goes }));
        Held { caught: is_caught, go }
    }
}

async fn pass(State(proxy): State<Proxy>, mut request: Request) -> Response<Body> {
    let line = format!("{} {}", request.method(), request.uri());
    let (fails, holds) = proxy.with(|counts| {
        let fails = counts.fails == Some(0);
        counts.fails = counts.fails.and_then(|others| others.checked_sub(1));
        let holds = counts.holds.take_if(|holds| line.contains(&holds.words));
        counts.asked.push(line);
        (fails, holds)
    });
    let gone = || Response::builder().status(502).body(Body::empty()).unwrap();
    if fails {
        return gone();
    }
    let (before, after) = match holds {
        Some(holds) if holds.answer => (None, Some(holds)),
        other => (other, None),
    };
    if is_dropped(before).await {
        return gone();
    }
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let address: Uri = format!("{}{path}", proxy.target()).parse().unwrap();
    *request.uri_mut() = address;
    let answer = proxy.0.client.request(request).await;
    if is_dropped(after).await {
        return gone();
    }
    match answer {
        Ok(answer) => answer.map(Body::new),
        Err(_) => gone(),
    }
}

async fn is_dropped(holds: Option<Holds>) -> bool {
    let Some(Holds { caught, go, .. }) = holds else { return false };
    let _ = caught.send(());
    go.await.is_err()
}
