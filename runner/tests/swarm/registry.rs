//! A registry on a free port that has an image of any name, each with one small layer of its own: what an
//! earlier one left on the engine, when a test was killed, is another image. Docker speaks
//! plain HTTP to registries on the local host.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::json;
use sha2::{Digest, Sha256};

const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// The registry's address: what goes before an image's name.
pub(crate) fn registry() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let blobs: Arc<Mutex<HashMap<String, Vec<u8>>>> = Arc::default();
    let own: u64 = rand::random();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let blobs = Arc::clone(&blobs);
            std::thread::spawn(move || answer(&stream.unwrap(), own, &blobs));
        }
    });
    address
}

fn answer(mut stream: &TcpStream, own: u64, blobs: &Mutex<HashMap<String, Vec<u8>>>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    let _headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let parts: Vec<&str> = path.trim_start_matches("/v2/").split('/').collect();
    let found = match parts.as_slice() {
        [""] => Some(("application/json", b"{}".to_vec())),
        [.., "blobs", digest] => {
            blobs.lock().unwrap().get(*digest).map(|blob| ("application/octet-stream", blob.clone()))
        }
        [name @ .., "manifests", reference] => {
            Some((MANIFEST, manifest(&format!("{own} {}", name.join("/")), reference, blobs)))
        }
        _ => None,
    };
    let (status, (kind, body)) = found.map_or(("404 Not Found", ("text/plain", Vec::new())), |found| ("200 OK", found));
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\ndocker-content-digest: {}\r\nconnection: close\r\n\r\n",
        body.len(),
        digest(&body)
    );
    let body = if method == "HEAD" { &[] } else { body.as_slice() };
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// The manifest of an image, whose blobs can be asked for from now on. A manifest asked for by its digest is one
/// that was given before.
fn manifest(name: &str, reference: &str, blobs: &Mutex<HashMap<String, Vec<u8>>>) -> Vec<u8> {
    if let Some(known) = blobs.lock().unwrap().get(reference) {
        return known.clone();
    }
    let layer = layer(&format!("{name}:{reference}"));
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": arch, "os": "linux", "config": {"Cmd": ["/none"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]}, "history": [{"created_by": "a test"}],
    });
    let config = config.to_string().into_bytes();
    let part = |kind: &str, blob: &[u8]| json!({"mediaType": kind, "size": blob.len(), "digest": digest(blob)});
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": part(CONFIG, &config), "layers": [part(LAYER, &layer)],
    });
    let manifest = manifest.to_string().into_bytes();
    let mut blobs = blobs.lock().unwrap();
    for blob in [layer, config, manifest.clone()] {
        blobs.insert(digest(&blob), blob);
    }
    manifest
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
