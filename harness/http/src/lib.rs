//! Requests to an app: as assertions with a deadline, or one by one.
//!
//! ```text
//! let answer = http.ask(Method::POST, &url).bearer(&token).send().await?;
//! let visitor = http.session();                    // keeps cookies
//! let answer = visitor.ask(Method::GET, &url).send().await?;
//! ```

mod answer;
mod ask;
mod below;
#[cfg(test)]
mod scripted;
mod session;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::exchange::{Exchange, Recorder, Side};
use base::failure::{Failure, Kind};
use base::messages::{self, Speaker};

pub use self::answer::Answer;
use self::answer::{BODY_BYTES, chain, shown};
pub use self::ask::{Ask, NoAnswer, coded, place};
use self::below::Below;
pub use self::session::{Chain, Session, TooManyRedirects};
pub use reqwest::{Method, Url};

/// A route and a process behind it have no event that tells when they answer, so they are asked again
/// after these pauses: the first is short, since most apps answer at once, the last spares them.
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// How long an app may give the same wrong status before it is believed.
const STUBBORN: Duration = Duration::from_secs(10);

/// No single request may take longer.
const REQUEST: Duration = Duration::from_secs(10);

/// How requests leave.
#[derive(Debug, Clone, Default)]
pub struct HttpConfig {
    /// A certificate authority to trust beside the public ones, in PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Names at or below these domains have these addresses, whatever the DNS says.
    pub resolve: Vec<(String, IpAddr)>,
}

/// A client that keeps its connections and follows no redirect. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    recorder: Option<Recorder>,
}

/// What an answer must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// The address to get.
    pub url: String,
    /// The statuses that are right.
    pub status: Vec<u16>,
    /// A text that the first 64 KiB of the body must hold.
    pub body: Option<String>,
}

