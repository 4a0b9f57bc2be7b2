use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use harness::testing::Test;

/// The one name that the server's certificate is good for.
pub(crate) const NAME: &str = "app.browser.test";

const PAGE: &str = "<!doctype html><title>Shop</title><h1>Log in</h1>
<form><input name=email><button type=button>Go</button></form>
<script>
document.querySelector('button').onclick = () => setTimeout(() => {
  document.querySelector('h1').textContent = 'Welcome ' + document.querySelector('input').value
}, 200);
</script>";

/// A folder for one test, with a server beside it.
pub(crate) struct Scene {
    dir: tempfile::TempDir,
    port: u16,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::on(false)
    }

    /// One in which networks come and go while a connection is made.
    pub(crate) fn with_changing_networks() -> Self {
        Self::on(true)
    }

    fn on(networks_change: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("work")).unwrap();
        let (ca, port) = serve(networks_change);
        std::fs::write(dir.path().join("ca.pem"), ca).unwrap();
        // Another authority, that signed nothing.
        std::fs::write(dir.path().join("other.pem"), authority().0.self_signed(&authority().1).unwrap().pem()).unwrap();
        Self { dir, port }
    }

    /// A test whose run trusts the authority of this file.
    pub(crate) fn test(&self, ca: &str) -> Test {
        self.test_with(ca, &[])
    }

    /// The same, with more values.
    pub(crate) fn test_with(&self, ca: &str, more: &[(&str, &str)]) -> Test {
        let path = |name: &str| self.path(name).display().to_string();
        let values = [
            ("CCCI_URL", format!("https://{NAME}:{}", self.port)),
            ("CCCI_RESOLVE", format!("{NAME}:{}:127.0.0.1", self.port)),
            ("CCCI_CA", path(ca)),
            ("CCCI_WORK", path("work")),
            ("CCCI_ARTIFACTS", path("artifacts")),
        ];
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Test::new("browser/10-login", values.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(more))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What is left in the scratch folder.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.path("work")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

/// The processes whose command line names a folder.
pub(crate) fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let lines = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    lines.filter(|line| line.contains(&folder)).collect()
}

fn authority() -> (rcgen::CertificateParams, rcgen::KeyPair) {
    let mut params = lasting(rcgen::CertificateParams::new(Vec::new()).unwrap());
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    (params, rcgen::KeyPair::generate().unwrap())
}

fn lasting(mut params: rcgen::CertificateParams) -> rcgen::CertificateParams {
    params.not_before = (SystemTime::now() - Duration::from_secs(3600)).into();
    params.not_after = (SystemTime::now() + Duration::from_secs(86400)).into();
    params
}

/// Serves the page to everybody on a free port; gives the authority in PEM and the port.
/// An interface with an address comes and goes, as with every container that docker starts.
fn change_networks() {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    // Names of interfaces have at most 15 characters.
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("c{:x}x{count}", std::process::id());
    let once = [
        "link add NAMEa type veth peer name NAMEb",
        "link set NAMEb up",
        "addr add 198.51.100.1/32 dev NAMEa",
        "link set NAMEa up",
        "link del NAMEa",
    ];
    // Often enough that the browser sees some of it while it waits for the answer.
    for words in std::iter::repeat_n(once, 20).flatten() {
        let words: Vec<String> = words.split(' ').map(|word| word.replace("NAME", &name)).collect();
        let done = std::process::Command::new("ip").args(&words).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

fn serve(networks_change: bool) -> (String, u16) {
    let (params, ca_key) = authority();
    let ca = params.self_signed(&ca_key).unwrap().pem();
    let key = rcgen::KeyPair::generate().unwrap();
    let issuer = rcgen::Issuer::new(params, ca_key);
    let leaf = lasting(rcgen::CertificateParams::new([NAME.to_owned()]).unwrap()).signed_by(&key, &issuer).unwrap();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream.unwrap()));
            // A browser opens connections in advance, so each waits on a thread of its own.
            std::thread::spawn(move || {
                // Before the handshake: a request that waits for its connection is what Chromium gives up.
                if networks_change {
                    change_networks();
                }
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|n| n > 2) {
                    line.clear();
                }
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close";
                let _ = write!(stream.get_mut(), "{head}\r\ncontent-length: {}\r\n\r\n{PAGE}", PAGE.len());
                stream.get_mut().conn.send_close_notify();
                let _ = stream.get_mut().flush();
            });
        }
    });
    (ca, port)
}
