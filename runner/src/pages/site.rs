//! What the pages are made from.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::failure::Failure;
use tokio::sync::Mutex;
use tokio::sync::broadcast::Receiver;
use url::Url;

use super::actions::Token;
use super::fleet::Look;
use crate::history::{Change, History};
use crate::slot::Runner;

/// What a page that many look at is made once in.
const FRESH: Duration = Duration::from_millis(500);

/// How pages are shown; see `ServeSettings`.
#[derive(Debug, Clone, Default)]
pub struct Shown<'a> {
    /// File with the token that actions need; without one there are none.
    pub token_file: Option<&'a Path>,
    /// Where readers find the pages, for feeds and badges.
    pub home: Option<Url>,
    /// Whether what browsers showed in tests may be seen. Nobody can redact a picture.
    pub pictures: bool,
}

/// What the pages are made from. Cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    history: History,
    runner: Runner,
    look: Look,
    token: Option<Token>,
    home: Option<Url>,
    pictures: bool,
    overview: Mutex<Option<(Instant, Arc<str>)>>,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Site({:?})", self.0.history)
    }
}

impl Site {
    /// The pages of a history.
    ///
    /// # Errors
    /// When the token cannot be read.
    pub fn new(history: &History, runner: &Runner, shown: &Shown<'_>) -> Result<Self, Failure> {
        Ok(Self(Arc::new(Inner {
            history: history.clone(),
            look: Look::new(runner),
            runner: runner.clone(),
            token: shown.token_file.map(Token::read).transpose()?,
            home: shown.home.clone(),
            pictures: shown.pictures,
            overview: Mutex::default(),
        })))
    }

    pub(super) fn history(&self) -> &History {
        &self.0.history
    }

    pub(super) fn changes(&self) -> Receiver<Change> {
        self.0.history.changes()
    }

    pub(super) fn runner(&self) -> &Runner {
        &self.0.runner
    }

    pub(super) fn state(&self) -> &Path {
        &self.0.runner.state
    }

    pub(super) fn look(&self) -> &Look {
        &self.0.look
    }

    pub(super) fn token(&self) -> Option<&Token> {
        self.0.token.as_ref()
    }

    pub(super) fn pictures(&self) -> bool {
        self.0.pictures
    }

    /// Where readers find the pages; none where nobody said so.
    pub(super) fn home(&self) -> Option<&Url> {
        self.0.home.as_ref()
    }

    /// The first page as it was made in the last half second, or made now: it is what everybody looks at.
    pub(super) async fn overview<E>(&self, make: impl AsyncFnOnce() -> Result<String, E>) -> Result<Arc<str>, E> {
        let mut kept = self.0.overview.lock().await;
        if let Some((at, page)) = &*kept
            && at.elapsed() < FRESH
        {
            return Ok(page.clone());
        }
        let page: Arc<str> = make().await?.into();
        *kept = Some((Instant::now(), page.clone()));
        Ok(page)
    }
}
