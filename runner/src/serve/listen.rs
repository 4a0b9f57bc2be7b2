//! What is served at the one address of `cc-ci serve`. Each part is a router of its own, and where there is none
//! nobody listens.

use std::net::SocketAddr;

use axum::Router;
use harness::failure::Failure;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::forge::wrong;

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
            println!("cc-ci listens at http://{own} for {}", part.what);
            router = router.merge(part.router);
        }
        Ok(Some(Self { listener, router }))
    }

    /// Serves until it is told to stop.
    pub(super) async fn serve(self, stop: CancellationToken) {
        let served = axum::serve(self.listener, self.router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!("nobody is listened to any more: {error}; webhooks are made up for by polling");
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use harness::http::{Http, HttpConfig, Method};

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
}