impl Http {
    /// A client.
    ///
    /// # Errors
    /// [`Kind::WorldIncomplete`] when the certificate authority cannot be read.
    pub fn new(config: &HttpConfig) -> Result<Self, Failure> {
        // The library has no cryptography of its own choice; who installed one first has decided.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let unreadable = |e: reqwest::Error| {
            Failure::new(
                Kind::WorldIncomplete,
                format!("the certificate authority cannot be used: {}", chain(e, REQUEST)),
                "the CA file of the world, which must be PEM",
            )
        };
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(REQUEST)
            .no_proxy()
            .user_agent("cc-ci");
        if let Some(pem) = &config.ca_pem {
            let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(unreadable)?;
            if certificates.is_empty() {
                return Err(Failure::new(
                    Kind::WorldIncomplete,
                    "the certificate authority's file holds no certificate",
                    "the CA file of the world, which must be PEM",
                ));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        if !config.resolve.is_empty() {
            builder = builder.dns_resolver(Arc::new(Below(config.resolve.clone())));
        }
        Ok(Self { client: builder.build().map_err(unreadable)?, recorder: None })
    }

    /// The same, with what is asked by it and its clones put down.
    pub fn recorded_by(&self, recorder: &Recorder) -> Self {
        Self { client: self.client.clone(), recorder: Some(recorder.clone()) }
    }

    /// Asks again and again until the answer is as expected. `on_progress` gets one line whenever what
    /// is wrong changes.
    ///
    /// # Errors
    /// [`Kind::NoAnswer`] at the deadline, with the last answer.
    pub async fn answers(
        &self,
        expect: &Expect,
        deadline: Instant,
        on_progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Answer, Failure> {
        let start = Instant::now();
        let (mut pause, mut tries, mut told, mut detail) = (PAUSE, 0, String::new(), String::new());
        let mut given_up = deadline;
        loop {
            tries += 1;
            let tried = self.once(&expect.url, deadline, start, tries).await;
            let stubborn = tried.as_ref().is_ok_and(|answer| expect.is_refused_by_the_app(answer));
            let (wrong, evidence) = match tried {
                Ok(answer) => match expect.wrong(&answer) {
                    None => return Ok(answer),
                    Some(wrong) => (wrong, shown(&answer)),
                },
                // A request that the deadline cut short says less than the one before it.
                Err(_) if Instant::now() >= deadline && !told.is_empty() => (told.clone(), detail),
                Err(e) => (format!("does not answer: {e}"), String::new()),
            };
            if wrong != told {
                on_progress(&format!("{} {wrong}", expect.url));
                given_up = if stubborn { deadline.min(Instant::now() + STUBBORN) } else { deadline };
            }
            (told, detail) = (wrong, evidence);
            if Instant::now() + pause >= given_up {
                let seconds = start.elapsed().as_secs_f64();
                let what = format!("{} {told}, after {tries} tries in {seconds:.0} s", expect.url);
                return Err(no_answer(what, &told).with_detail(detail));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Asks once.
    ///
    /// # Errors
    /// [`Kind::NoAnswer`] when no answer comes before the deadline; any status is an answer.
    pub async fn get(&self, url: &str, deadline: Instant) -> Result<Answer, Failure> {
        let answer = self.once(url, deadline, Instant::now(), 1).await;
        answer.map_err(|e| no_answer(format!("{url} does not answer: {e}"), &e))
    }

    /// Asks once, and holds the answer to what is expected.
    pub async fn right(&self, expect: &Expect) -> Result<Answer, String> {
        let answer = self.once(&expect.url, Instant::now() + REQUEST, Instant::now(), 1).await;
        let answer = answer.map_err(|why| format!("does not answer: {why}"))?;
        match expect.wrong(&answer) {
            None => Ok(answer),
            Some(wrong) => Err(wrong),
        }
    }

    async fn once(&self, url: &str, deadline: Instant, start: Instant, tries: u32) -> Result<Answer, String> {
        let began = Instant::now();
        let request = async {
            let response = self.client.get(url).send().await.map_err(|e| chain(e, REQUEST))?;
            Answer::read(response, BODY_BYTES, start, tries).await.map_err(|e| chain(e, REQUEST))
        };
        let read = tokio::time::timeout_at(deadline.into(), request).await;
        let read = read.unwrap_or_else(|_| Err("time is up".to_owned()));
        self.record("GET", url, Side::default(), began, read.as_ref().map(|read| &read.side).map_err(String::as_str));
        read.map(|read| read.answer)
    }

    /// Puts down what was asked, where somebody wants to know.
    fn record(&self, method: &str, url: &str, request: Side, began: Instant, answer: Result<&(u16, Side), &str>) {
        let Some(recorder) = &self.recorder else { return };
        let exchange = Exchange::taken(method, url, request, began.elapsed());
        recorder.push(match answer {
            Ok((status, side)) => exchange.answered(*status, side.clone()),
            Err(why) => exchange.failed(why),
        });
    }
}

impl Expect {
    /// Whether a wrong status is the app's own word. A proxy that has no route yet, or no server behind
    /// it, answers one of the others, and so does an app that says to come again later.
    fn is_refused_by_the_app(&self, answer: &Answer) -> bool {
        !self.status.contains(&answer.status) && !matches!(answer.status, 404 | 429 | 502 | 503 | 504)
    }

    /// What is wrong with an answer, to follow the address; none where it is as expected.
    fn wrong(&self, answer: &Answer) -> Option<String> {
        if !self.status.contains(&answer.status) {
            let wanted: Vec<String> = self.status.iter().map(u16::to_string).collect();
            return Some(format!("answered {} (wanted {})", answer.status, wanted.join(" or ")));
        }
        let missing = self.body.as_ref().filter(|text| !answer.body.contains(text.as_str()))?;
        Some(format!("answered {} without {missing:?} in the body", answer.status))
    }
}

/// `why` picks the kind and the advice. Words that no row knows are the app's own here: traefik's are few.
fn no_answer(what: String, why: &str) -> Failure {
    match messages::known(Speaker::Proxy, why) {
        Some(row) => Failure::new(row.kind, what, row.look_at),
        None => Failure::new(Kind::NoAnswer, what, "the log lines of the app, and its routing labels"),
    }
}

#[cfg(test)]
mod tests;
