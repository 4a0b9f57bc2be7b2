use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use base::exchange::Side;

/// No more of a body is read.
pub(super) const BODY_BYTES: usize = 64 * 1024;

/// The answer to a request. Its `Debug` says nothing that could be a secret: bodies, cookies and the
/// addresses of redirects hold tokens and codes.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// The first 64 KiB of the body.
    pub body: String,
    /// From the first try to the end of this answer.
    pub took: Duration,
    /// How many requests it took.
    pub tries: u32,
}

/// An answer as it was read: for who asked, and for who puts it down.
pub(super) struct Read {
    pub(super) answer: Answer,
    pub(super) side: (u16, Side),
}

impl Answer {
    pub(super) async fn read(
        mut response: reqwest::Response,
        bytes: usize,
        start: Instant,
        tries: u32,
    ) -> Result<Read, reqwest::Error> {
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let (status, length) = (response.status().as_u16(), response.content_length().unwrap_or(0));
        let mut body = Vec::new();
        while body.len() < bytes
            && let Some(part) = response.chunk().await?
        {
            body.extend_from_slice(&part);
        }
        body.truncate(bytes);
        let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let side = (status, Side::taken(pairs, &body, length));
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Read { answer: Self { status, headers, body, took: start.elapsed(), tries }, side })
    }

    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON of a type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_str(&self.body).map_err(|error| {
            // The library's own words quote the body.
            format!("its body is not the JSON that it should be, at line {} column {}", error.line(), error.column())
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &names)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("took", &self.took)
            .field("tries", &self.tries)
            .finish()
    }
}

/// An answer for the report: status, headers and the beginning of the body.
pub(super) fn shown(answer: &Answer) -> String {
    let mut text = format!("status {}\n", answer.status);
    for (name, value) in &answer.headers {
        // What a session is made of belongs in no report.
        let value = if matches!(name.as_str(), "set-cookie" | "authorization") { "…" } else { value };
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    text.extend(answer.body.chars().take(2000));
    text
}

/// An error with its sources: the outer one says only "error sending request".
pub(super) fn chain(e: reqwest::Error, limit: Duration) -> String {
    // The address may hold what only the two sides should know.
    let e = e.without_url();
    if e.is_timeout() {
        return format!("no answer in {} s", limit.as_secs_f64());
    }
    let mut source = e.source();
    let mut last = e.to_string();
    while let Some(inner) = source {
        last = inner.to_string();
        source = inner.source();
    }
    last
}
