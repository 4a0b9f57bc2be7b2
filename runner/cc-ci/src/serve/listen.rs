//! What is served at the one address of `cc-ci serve`. Each part is a router of its own, and where there is none
//! nobody listens.

use host::say;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use base::failure::Failure;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use host::settings::wrong;

/// Connections at once; more wait.
const AT_ONCE: usize = 700;
/// Who has sent no whole head of a request for so long, or no whole body after it, is let go of.
const SILENT: Duration = Duration::from_secs(30);
/// Where the system gives no connection.
const PAUSE: Duration = Duration::from_millis(200);

/// A part of what is served.
pub(super) struct Part {
    /// What it is for: "webhooks at /hook".
    pub(super) what: &'static str,
    /// Its routes.
    pub(super) router: Router,
}

/// An address that is listened at. Who comes before [`Listening::serve`] waits.
pub(super) struct Listening {
    listener: TcpListener,
    router: Router,
}

impl Listening {
    /// Listens for these parts; none where there is no part.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub(super) async fn open(address: SocketAddr, parts: Vec<Part>) -> Result<Option<Self>, Failure> {
        if parts.is_empty() {
            return Ok(None);
        }
        let look_at = "--listen (CCCI_LISTEN)";
        let cannot = |error: std::io::Error| wrong(format!("{address} cannot be listened at: {error}"), look_at);
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let own = listener.local_addr().map_err(cannot)?;
        let mut router = Router::new();
        for part in parts {
            say!("cc-ci listens at http://{own} for {}", part.what);
            router = router.merge(part.router);
        }
        Ok(Some(Self { listener, router }))
    }

    /// Serves until it is told to stop. Who says nothing for long is let go of, and there is room for so many at once:
    /// readers must not take the files that runs need.
    pub(super) async fn serve(self, stop: CancellationToken) {
        self.serve_within(AT_ONCE, SILENT, stop).await;
    }

    async fn serve_within(self, at_once: usize, silent: Duration, stop: CancellationToken) {
        let room = Arc::new(Semaphore::new(at_once));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(silent);
        let limited = from_fn(move |request: Request, next: Next| in_time(request, next, silent));
        let service = TowerToHyperService::new(self.router.layer(limited));
        let mut open = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                Some(_) = open.join_next() => continue,
                accepted = accept(&self.listener, &room) => accepted,
            };
            match accepted {
                Ok((stream, place)) => {
                    let served = http.serve_connection(TokioIo::new(stream), service.clone());
                    open.spawn(async move {
                        // How a connection ends is its reader's affair.
                        let _ = served.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!("nobody can be listened to for a moment: {error}");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// What is sent is small, and who sends it slowly is let go of. What is asked for may take as long as it is read.
async fn in_time(request: Request, next: Next, limit: Duration) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match timeout(limit, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "it was not sent in time\n").into_response(),
    }
}

/// The next one, once there is room.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use http_client::{Http, HttpConfig, Method};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn parts_are_served_at_one_address_and_none_at_none() {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        assert!(Listening::open(any, Vec::new()).await.unwrap().is_none());
        let part = |what, text: &'static str| Part {
            what,
            router: Router::new().route(what, get(move || async move { text })),
        };
        let open = Listening::open(any, vec![part("/a", "one"), part("/b", "two")]).await.unwrap().unwrap();
        let address = open.listener.local_addr().unwrap();
        let told = Listening::open(address, vec![part("/c", "three")]).await.err().unwrap();
        assert!(told.what.contains("cannot be listened at") && told.look_at.contains("--listen"), "{told:?}");
        let stop = CancellationToken::new();
        let served = tokio::spawn(open.serve(stop.clone()));
        let http = Http::new(&HttpConfig::default()).unwrap();
        for (path, wanted) in [("/a", 200), ("/b", 200), ("/c", 404)] {
            let url = format!("http://{address}{path}").parse().unwrap();
            assert_eq!(http.ask(Method::GET, &url).send().await.unwrap().status, wanted);
        }
        drop(http);
        stop.cancel();
        served.await.unwrap();
    }

    async fn sends(address: SocketAddr, sent: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        stream
    }

    /// What a connection is told until it is closed.
    async fn told(mut stream: TcpStream) -> String {
        let mut told = Vec::new();
        stream.read_to_end(&mut told).await.unwrap();
        String::from_utf8(told).unwrap()
    }

    #[tokio::test]
    async fn who_says_nothing_is_let_go_of_and_makes_room() {
        let part = Part { what: "/a", router: Router::new().route("/a", get(async || "one")) };
        let open = Listening::open("127.0.0.1:0".parse().unwrap(), vec![part]).await.unwrap().unwrap();
        let address = open.listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        // Room for two, and two take it who never end what they say. The third waits for one of them to go.
        let served = tokio::spawn(open.serve_within(2, Duration::from_millis(100), stop.clone()));
        let silent = [sends(address, b"").await, sends(address, b"GET /a HTTP/1.1\r\nhost: a").await];
        let asked = sends(address, b"GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        let asked = told(asked).await;
        assert!(asked.starts_with("HTTP/1.1 200") && asked.ends_with("one"), "{asked}");
        for one in silent {
            let told = told(one).await;
            assert!(!told.starts_with("HTTP/1.1 200"), "{told}");
        }
        stop.cancel();
        served.await.unwrap();
    }

    #[tokio::test]
    async fn who_never_ends_what_he_sends_is_let_go_of() {
        let router = Router::new().route("/a", post(async |text: String| text));
        let open = Listening::open("127.0.0.1:0".parse().unwrap(), vec![Part { what: "/a", router }]).await;
        let open = open.unwrap().unwrap();
        let address = open.listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let served = tokio::spawn(open.serve_within(1, Duration::from_millis(100), stop.clone()));
        let slow = sends(address, b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nnot").await;
        let quick = sends(address, b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nconnection: close\r\n\r\nall");
        let quick = told(quick.await).await;
        assert!(quick.starts_with("HTTP/1.1 200") && quick.ends_with("all"), "{quick}");
        let slow = told(slow).await;
        assert!(slow.starts_with("HTTP/1.1 408"), "{slow}");
        stop.cancel();
        served.await.unwrap();
    }
}
