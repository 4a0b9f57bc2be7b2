//! A headless Chromium, for what an app shows to people. Debian's chromedriver drives it, and it trusts
//! the CA that the run trusts: nothing is excused.
//!
//! A [`Browser`] is a [`WebDriver`] with a few words more, so everything that thirtyfour can do is there.
//! Waits have a deadline and look again ten times a second; a test has no pauses of its own.

mod calm;
mod evidence;
mod home;
mod listens;
mod process;
mod start;
mod trust;

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::exchange::{Exchange, Recorder, Side};
use thirtyfour::error::WebDriverError;
use thirtyfour::extensions::query::ElementPollerWithTimeout;
use thirtyfour::stringmatch::StringMatch;

pub use evidence::Evidence;
pub use home::remove_homes_of_killed;
pub use start::{Config, PACKAGES};
pub use thirtyfour::extensions::query::{ElementQueryable, ElementWaitable, conditions};
pub use thirtyfour::{By, Cookie, Key, WebDriver, WebElement};

use self::process::Process;
use crate::testing::{Broken, Wrong};

/// How long an element is waited for, if a test says nothing else.
const WAIT: Duration = Duration::from_secs(20);
/// How often it is looked for.
const INTERVAL: Duration = Duration::from_millis(100);

/// The error that Chromium shows in place of a page; where it shows the page, what it knows of its answer.
const OWN_PAGE: &str = "if (location.protocol !== 'chrome-error:') {
        const got = performance.getEntriesByType('navigation')[0] || {};
        return {status: got.responseStatus || 0, bytes: got.decodedBodySize || 0, type: document.contentType};
    }
    const code = document.querySelector('.error-code, #error-code');
    return code ? code.textContent.trim() : document.title || 'an error page'";

/// A running Chromium with a profile of its own. Clones drive the same one; it ends with the last.
#[derive(Clone)]
pub struct Browser {
    driver: WebDriver,
    process: Arc<Process>,
    recorder: Option<Recorder>,
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Browser").field("process", &self.process).finish_non_exhaustive()
    }
}

impl Deref for Browser {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

impl Browser {
    /// Starts chromedriver on a free port, and by it a Chromium with an empty profile.
    pub async fn start(config: &Config) -> Result<Self, Broken> {
        start::start(config).await
    }

    /// Opens an address and waits until the page is loaded.
    ///
    /// # Errors
    /// When there is no such page: no answer, no trust in the certificate. Chromium shows a page of its
    /// own then, and `goto` alone does not tell.
    #[track_caller]
    pub fn open(&self, url: impl Into<String>) -> impl Future<Output = Result<(), Wrong>> + Send {
        let (driver, url, at) = (self.driver.clone(), url.into(), std::panic::Location::caller());
        let recorder = self.recorder.clone();
        async move {
            let start = Instant::now();
            let wrong = |error: WebDriverError| Wrong::by_browser(&error, Some(&format!("{url} does not open")), at);
            driver.goto(url.as_str()).await.map_err(wrong)?;
            let shown = driver.execute(OWN_PAGE, Vec::new()).await.map_err(wrong)?;
            if let Some(recorder) = recorder {
                recorder.push(opened(&url, start.elapsed(), shown.json()));
            }
            match shown.json().as_str() {
                Some(code) => Err(Wrong::red_at(format!("{url} does not open: {code}"), at)),
                None => Ok(()),
            }
        }
    }

    /// Waits for up to this long from now on, in place of 20 s.
    pub fn wait_up_to(&self, time: Duration) {
        self.driver.set_poller(poller(time));
    }

    /// Waits for an element that is displayed.
    #[track_caller]
    pub fn see(&self, css: &str) -> impl Future<Output = Result<WebElement, Wrong>> + Send {
        let query = self.driver.query(By::Css(css)).and_displayed();
        located(format!("the page shows no {css}"), async move { query.first().await })
    }

    /// Waits for a displayed element that holds a text.
    #[track_caller]
    pub fn see_text(&self, css: &str, text: &str) -> impl Future<Output = Result<WebElement, Wrong>> + Send {
        let query = self.driver.query(By::Css(css)).and_displayed().with_text(StringMatch::new(text).partial());
        let (driver, at) = (self.driver.clone(), std::panic::Location::caller());
        let what = format!("the page shows no {css} with the text {text:?}");
        async move {
            let error = match query.first().await {
                Ok(element) => return Ok(element),
                Err(error) => error,
            };
            let said = match driver.query(By::Css(css)).nowait().first().await {
                Ok(element) => element.text().await.ok(),
                Err(_) => None,
            };
            let instead = said.map(|said| format!(", it says {said:?}")).unwrap_or_default();
            Err(Wrong::by_browser(&error, Some(&format!("{what}{instead}")), at))
        }
    }

    /// Waits for an element that can be clicked, and clicks it.
    #[track_caller]
    pub fn click(&self, css: &str) -> impl Future<Output = Result<(), Wrong>> + Send {
        let query = self.driver.query(By::Css(css)).and_clickable();
        located(format!("{css} cannot be clicked"), async move { query.first().await?.click().await })
    }

    /// Waits for a field, empties it and types into it.
    #[track_caller]
    pub fn fill(&self, css: &str, text: &str) -> impl Future<Output = Result<(), Wrong>> + Send {
        let query = self.driver.query(By::Css(css)).and_clickable();
        let text = text.to_owned();
        located(format!("{css} takes no text"), async move {
            let field = query.first().await?;
            field.clear().await?;
            field.send_keys(text).await
        })
    }
}

/// The page that a browser opened, by what [`OWN_PAGE`] says.
fn opened(url: &str, took: Duration, shown: &serde_json::Value) -> Exchange {
    let exchange = Exchange::taken("GET", url, Side::default(), took);
    if let Some(code) = shown.as_str() {
        return exchange.failed(code);
    }
    let number = |name: &str| shown.get(name).and_then(serde_json::Value::as_u64).unwrap_or_default();
    let media = shown.get("type").and_then(serde_json::Value::as_str).unwrap_or_default();
    let answer = Side::taken([("content-type", media)], b"", number("bytes"));
    match u16::try_from(number("status")) {
        Ok(status @ 1..) => exchange.answered(status, answer),
        _ => Exchange { answer, ..exchange },
    }
}

/// Gives an error the place that called, and says first what was wanted.
#[track_caller]
fn located<T>(
    wanted: String,
    work: impl Future<Output = Result<T, WebDriverError>> + Send,
) -> impl Future<Output = Result<T, Wrong>> + Send {
    let at = std::panic::Location::caller();
    async move { work.await.map_err(|error| Wrong::by_browser(&error, Some(&wanted), at)) }
}

fn poller(wait: Duration) -> Arc<ElementPollerWithTimeout> {
    Arc::new(ElementPollerWithTimeout::new(wait, INTERVAL))
}
