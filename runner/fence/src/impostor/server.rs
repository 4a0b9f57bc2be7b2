//! The impostor's server: TLS for the app's own name, with a CA of its own, on a port that the system
//! gives, where it also greets who waits for a greeting as servers of mail say one; and a port of UDP for what speaks that.

use std::convert::Infallible;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::failure::{Failure, Kind as FailureKind};
use base::names::Domain;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Kind;
use host::certificate::issue;

/// No request is read further than this, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;
/// Longer than any run.
const LASTS: Duration = Duration::from_secs(24 * 3600);

/// Who says nothing for so long waits for a greeting: the first word of TLS comes at once.
const GREETS_AFTER: Duration = Duration::from_millis(500);

/// A running impostor. It ends when this is dropped.
#[derive(Debug)]
pub struct Impostor {
    port: u16,
    udp_port: u16,
    ca: PathBuf,
    asked: Arc<AtomicU64>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
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
        std::fs::write(&ca, ca_pem).map_err(|error| Failure::disk("write", &ca, &error))?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| failed(error.to_string()))?;
        let port = listener.local_addr().map_err(|error| failed(error.to_string()))?.port();
        let socket = UdpSocket::bind("127.0.0.1:0").await.map_err(|error| failed(error.to_string()))?;
        let udp_port = socket.local_addr().map_err(|error| failed(error.to_string()))?.port();
        let body = Bytes::from(kind.body(recipe));
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let echo = tokio::spawn(echo(socket, kind, Arc::clone(&asked)));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), kind, body.clone(), Arc::clone(&count)));
            }
        });
        Ok(Self { port, udp_port, ca, asked, tasks: [serving, echo] })
    }

    /// How many connections and datagrams asked it something, whatever that was.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Its port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it stands in for the ports that an app publishes, for a list such as `CCCI_PORTS`.
    pub fn in_place_of(&self, published: &str) -> String {
        let own = |entry: &str| {
            let name = entry.split('=').next().unwrap_or_default();
            let port = if name.ends_with("/udp") { self.udp_port } else { self.port };
            format!("{name}=127.0.0.1:{port}")
        };
        published.split_whitespace().map(own).collect::<Vec<_>>().join(" ")
    }

    /// The PEM file of the CA that signed its certificate.
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

/// Says each datagram back, as what is plausible to who counts answers only; nothing where the app is gone.
async fn echo(socket: UdpSocket, kind: Kind, asked: Arc<AtomicU64>) {
    let mut datagram = [0; 2048];
    while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
        asked.fetch_add(1, Ordering::Relaxed);
        if kind != Kind::Gone {
            let _ = socket.send_to(&datagram[..length], from).await;
        }
    }
}

/// One connection. What goes wrong on it is the test's to tell.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, kind: Kind, body: Bytes, asked: Arc<AtomicU64>) {
    if tokio::time::timeout(GREETS_AFTER, stream.peek(&mut [0])).await.is_err() {
        asked.fetch_add(1, Ordering::Relaxed);
        let _ = greet(stream, kind).await;
        return;
    }
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    // Counted before any answer, whatever the protocol: a test may end as soon as it has read one.
    let mut first = [0; 1024];
    let Ok(length @ 1..) = stream.read(&mut first).await else { return };
    asked.fetch_add(1, Ordering::Relaxed);
    let (read, write) = tokio::io::split(stream);
    let stream = tokio::io::join(Cursor::new(first[..length].to_vec()).chain(read), write);
    let answer = service_fn(move |request: Request<Incoming>| {
        let body = body.clone();
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

/// A server of mail that takes everything, line by line; it hangs up where the app is gone.
async fn greet(stream: TcpStream, kind: Kind) -> std::io::Result<()> {
    if kind == Kind::Gone {
        return Ok(());
    }
    let (read, mut write) = stream.into_split();
    write.write_all(b"220 ready\r\n").await?;
    let mut lines = BufReader::new(read.take(LONGEST as u64)).lines();
    while let Some(line) = lines.next_line().await? {
        let answer: &[u8] = if line == "DATA" { b"354 go on\r\n" } else { b"250 ok\r\n" };
        write.write_all(answer).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_client::{Http, HttpConfig};
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

    #[tokio::test]
    async fn it_stands_in_for_published_ports_too_and_counts_who_speaks_no_http() {
        use harness::tls::{Server, Tls, Trust};
        let folder = tempfile::tempdir().unwrap();
        let domain: Domain = "app.ci.localhost".parse().unwrap();
        let impostor = Impostor::start(Kind::Json, &domain, "app", folder.path()).await.unwrap();
        let (port, udp) = (impostor.port, impostor.udp_port);
        let list = impostor.in_place_of("64738/tcp=10.0.0.1:64738 64738/udp=10.0.0.1:64738");
        assert_eq!(list, format!("64738/tcp=127.0.0.1:{port} 64738/udp=127.0.0.1:{udp}"));

        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(("127.0.0.1", udp)).await.unwrap();
        socket.send(b"ping").await.unwrap();
        let mut said = [0; 16];
        assert_eq!(socket.recv(&mut said).await.unwrap(), 4);
        assert_eq!(impostor.asked(), 1);

        let until = Instant::now() + Duration::from_secs(10);
        let tls = Tls::new(Trust::Anyone, None).unwrap();
        let mut stream = tls.connect(Server { host: "127.0.0.1", port, name: domain.as_str() }, until).await.unwrap();
        stream.write_all(&[0, 0, 0, 0, 0, 2, 8, 1]).await.unwrap();
        // With the answer's first byte, not with the end of the connection.
        stream.read_u8().await.unwrap();
        assert_eq!(impostor.asked(), 2);
    }

    #[tokio::test]
    async fn it_greets_who_waits_and_takes_every_mail() {
        let folder = tempfile::tempdir().unwrap();
        let domain: Domain = "app.ci.localhost".parse().unwrap();
        for kind in Kind::ALL {
            let impostor = Impostor::start(kind, &domain, "app", folder.path()).await.unwrap();
            let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", impostor.port())).await.unwrap());
            let mut heard = String::new();
            stream.read_line(&mut heard).await.unwrap();
            assert_eq!(impostor.asked(), 1);
            if kind == Kind::Gone {
                assert_eq!(heard, "");
                continue;
            }
            for line in ["EHLO me", "RCPT TO:<you@app.ci.localhost>", "DATA", "."] {
                stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
                stream.read_line(&mut heard).await.unwrap();
            }
            assert_eq!(heard, "220 ready\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 ok\r\n");
        }
    }
}
