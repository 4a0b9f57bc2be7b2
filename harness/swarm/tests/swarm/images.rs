//! Failing pulls, distinguished by the engine's message about a real response or a real timeout.

use std::io::{Read, Write};

use base::failure::Kind;
use swarm::RegistryLogins;

use crate::support::*;

/// A registry on a free port with one response to every request for an image. Docker uses plain HTTP for registries on
/// the local host.
fn registry(answer: &'static str) -> String {
    registry_of("application/json", answer)
}

/// The same with responses of this type.
fn registry_of(kind: &'static str, answer: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let count = stream.read(&mut request).unwrap_or(0);
            let is_hello = request[..count].starts_with(b"GET /v2/ ");
            let (status, body) = if is_hello { ("200 OK", "{}") } else { answer.split_once('\n').unwrap() };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    address
}

async fn refusal(image: String) -> (Kind, String) {
    let failure = swarm().await.ensure(&[IMAGE.to_owned(), image], &mut |_| {}).await.unwrap_err();
    (failure.kind, failure.what)
}

#[tokio::test]
async fn what_is_here_is_not_pulled() {
    let images = [IMAGE.to_owned(), IMAGE.to_owned()];
    assert_eq!(swarm().await.ensure(&images, &mut |line| panic!("{line}")).await.unwrap(), []);
}

#[tokio::test]
async fn a_registry_that_has_no_such_image() {
    let address =
        registry("404 Not Found\n{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\"}]}");
    let (kind, what) = refusal(format!("{address}/ghost:1")).await;
    assert_eq!(kind, Kind::ImageMissing, "{what}");
    assert!(what.starts_with(&format!("the image {address}/ghost:1 is not here")), "{what}");
    assert!(what.contains("the image does not exist"), "{what}");
}

#[tokio::test]
async fn a_registry_that_will_not_give_it() {
    let address = registry(
        "401 Unauthorized\n{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication required\"}]}",
    );
    // The message is the same for a private and a missing image: no recipe is blamed for it.
    let (kind, what) = refusal(format!("{address}/ghost:1")).await;
    assert_eq!(kind, Kind::RegistryRefused, "{what}");
}

#[tokio::test]
async fn a_registry_that_was_asked_too_often() {
    let address = registry(
        "429 Too Many Requests\n{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"pull rate limit\"}]}",
    );
    let (kind, what) = refusal(format!("{address}/ghost:1")).await;
    assert_eq!(kind, Kind::RegistryLimit, "{what}");
}

#[tokio::test]
async fn a_registry_that_has_it_for_another_processor() {
    const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    const ANSWER: &str = concat!(
        "200 OK\n",
        r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[{"#,
        r#""mediaType":"application/vnd.docker.distribution.manifest.v2+json","size":500,"#,
        r#""digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","#,
        r#""platform":{"architecture":"s390x","os":"linux"}}]}"#,
    );
    let (kind, what) = refusal(format!("{}/ghost:1", registry_of(LIST, ANSWER))).await;
    assert_eq!(kind, Kind::PlatformMissing, "{what}");
}

#[tokio::test]
async fn a_registry_that_is_broken() {
    let (kind, what) = refusal(format!("{}/ghost:1", registry("503 Service Unavailable\n{}"))).await;
    assert_eq!(kind, Kind::RegistryUnreachable, "{what}");
}

#[tokio::test]
async fn a_registry_that_is_not_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (kind, what) = refusal(format!("localhost:{port}/ghost:1")).await;
    assert_eq!(kind, Kind::RegistryUnreachable, "{what}");
    let (kind, what) = refusal("testbed.invalid/harness-ghost:1".to_owned()).await;
    assert_eq!(kind, Kind::RegistryUnreachable, "{what}");
}

#[tokio::test]
async fn a_text_that_is_no_image() {
    let (kind, what) = refusal("UPPER case".to_owned()).await;
    assert_eq!(kind, Kind::InvalidCompose, "{what}");
}

/// A registry that requires a user name and a password, and has no image.
fn private_registry() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let count = stream.read(&mut request).unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..count]).into_owned();
            // me:pass
            let knows = text.contains("Basic bWU6cGFzcw==");
            let (status, body) = match (knows, text.starts_with("GET /v2/ ")) {
                (false, _) => {
                    ("401 Unauthorized", r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
                }
                (true, true) => ("200 OK", "{}"),
                (true, false) => {
                    ("404 Not Found", r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
                }
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nwww-authenticate: Basic realm=\"a test\"\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    address
}

#[tokio::test]
async fn a_login_goes_with_the_pull_and_without_one_nothing_does() {
    let address = private_registry();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!(r#"{{"auths": {{"{address}": {{"auth": "bWU6cGFzcw=="}}}}}}"#)).unwrap();
    let login = RegistryLogins::read(file.path()).unwrap();
    let swarm = swarm().await;
    let kind = async |logins: &RegistryLogins| {
        let images = [format!("{address}/private:1")];
        swarm.ensure_and_tell(&images, logins, &mut |_| {}, &mut |_| {}).await.unwrap_err().kind
    };
    assert_eq!(kind(&login).await, Kind::ImageMissing, "it was let in");
    assert_eq!(kind(&RegistryLogins::default()).await, Kind::RegistryRefused);
}
