//! One request to Gitea's API, and the meaning of its response.

use std::time::Duration;

use base::messages;
use http_client::{Answer, Ask, Http, Method, coded};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::ForgeError;

/// Timeout of a request.
const LIMIT: Duration = Duration::from_secs(20);
/// Maximum size of a response with a single item.
pub(super) const ONE: usize = 32 * 1024 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Call {
    http: Http,
    base: Url,
    token: SecretString,
}

/// A response of any status, with its request.
pub(super) struct Answered {
    asked: String,
    answer: Answer,
    bytes: usize,
}

impl Call {
    pub(super) fn new(http: Http, base: Url, token: SecretString) -> Self {
        Self { http, base, token }
    }

    /// A web page of the forge, by its path.
    pub(super) fn page(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        url.set_query(None);
        url.set_fragment(None);
        let _ = (url.set_username(""), url.set_password(None));
        url
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> Ask {
        let mut url = self.page(&format!("api/v1/{path}"));
        if !query.is_empty() {
            let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect();
            url.set_query(Some(&pairs.join("&")));
        }
        self.http.ask(method, &url).bearer(&self.token).within(LIMIT)
    }

    /// Requests an absolute path without the token; any status is a response, except statuses about the forge itself.
    pub(super) async fn ask_openly(&self, path: &str) -> Result<Answered, ForgeError> {
        answered(self.http.ask(Method::GET, &self.page(path)).within(LIMIT), ONE).await
    }

    /// Requests something that must exist.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answered, ForgeError> {
        self.get_up_to(path, query, ONE).await
    }

    /// Requests something that must exist, with a limit on the body's size.
    pub(super) async fn get_up_to(
        &self,
        path: &str,
        query: &[(&str, &str)],
        bytes: usize,
    ) -> Result<Answered, ForgeError> {
        answered(self.request(Method::GET, path, query), bytes).await?.successful()
    }

    /// Sends a request; any status is a response, except statuses about the forge or the token.
    pub(super) async fn ask(&self, method: Method, path: &str) -> Result<Answered, ForgeError> {
        answered(self.request(method, path, &[]), ONE).await
    }

    /// Sends something that must be accepted.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Answered, ForgeError> {
        answered(self.request(method, path, &[]).json(body), ONE).await?.successful()
    }
}

async fn answered(ask: Ask, bytes: usize) -> Result<Answered, ForgeError> {
    let asked = ask.asked().to_owned();
    let answer = ask
        .up_to(bytes)
        .send()
        .await
        .map_err(|nothing| ForgeError::Unreachable { asked: nothing.asked, why: nothing.why })?;
    let answered = Answered { asked, answer, bytes };
    match answered.status() {
        401 | 408 | 429 | 500.. => Err(answered.error()),
        _ => Ok(answered),
    }
}

impl Answered {
    pub(super) fn status(&self) -> u16 {
        self.answer.status
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.answer.header(name)
    }

    /// Whether the body was longer than the limit.
    pub(super) fn is_cut(&self) -> bool {
        self.answer.body.len() >= self.bytes
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ForgeError> {
        if !self.answer.is_success() {
            return Err(self.error());
        }
        self.answer.json().map_err(|why| self.wrong(why))
    }

    pub(super) fn wrong(&self, why: impl Into<String>) -> ForgeError {
        ForgeError::Wrong { asked: self.asked.clone(), why: why.into() }
    }

    pub(super) fn refused(&self, hint: &'static str) -> ForgeError {
        ForgeError::Refused { asked: self.asked.clone(), status: self.status(), hint }
    }

    /// The error for a response without success.
    pub(super) fn error(&self) -> ForgeError {
        let asked = self.asked.clone();
        match (self.status(), messages::status(self.status())) {
            (401, _) => ForgeError::Token { asked },
            (status, Some(row)) if row.passes => {
                ForgeError::Unreachable { asked, why: format!("it answered {status}") }
            }
            (_, Some(row)) => self.refused(row.look_at),
            (status, None) => self.wrong(format!("it answered {status}")),
        }
    }

    fn successful(self) -> Result<Self, ForgeError> {
        if self.answer.is_success() { Ok(self) } else { Err(self.error()) }
    }
}

/// The forge's clock at the response.
pub(super) fn date(answer: &Answered) -> Option<Timestamp> {
    let date = answer.header("date")?;
    rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}
