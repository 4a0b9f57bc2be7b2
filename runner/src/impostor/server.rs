//! The impostor's server: TLS for the app's own name, with a CA of its own, on a port that the system
//! gives.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use harness::failure::{Failure, Kind as FailureKind};
use harness::names::Domain;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Kind;
use crate::certificate::issue;

/// No request is read further than this, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;
/// Longer than any run.
const LASTS: Duration = Duration::from_secs(24 * 3600);

/// A running impostor. It ends when this is dropped.
#[derive(Debug)]
pub struct Impostor {
    port: u16,
    ca: PathBuf,
    asked: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Impostor {
    /// Starts one for an app's name; its CA goes into a file in `folder`.
    ///
    /// # Errors
    /// When no port or no certificate can be had.
    pub async fn start(kind: Kind, domain: &Domain, recipe: &str, folder: &Path) -> Result<Self, Failure> {
        let failed = |what: String| Failure::new(FailureKind::Bug, format!("no impostor can be started: {what}"), "");
        let (acceptor, ca_pem) = certificate(domain).map_err(|error| failed(error.to_string()))?;
        let ca = folder.join(format!("impostor-{kind:?}.pem"));
        std::fs::write(&ca, ca_pem).map_err(|error| crate::deploy::disk("write", &ca, &error))?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| failed(error.to_string()))?;
        let port = listener.local_addr().map_err(|error| failed(error.to_string()))?.port();
        let body = Bytes::from(kind.body(recipe));
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), kind, body.clone(), Arc::clone(&count)));
            }
        });
        Ok(Self { port, ca, asked, task })
    }

    /// How many requests it has answered.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Its port on this machine.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The PEM file of the CA that signed its certificate.
    #[must_use]
    pub fn ca(&self) -> &Path {
        &self.ca
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn certificate(domain: &Domain) -> Result<(TlsAcceptor, String), AnyError> {
    let issued = issue("cc-ci impostor", &[domain.to_string()], LASTS)?;
    let chain = CertificateDer::pem_slice_iter(issued.certificate.as_bytes()).collect::<Result<Vec<_>, _>>();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).map_err(|error| format!("{error:?}"))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain.map_err(|error| format!("{error:?}"))?, key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), issued.authority))
}

/// One connection. What goes wrong on it is the test's to tell.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, kind: Kind, body: Bytes, asked: Arc<AtomicU64>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let answer = service_fn(move |request: Request<Incoming>| {
        let body = body.clone();
        asked.fetch_add(1, Ordering::Relaxed);
        async move {
            let is_head = *request.method() == Method::HEAD;
            // Read to its end, so that whoever sends does not see a broken pipe.
            let _ = Limited::new(request.into_body(), LONGEST).collect().await;
            let body = if is_head { Bytes::new() } else { body };
            let response = Response::builder().status(kind.status()).header("content-type", kind.content_type());
            Ok::<_, Infallible>(response.body(Full::new(body)).unwrap_or_default())
        }
    });
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use harness::http::{Http, HttpConfig};
    use std::time::Instant;

    #[tokio::test]
    async fn it_answers_everything_in_its_way_over_tls_that_its_ca_makes_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let domain: Domain = "app.ci.localhost".parse().unwrap();
        for kind in Kind::ALL {
            let impostor = Impostor::start(kind, &domain, "app", folder.path()).await.unwrap();
            let config = HttpConfig {
                ca_pem: std::fs::read(impostor.ca()).ok(),
                resolve: vec![(domain.to_string(), "127.0.0.1".parse().unwrap())],
            };
            let url = format!("https://{domain}:{}/any/path", impostor.port());
            let until = Instant::now() + Duration::from_secs(10);
            let answer = Http::new(&config).unwrap().get(&url, until).await.unwrap();
            assert_eq!((answer.status, answer.body.as_str()), (kind.status(), kind.body("app").as_str()));
            let stranger = Http::new(&HttpConfig { ca_pem: None, ..config }).unwrap();
            assert!(stranger.get(&url, until).await.is_err(), "nobody else trusts it");
            assert_eq!(impostor.asked(), 1);
        }
    }
}
