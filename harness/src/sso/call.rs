//! Requests to a provider, and its answers as results.

use std::time::Duration;

use base::redact::Redactor;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{ProviderName, RealmSpec, SsoError};
use http_client::{Answer, Ask, Http, Method, Url};

/// One request may take this long: a Keycloak that has just started makes its first realm in 10 s and more.
const LIMIT: Duration = Duration::from_secs(60);

/// Lists and what a provider says of itself are longer than pages (Keycloak's server information: 300 KB).
const BYTES: usize = 4 * 1024 * 1024;

/// As many characters of an answer stand in an error.
const SAID: usize = 300;

/// A provider's address, and how to ask there.
#[derive(Debug)]
pub(super) struct Caller {
    http: Http,
    provider: ProviderName,
    base: String,
    hidden: Redactor,
}

impl Caller {
    pub(super) fn new(http: Http, provider: ProviderName, base_url: &str) -> Self {
        Self { http, provider, base: base_url.trim_end_matches('/').to_owned(), hidden: Redactor::new() }
    }

    /// The address of a path, which starts with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A request to an address of the provider.
    pub(super) fn ask(&self, asked: &str, method: Method, url: &str) -> Result<Ask, SsoError> {
        let parsed = Url::parse(url).map_err(|error| self.unexpected(asked, url, format!("is no address: {error}")))?;
        Ok(self.http.ask(method, &parsed))
    }

    /// Keeps a secret out of every error from now on.
    pub(super) fn hide(&self, secret: &SecretString) {
        self.hidden.add(secret.expose_secret());
    }

    pub(super) fn hide_all(&self, wanted: &RealmSpec) {
        self.hide(&wanted.client_secret);
        wanted.users.iter().for_each(|user| self.hide(&user.password));
    }

    /// Sends a request and gives the answer, whatever its status. A proxy's word that nobody is behind it
    /// is no answer.
    pub(super) async fn send(&self, asked: &str, ask: Ask) -> Result<Answer, SsoError> {
        let unreachable = |why: String| SsoError::Unreachable { provider: self.provider, asked: asked.to_owned(), why };
        let place = ask.place();
        let answer = ask.within(LIMIT).up_to(BYTES).send().await.map_err(|e| unreachable(e.to_string()))?;
        if matches!(answer.status, 502..=504) {
            return Err(unreachable(format!("{place} answered {}", answer.status)));
        }
        Ok(answer)
    }

    /// The same, where only these statuses are right.
    pub(super) async fn done(&self, asked: &str, ask: Ask, right: &[u16]) -> Result<Answer, SsoError> {
        let url = ask.place();
        let answer = self.send(asked, ask).await?;
        if right.contains(&answer.status) {
            return Ok(answer);
        }
        Err(self.wrong(asked, &url, &answer))
    }

    /// The JSON of the answer.
    pub(super) async fn json(&self, asked: &str, ask: Ask, right: &[u16]) -> Result<Value, SsoError> {
        let url = ask.place();
        let answer = self.done(asked, ask, right).await?;
        self.read(asked, &url, &answer)
    }

    pub(super) fn read(&self, asked: &str, url: &str, answer: &Answer) -> Result<Value, SsoError> {
        serde_json::from_str(&answer.body)
            .map_err(|_| self.unexpected(asked, url, format!("answered no JSON: {}", self.said(&answer.body))))
    }

    /// What a wrong answer means.
    pub(super) fn wrong(&self, asked: &str, url: &str, answer: &Answer) -> SsoError {
        match answer.status {
            401 | 403 => self.refused(asked, url, answer),
            status => self.unexpected(asked, url, format!("answered {status}: {}", self.said(&answer.body))),
        }
    }

    pub(super) fn refused(&self, asked: &str, url: &str, answer: &Answer) -> SsoError {
        SsoError::Refused {
            provider: self.provider,
            asked: asked.to_owned(),
            url: url.to_owned(),
            status: answer.status,
            said: self.said(&answer.body),
        }
    }

    pub(super) fn unexpected(&self, asked: &str, url: &str, said: impl Into<String>) -> SsoError {
        SsoError::Unexpected {
            provider: self.provider,
            asked: asked.to_owned(),
            url: url.to_owned(),
            said: said.into(),
        }
    }

    /// A text at this place of an answer.
    pub(super) fn text(&self, asked: &str, url: &str, json: &Value, pointer: &str) -> Result<String, SsoError> {
        json.pointer(pointer).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
            self.unexpected(asked, url, format!("answered without the text {}", &pointer[1..].replace('/', ".")))
        })
    }

    /// The beginning of a body in one line, without secrets.
    pub(super) fn said(&self, body: &str) -> String {
        let clean = self.hidden.text(body);
        let line = base::text::one_line(&clean, SAID);
        if line.is_empty() { "(an empty body)".to_owned() } else { line }
    }
}
