use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::exchange::Side;
use reqwest::cookie::{CookieStore as _, Jar};
use reqwest::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, SET_COOKIE};
use reqwest::{Body, Method, Request, RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::form_urlencoded;

use super::answer::{Answer, BODY_BYTES, chain};
use super::{Http, Session};

/// No single request may take longer, unless it is said. The first page of a large program that has just
/// started takes some seconds.
const ASK: Duration = Duration::from_secs(30);

/// Nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{asked} does not answer: {why}")]
pub struct NoAnswer {
    /// What was asked, such as `GET https://host/path`.
    pub asked: String,
    /// Why there was no answer.
    pub why: String,
}

/// A request that is sent once, whatever comes back. No redirect is followed.
pub struct Ask {
    http: Http,
    builder: RequestBuilder,
    asked: String,
    url: Url,
    jar: Option<Arc<Jar>>,
    limit: Duration,
    bytes: usize,
}

impl Http {
    /// A request; [`Ask::send`] sends it.
    pub fn ask(&self, method: Method, url: &Url) -> Ask {
        let asked = format!("{method} {}", place(url));
        let builder = self.client.request(method, url.clone());
        Ask { http: self.clone(), builder, asked, url: url.clone(), jar: None, limit: ASK, bytes: BODY_BYTES }
    }

    /// Requests of one visitor, who starts without cookies.
    pub fn session(&self) -> Session {
        Session::new(self.clone())
    }
}

impl Ask {
    pub(super) fn with_jar(mut self, jar: &Arc<Jar>) -> Self {
        if let Some(cookies) = jar.cookies(&self.url) {
            self.builder = self.builder.header(COOKIE, sensitive(cookies));
        }
        self.jar = Some(Arc::clone(jar));
        self
    }

    /// With a header.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// To the host of this name, whatever the address says.
    pub fn as_host(mut self, host: &str) -> Self {
        self.builder = self.builder.header(HOST, host);
        self
    }

    /// With a bearer token.
    pub fn bearer(mut self, token: &SecretString) -> Self {
        self.builder = self.builder.bearer_auth(token.expose_secret());
        self
    }

    /// With a name and a password as HTTP has them.
    pub fn basic(mut self, name: &str, password: &SecretString) -> Self {
        self.builder = self.builder.basic_auth(name, Some(password.expose_secret()));
        self
    }

    /// With the fields of a form as the body.
    pub fn form<'a>(mut self, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.builder = self.builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        self
    }

    /// With a JSON body.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        self.builder = self.builder.json(value);
        self
    }

    /// With these bytes as the body, which are of this kind: `application/x-ndjson`.
    pub fn body(mut self, kind: &str, bytes: Vec<u8>) -> Self {
        self.builder = self.builder.header(CONTENT_TYPE, kind).body(bytes);
        self
    }

    /// With another limit than 30 s, for what takes its time.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// With this many bytes of the answer's body read, instead of 64 KiB.
    pub fn up_to(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Where it is sent to, without what may be secret.
    pub fn place(&self) -> String {
        place(&self.url)
    }

    /// What is asked, without what may be secret: `GET https://host/path`.
    pub fn asked(&self) -> &str {
        &self.asked
    }

    /// Sends it.
    pub async fn send(self) -> Result<Answer, NoAnswer> {
        let Self { http, builder, asked, url, jar, limit, bytes } = self;
        let no_answer = |e: reqwest::Error| NoAnswer { asked: asked.clone(), why: chain(e, limit) };
        let request = builder.timeout(limit).build().map_err(no_answer)?;
        let (method, sent) = (request.method().to_string(), side(&request));
        let start = Instant::now();
        let read = async {
            let response = http.client.execute(request).await.map_err(no_answer)?;
            if let Some(jar) = jar {
                jar.set_cookies(&mut response.headers().get_all(SET_COOKIE).iter(), &url);
            }
            Answer::read(response, bytes, start, 1).await.map_err(no_answer)
        };
        let read = read.await;
        let answer = read.as_ref().map(|read| &read.side).map_err(|error| error.why.as_str());
        http.record(&method, url.as_str(), sent, start, answer);
        read.map(|read| read.answer)
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ask").field(&self.asked).finish()
    }
}

/// What a request says, for who puts it down. Its body is a text or nothing.
fn side(request: &Request) -> Side {
    let headers = request.headers().iter();
    let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let body = request.body().and_then(Body::as_bytes).unwrap_or_default();
    Side::taken(headers, body, 0)
}

/// An address without user, query and fragment, which may hold codes and tokens.
pub fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// A text as it stands in the path or in the query of an address.
pub fn coded(text: &str) -> String {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|b| if fine(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}
