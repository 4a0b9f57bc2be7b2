//! The webhook about a sweep: a signed POST to one address, with a bounded number of retries.

use std::path::Path;
use std::time::Duration;

use axum::http::HeaderName;
use base::failure::Failure;
use base::names::RecipeName;
use forge::hook::HookSecret;
use forge::token;
use http_client::{Http, HttpConfig, Method};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::sweep::{Sweep, SweptHealth};
use host::settings::{plain, wrong};

/// Pauses before each retry. After the last one the message is given up.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(15 * 60), Duration::from_secs(60 * 60)];
/// Timeout of one request.
const PATIENCE: Duration = Duration::from_secs(20);

/// State of a sweep's webhook message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookMessage {
    /// No message to send.
    #[default]
    None,
    /// Not delivered yet.
    Waits {
        /// Failed attempts so far.
        tries: u32,
        /// Earliest time of the next attempt.
        after: Timestamp,
    },
    /// The receiver accepted it.
    Sent { at: Timestamp },
    /// No further attempts.
    GivenUp { why: String },
}

impl WebhookMessage {
    /// The state after a failed attempt.
    pub fn after_failure(tries: u32, refusal: &HookRefusal, now: Timestamp) -> Self {
        let pause = PAUSES.get(usize::try_from(tries).unwrap_or(usize::MAX));
        match (pause.filter(|_| refusal.may_pass), refusal) {
            (Some(pause), _) => {
                let after = now.checked_add(*pause).unwrap_or(Timestamp::MAX);
                Self::Waits { tries: tries.saturating_add(1), after }
            }
            (None, refusal) => Self::GivenUp { why: refusal.why.clone() },
        }
    }
}

/// Why a message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRefusal {
    /// The reason, without the path of the address, which may be secret.
    pub why: String,
    /// Whether a retry may succeed.
    pub may_pass: bool,
}

/// The webhook's receiver.
#[derive(Debug, Clone)]
pub struct Hook {
    http: Http,
    url: Url,
    secret: HookSecret,
}

impl Hook {
    /// Sends to this address, signed with the secret in a file.
    ///
    /// # Errors
    /// The address is not one of a server, or the secret cannot be read or is too short.
    pub fn new(url: &Url, secret_file: &Path) -> Result<Self, Failure> {
        plain(url, "the message's receiver", "--nightly-hook (CCCI_NIGHTLY_HOOK)")?;
        let look_at = "--nightly-hook-secret-file (CCCI_NIGHTLY_HOOK_SECRET_FILE)";
        let secret = token::read(secret_file).map_err(|error| wrong(error.to_string(), look_at))?;
        let secret = HookSecret::new(&secret).map_err(|error| wrong(error.to_string(), look_at))?;
        Ok(Self { http: Http::new(&HttpConfig::default())?, url: url.clone(), secret })
    }

    /// Sends a message once.
    ///
    /// # Errors
    /// The receiver did not accept it.
    pub async fn send(&self, sweep: &Sweep, pages: Option<&Url>) -> Result<(), HookRefusal> {
        let body = body(sweep, pages);
        let signature = format!("sha256={}", self.secret.sign(&body));
        let ask = self
            .http
            .ask(Method::POST, &self.url)
            .header(HeaderName::from_static("x-cc-ci-event"), "nightly")
            .header(HeaderName::from_static("x-cc-ci-delivery"), &delivery(sweep))
            .header(HeaderName::from_static("x-hub-signature-256"), &signature)
            .body("application/json", body)
            .within(PATIENCE);
        let to = self.url.origin().ascii_serialization();
        match ask.send().await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(HookRefusal {
                why: format!("{to} answered {}", answer.status),
                may_pass: matches!(answer.status, 408 | 425 | 429 | 500..),
            }),
            Err(error) => Err(HookRefusal { why: format!("{to} does not answer: {}", error.why), may_pass: true }),
        }
    }
}

/// The delivery id. It is the same at each attempt, so that a receiver can recognize a duplicate.
fn delivery(sweep: &Sweep) -> String {
    format!("nightly-{}", sweep.date)
}

/// The message. Text from outside appears only as the value of `line`, `version` or `source`.
fn body(sweep: &Sweep, pages: Option<&Url>) -> Vec<u8> {
    let page = |path: &[&str]| {
        let mut url = pages?.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(path);
        Some(url)
    };
    let date = sweep.date.to_string();
    let source = |recipe: &RecipeName| sweep.recipes.iter().find(|swept| swept.recipe == *recipe)?.source.as_ref();
    let turned = sweep.turned().map(|turned| {
        json!({
            "text": turned.words(),
            "recipe": turned.recipe,
            "main": turned.run.tested.main,
            "version": turned.run.tested.release,
            "commit": turned.run.commit,
            "source": source(turned.recipe),
            "was": turned.was,
            "now": turned.now,
            "cause": turned.end.cause,
            "stage": turned.end.stage,
            "kind": turned.end.kind,
            "line": turned.end.line,
            "run": turned.end.run,
            "report": turned.end.run.as_ref().and_then(|run| page(&["runs", run.as_str()])),
        })
    });
    let turned: Vec<serde_json::Value> = turned.collect();
    let text: Vec<String> = sweep.turned().map(|turned| turned.words()).collect();
    let message = json!({
        "event": "nightly",
        "delivery": delivery(sweep),
        "sweep": date,
        "hour": sweep.hour,
        "began": sweep.began,
        "ended": sweep.ended,
        "cut_short": sweep.cut_short,
        "page": page(&["nightly", &date]),
        "green": sweep.count(SweptHealth::Green),
        "red": sweep.count(SweptHealth::Red),
        "blocked": sweep.count(SweptHealth::Blocked),
        "turned": turned,
        "text": text.join("\n"),
    });
    message.to_string().into_bytes()
}

#[cfg(test)]
mod tests;
