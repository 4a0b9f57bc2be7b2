//! A registry on a free port that has an image of any name, each with one small layer of its own: what an
//! earlier one left on the engine, when a test was killed, is another image. Docker speaks
//! plain HTTP to registries on the local host.
//!
//! It may be private, in either of the two ways of the registries' protocol (distribution's specification): with the
//! name and the password in each request, or with a token that a server of tokens gives for them, as Docker Hub and
//! GitHub have it. That server gives everyone a token, and only that of a login opens anything.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sha2::{Digest, Sha256};

const JSON: &str = "application/json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A name and a password as `docker login` writes them, and as requests carry them: `me:pass` in base64.
pub(crate) const LOGIN: &str = "bWU6cGFzcw==";
/// What the server of tokens gives for it.
const TOKEN: &str = "of-a-login";

/// Whom a registry lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Everyone.
    Open,
    /// Who knows the name and the password.
    Basic,
    /// Who has a token for them.
    Token,
}

/// The registry's address: what goes before an image's name.
pub(crate) fn registry() -> String {
    registry_behind(Door::Open)
}

/// The same, where not everyone is let in.
pub(crate) fn registry_behind(door: Door) -> String {
    Registry::start(door, None).here.clone()
}

/// A registry that runs as long as the tests do.
pub(crate) struct Registry {
    pub(crate) here: String,
    door: Door,
    own: u64,
    blobs: Mutex<HashMap<String, Vec<u8>>>,
    /// Configuration and layers of an image that runs, which it gives by any name.
    image: Option<(Vec<u8>, Vec<Vec<u8>>)>,
    /// How many manifests it gave.
    given: AtomicUsize,
}

impl Registry {
    /// One that gives an image of this machine by any name, so that it can run.
    pub(crate) fn with(door: Door, image: &str) -> Arc<Self> {
        Self::start(door, Some(saved(image)))
    }

    fn start(door: Door, image: Option<(Vec<u8>, Vec<Vec<u8>>)>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = format!("localhost:{}", listener.local_addr().unwrap().port());
        let (blobs, given) = (Mutex::default(), AtomicUsize::new(0));
        let registry = Arc::new(Self { here, door, own: rand::random(), blobs, image, given });
        let answers = Arc::clone(&registry);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let registry = Arc::clone(&answers);
                std::thread::spawn(move || registry.answer(&stream.unwrap()));
            }
        });
        registry
    }

    /// How many manifests it gave, to those that it lets in.
    pub(crate) fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }

    /// What a request's `Authorization` has to be, and what is said to one without it; none where all are let in.
    fn wanted(&self) -> Option<(String, String)> {
        match self.door {
            Door::Open => None,
            Door::Basic => Some((format!("Basic {LOGIN}"), "Basic realm=\"a test\"".to_owned())),
            Door::Token => {
                let challenge = format!("Bearer realm=\"http://{}/token\",service=\"a test\"", self.here);
                Some((format!("Bearer {TOKEN}"), challenge))
            }
        }
    }

    fn answer(&self, stream: &TcpStream) {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let Some(request) = lines.next() else { return };
        let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let shown = headers.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("authorization").then(|| value.trim().to_owned())
        });
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, more, kind, body) = if path.starts_with("/token") {
            let token = if shown == Some(format!("Basic {LOGIN}")) { TOKEN } else { "of-nobody" };
            ("200 OK", String::new(), JSON, json!({ "token": token }).to_string().into_bytes())
        } else if let Some((_, challenge)) = self.wanted().filter(|(right, _)| shown.as_ref() != Some(right)) {
            let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
            ("401 Unauthorized", format!("www-authenticate: {challenge}\r\n"), JSON, body.into())
        } else {
            match self.found(path, method == "GET") {
                Some((kind, body)) => ("200 OK", format!("docker-content-digest: {}\r\n", digest(&body)), kind, body),
                None => ("404 Not Found", String::new(), "text/plain", Vec::new()),
            }
        };
        let head = format!(
            "HTTP/1.1 {status}\r\n{more}docker-distribution-api-version: registry/2.0\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let body = if method == "HEAD" { &[] } else { body.as_slice() };
        let mut stream = stream;
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    }

    fn found(&self, path: &str, is_wanted: bool) -> Option<(&'static str, Vec<u8>)> {
        let parts: Vec<&str> = path.trim_start_matches("/v2/").split('/').collect();
        match parts.as_slice() {
            [""] => Some((JSON, b"{}".to_vec())),
            [.., "blobs", digest] => {
                let blob = self.blobs.lock().unwrap().get(*digest).cloned();
                blob.map(|blob| ("application/octet-stream", blob))
            }
            [name @ .., "manifests", reference] => {
                self.given.fetch_add(usize::from(is_wanted), Ordering::SeqCst);
                Some((MANIFEST, self.manifest(&name.join("/"), reference)))
            }
            _ => None,
        }
    }

    /// The manifest of an image, whose blobs can be asked for from now on. A manifest asked for by its digest is one
    /// that was given before.
    fn manifest(&self, name: &str, reference: &str) -> Vec<u8> {
        if let Some(known) = self.blobs.lock().unwrap().get(reference) {
            return known.clone();
        }
        let (config, layers) = self.image.clone().unwrap_or_else(|| small(&format!("{} {name}:{reference}", self.own)));
        let part = |kind: &str, blob: &[u8]| json!({"mediaType": kind, "size": blob.len(), "digest": digest(blob)});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": part(CONFIG, &config),
            "layers": layers.iter().map(|layer| part(LAYER, layer)).collect::<Vec<_>>(),
            // The engine keeps manifests by their digests: one that it has seen it does not ask for again.
            "annotations": {"of": self.own.to_string()},
        });
        let manifest = manifest.to_string().into_bytes();
        let mut blobs = self.blobs.lock().unwrap();
        for blob in layers.into_iter().chain([config, manifest.clone()]) {
            blobs.insert(digest(&blob), blob);
        }
        manifest
    }
}

/// Configuration and layer of an image that holds a text, and no program.
fn small(text: &str) -> (Vec<u8>, Vec<Vec<u8>>) {
    let layer = layer(text);
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": arch, "os": "linux", "config": {"Cmd": ["/none"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]}, "history": [{"created_by": "a test"}],
    });
    (config.to_string().into_bytes(), vec![layer])
}

/// Configuration and layers of an image of this machine, out of the archive that `docker save` makes.
fn saved(image: &str) -> (Vec<u8>, Vec<Vec<u8>>) {
    let dir = tempfile::tempdir().unwrap();
    let script = "docker save \"$0\" | tar -xf - -C \"$1\"";
    assert!(
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", script, image])
            .arg(dir.path())
            .status()
            .unwrap()
            .success()
    );
    let read = |name: &serde_json::Value| std::fs::read(dir.path().join(name.as_str().unwrap())).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&read(&json!("manifest.json"))).unwrap();
    (read(&index[0]["Config"]), index[0]["Layers"].as_array().unwrap().iter().map(read).collect())
}

/// A layer of one file. It is the same each time.
fn layer(text: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("made-by-a-test"), text).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--owner=0", "--group=0", "--mtime=@0", "-cf", "-", "made-by-a-test"]).current_dir(dir.path());
    let out = tar.output().unwrap();
    assert!(out.status.success());
    out.stdout
}

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
