//! Requests to the engine with unmodified JSON. The client library reads a service's `Healthcheck` under another name
//! (bollard-stubs 1.53, seen: it expects `HealthCheck`) and would write back a spec without it.

use std::time::Duration;

use base::failure::{Failure, Kind};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::engine::{Swarm, unreachable_engine};

/// Timeout of a request.
const REQUEST: Duration = Duration::from_secs(60);

/// The engine's response.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawAnswer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl RawAnswer {
    /// The body of a successful response.
    pub(super) fn ok(self, doing: &str) -> Result<Value, Failure> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        let what = format!("the engine cannot {doing}: {}", self.said());
        Err(Failure::new(Kind::RuntimeFailed, what, "the engine's log: journalctl -u docker"))
    }

    /// The engine's message for a refused request.
    pub(super) fn said(&self) -> &str {
        self.body.get("message").and_then(Value::as_str).unwrap_or("no reason given")
    }
}

impl Swarm {
    /// Sends a request, with a body or without.
    pub(super) async fn ask_raw(&self, path: &str, body: Option<&Value>) -> Result<RawAnswer, Failure> {
        let socket = self.address().strip_prefix("unix://").unwrap_or(self.address());
        let request = request(path, body);
        let asked = tokio::time::timeout(REQUEST, exchange(socket, &request));
        let lost = |why: String| unreachable_engine(self.address()).with_detail(why);
        let bytes = asked.await.map_err(|_| lost("no answer in time".to_owned()))?;
        let bytes = bytes.map_err(|error| lost(error.to_string()))?;
        answer(&bytes).ok_or_else(|| lost("its response is not HTTP".to_owned()))
    }
}

/// The API version of the engine at an address, such as `1.41`, from the header of `GET /_ping`; `None` if there is none. Docker's
/// own client asks the same. `GET /version`, which the client library asks, costs the engine two processes each time (20.10,
/// seen).
pub(super) async fn api_version(address: &str) -> Option<String> {
    let socket = address.strip_prefix("unix://")?;
    let ping = request("/_ping", None);
    let asked = tokio::time::timeout(REQUEST, exchange(socket, &ping)).await;
    header(&asked.ok()?.ok()?, "api-version")
}

/// A header's value.
fn header(answer: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, _) = text.split_once("\r\n\r\n")?;
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}

/// In HTTP 1.0, a response is not chunked and ends with its connection.
fn request(path: &str, body: Option<&Value>) -> Vec<u8> {
    let Some(body) = body else { return format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n").into_bytes() };
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

async fn exchange(socket: &str, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

fn answer(bytes: &[u8]) -> Option<RawAnswer> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let body = if body.trim().is_empty() { Value::Null } else { serde_json::from_str(body).ok()? };
    Some(RawAnswer { status, body })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_header_is_found_whatever_its_case() {
        let answer = b"HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\n\r\nAPI-VERSION: 9.9";
        assert_eq!(super::header(answer, "api-version").as_deref(), Some("1.41"));
        assert_eq!(super::header(answer, "ostype").as_deref(), Some("linux"));
        for none in [&b"HTTP/1.0 200 OK\r\n\r\nApi-Version: 1.41"[..], b"Api-Version: 1.41", b"", b"\xff\r\n\r\n"] {
            assert_eq!(super::header(none, "api-version"), None);
        }
    }

    use super::*;

    #[test]
    fn an_answer_is_read_and_a_refusal_keeps_its_words() {
        let read = answer(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"Spec\":{}}").unwrap();
        assert_eq!(read.clone().ok("x").unwrap(), serde_json::json!({ "Spec": {} }));
        let refused = answer(b"HTTP/1.0 500 Internal\r\n\r\n{\"message\":\"update out of sequence\"}").unwrap();
        assert_eq!((refused.status, refused.said()), (500, "update out of sequence"));
        assert_eq!(refused.ok("change x").unwrap_err().what, "the engine cannot change x: update out of sequence");
        assert_eq!(answer(b"HTTP/1.1 200 OK\r\n\r\n").unwrap().body, Value::Null);
        assert_eq!(answer(b"what"), None);
    }
}
