use std::fmt;
use std::sync::Arc;

use reqwest::cookie::{CookieStore as _, Jar};
use reqwest::{Method, Url};
use secrecy::SecretString;

use super::{Answer, Ask, Http, place};

/// What browsers allow, too.
const REDIRECTS: usize = 20;

/// The requests of one visitor: cookies are kept and sent as a browser does, in memory, and nothing shows
/// them. Clones are the same visitor.
#[derive(Clone)]
pub struct Session {
    http: Http,
    jar: Arc<Jar>,
}

/// Why a chain of redirects has no end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{from} redirects more than {REDIRECTS} times, lastly to {last}")]
pub struct TooManyRedirects {
    /// Where it began.
    pub from: String,
    /// Where it was given up.
    pub last: String,
}

impl Session {
    pub(super) fn new(http: Http) -> Self {
        Self { http, jar: Arc::new(Jar::default()) }
    }

    /// A request with the visitor's cookies; what it sets is kept.
    pub fn ask(&self, method: Method, url: &Url) -> Ask {
        self.http.ask(method, url).with_jar(&self.jar)
    }

    /// The value of a cookie that would be sent to this address.
    pub fn cookie(&self, url: &Url, name: &str) -> Option<SecretString> {
        let cookies = self.jar.cookies(url)?;
        let mut pairs = cookies.to_str().ok()?.split("; ").filter_map(|pair| pair.split_once('='));
        pairs.find(|(own, _)| *own == name).map(|(_, value)| SecretString::from(value))
    }
}

/// Counts the redirects of one chain.
#[derive(Debug)]
pub struct Chain {
    from: String,
    left: usize,
}

impl Chain {
    pub fn new(from: &Url) -> Self {
        Self { from: place(from), left: REDIRECTS }
    }

    /// The next address of the chain; none where the answer is no redirect.
    pub fn next(&mut self, here: &Url, answer: &Answer) -> Result<Option<Url>, TooManyRedirects> {
        let Some(next) = redirect(here, answer) else { return Ok(None) };
        let left = self.left.checked_sub(1);
        self.left = left.ok_or_else(|| TooManyRedirects { from: self.from.clone(), last: place(&next) })?;
        Ok(Some(next))
    }
}

/// Where an answer sends its visitor, by a GET; none where it does not.
fn redirect(here: &Url, answer: &Answer) -> Option<Url> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let mut next = here.join(answer.header("location")?).ok()?;
    next.set_fragment(None);
    Some(next)
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(…)")
    }
}

#[cfg(test)]
mod tests;
