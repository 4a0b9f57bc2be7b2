//! The shape of authentik's interface: objects below `/api/v3`, lists in pages.

use secrecy::SecretString;
use serde_json::Value;

use super::super::call::Caller;
use super::super::{ProviderName, SsoError};
use http_client::{Answer, Http, Method};

/// More pages than this is no list of ours, but an answer that names itself as the next page.
const PAGES: usize = 1000;

#[derive(Debug)]
pub(super) struct Api {
    pub(super) caller: Caller,
    token: SecretString,
}

impl Api {
    pub(super) fn new(http: Http, base_url: &str, token: SecretString) -> Self {
        let caller = Caller::new(http, ProviderName::Authentik, base_url);
        caller.hide(&token);
        Self { caller, token }
    }

    pub(super) fn url(&self, path: &str) -> String {
        self.caller.url(&format!("/api/v3{path}"))
    }

    pub(super) async fn get(&self, asked: &str, path: &str) -> Result<Value, SsoError> {
        self.caller.json(asked, self.caller.ask(asked, Method::GET, &self.url(path))?.bearer(&self.token), &[200]).await
    }

    /// The object at this path; none where there is none.
    pub(super) async fn find(&self, asked: &str, path: &str) -> Result<Option<Value>, SsoError> {
        let url = self.url(path);
        let answer = self
            .caller
            .done(asked, self.caller.ask(asked, Method::GET, &url)?.bearer(&self.token), &[200, 404])
            .await?;
        if answer.status == 404 {
            return Ok(None);
        }
        self.caller.read(asked, &url, &answer).map(Some)
    }

    /// Every object of a list, from all of its pages. The path has a query.
    pub(super) async fn list(&self, asked: &str, path: &str) -> Result<Vec<Value>, SsoError> {
        let (mut all, mut page) = (Vec::new(), 1);
        for _ in 0..PAGES {
            let path = format!("{path}&page={page}&page_size=100");
            let mut json = self.get(asked, &path).await?;
            match json.get_mut("results").map(Value::take) {
                Some(Value::Array(results)) => all.extend(results),
                _ => return Err(self.caller.unexpected(asked, &self.url(&path), "answered without the list results")),
            }
            // The number of the next page; zero after the last.
            match json.pointer("/pagination/next").and_then(Value::as_f64) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
                Some(next) if next >= 1.0 => page = next as u64,
                _ => return Ok(all),
            }
        }
        Err(self.caller.unexpected(asked, &self.url(path), format!("has more than {PAGES} pages")))
    }

    /// The object of a list whose field is exactly this text. A filter that a release does not know finds
    /// everything, so it is looked at again.
    pub(super) async fn named(
        &self,
        asked: &str,
        list: &str,
        field: &str,
        text: &str,
    ) -> Result<Option<Value>, SsoError> {
        let all = self.list(asked, &format!("{list}?{field}={}", http_client::coded(text))).await?;
        Ok(all.into_iter().find(|object| object.get(field).and_then(Value::as_str) == Some(text)))
    }

    /// Makes an object and gives it as it is.
    pub(super) async fn make(&self, asked: &str, path: &str, object: &Value) -> Result<Value, SsoError> {
        let answer = self.post(asked, path, object, &[201]).await?;
        self.caller.read(asked, &self.url(path), &answer)
    }

    pub(super) async fn post(
        &self,
        asked: &str,
        path: &str,
        object: &Value,
        right: &[u16],
    ) -> Result<Answer, SsoError> {
        self.caller
            .done(asked, self.caller.ask(asked, Method::POST, &self.url(path))?.bearer(&self.token).json(object), right)
            .await
    }

    /// Removes an object; one that is gone already is no error.
    pub(super) async fn remove(&self, asked: &str, path: &str) -> Result<(), SsoError> {
        self.caller
            .done(asked, self.caller.ask(asked, Method::DELETE, &self.url(path))?.bearer(&self.token), &[204, 404])
            .await
            .map(|_| ())
    }

    /// The key of an object that was made or found.
    pub(super) fn key<'a>(&self, asked: &str, path: &str, object: &'a Value) -> Result<&'a Value, SsoError> {
        object
            .get("pk")
            .filter(|key| key.is_u64() || key.is_string())
            .ok_or_else(|| self.caller.unexpected(asked, &self.url(path), "answered without the key pk"))
    }
}

/// A key as it stands in a path.
pub(super) fn segment(key: &Value) -> String {
    http_client::coded(&key.as_str().map_or_else(|| key.to_string(), str::to_owned))
}
