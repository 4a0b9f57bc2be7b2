//! One request that is more than "get this".

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};

use super::REQUEST;
use super::answer::BODY_BYTES;

/// A request. Its `Debug` shows the method and the address, which must hold no secret; headers and body
/// may.
#[derive(Clone)]
pub struct Request {
    method: Method,
    url: String,
    authority: Option<Authority>,
    body: Option<Body>,
    within: Duration,
    pub(super) up_to: usize,
}

#[derive(Clone)]
enum Authority {
    Bearer(SecretString),
    Basic(String, SecretString),
}

/// A body with its content type.
#[derive(Clone)]
struct Body {
    kind: &'static str,
    text: SecretString,
}

impl Request {
    fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), authority: None, body: None, within: REQUEST, up_to: BODY_BYTES }
    }
    /// `GET` this address.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }
    /// `POST` to this address.
    #[must_use]
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::POST, url)
    }
    /// `PUT` to this address.
    #[must_use]
    pub fn put(url: impl Into<String>) -> Self {
        Self::new(Method::PUT, url)
    }
    /// `DELETE` what is at this address.
    #[must_use]
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new(Method::DELETE, url)
    }
    /// The same with a token in its `Authorization` header.
    #[must_use]
    pub fn bearer(mut self, token: &SecretString) -> Self {
        self.authority = Some(Authority::Bearer(token.clone()));
        self
    }
    /// The same with a name and a password in its `Authorization` header.
    #[must_use]
    pub fn basic(mut self, name: &str, password: &SecretString) -> Self {
        self.authority = Some(Authority::Basic(name.to_owned(), password.clone()));
        self
    }
    /// The same with a form as its body.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let text: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", coded(name), coded(value))).collect();
        self.body = Some(Body { kind: "application/x-www-form-urlencoded", text: text.join("&").into() });
        self
    }
    /// The same with JSON as its body.
    #[must_use]
    pub fn json(mut self, value: &serde_json::Value) -> Self {
        self.body = Some(Body { kind: "application/json", text: value.to_string().into() });
        self
    }
    /// The same with this time for its answer, instead of 10 s.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }
    /// The same with this many bytes of the body read, instead of 64 KiB.
    #[must_use]
    pub fn up_to(mut self, bytes: usize) -> Self {
        self.up_to = bytes;
        self
    }
    /// The address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
    /// The method, in capitals.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The library's request.
    pub(super) fn on(&self, client: &reqwest::Client) -> reqwest::RequestBuilder {
        let mut request = client.request(self.method.clone(), &self.url).timeout(self.within);
        request = match &self.authority {
            Some(Authority::Bearer(token)) => request.bearer_auth(token.expose_secret()),
            Some(Authority::Basic(name, password)) => request.basic_auth(name, Some(password.expose_secret())),
            None => request,
        };
        match &self.body {
            Some(body) => request.header("content-type", body.kind).body(body.text.expose_secret().to_owned()),
            None => request,
        }
    }

    pub(super) fn limit(&self) -> Duration {
        self.within
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// A text as it stands in a form or in the query of an address.
#[must_use]
pub fn coded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(b)),
            b if b.is_ascii_alphanumeric() => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
