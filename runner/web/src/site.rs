//! The data of the pages.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use base::failure::Failure;
use forge::token::RequiredToken;
use jiff::Timestamp;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use url::Url;

use super::actions;
use super::fleet::FleetView;
use super::respond::NoPage;
use coverage::{Coverage, Evidence, all_and_maintained, gather};
use history::query::Filter;
use history::{Db, History, HistoryChange, HistoryError};
use host::queue::Runner;
use host::settings::plain;
use nightly::{Shelf, Sweep};

/// How long a page with many readers is cached.
///
/// Less than the time in which changes are collected (see `live`): a reader who reloads because of an event gets a page
/// that includes the change.
const FRESH: Duration = Duration::from_millis(200);
/// Maximum age of an unchanged page, because of its relative times and the queue.
const AGED: Duration = Duration::from_secs(2);

/// Maximum number of concurrent large queries.
const HEAVY: usize = 2;
/// Coverage changes with runs, and takes a second to compute.
const COVERAGE_FRESH: Duration = Duration::from_secs(60);
/// Number of a recipe's runs that count for its coverage.
const EVIDENCE: u16 = 100;

/// The settings of pages; see `ServeSettings`.
#[derive(Debug, Clone, Default)]
pub struct PageSettings<'a> {
    /// File with the token for actions; without one there are none.
    pub token_file: Option<&'a Path>,
    /// The pages' public address, for feeds and badges.
    pub home: Option<Url>,
    /// Whether to show browsers' pictures, which cannot be redacted.
    pub pictures: bool,
}

/// The data of the pages. Cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    history: History,
    runner: Runner,
    look: FleetView,
    token: Option<RequiredToken>,
    home: Option<Url>,
    pictures: bool,
    heavy: Arc<Semaphore>,
    overview: std::sync::Mutex<Option<(Instant, Bytes)>>,
    /// Held while the first page is made.
    making: Arc<Mutex<()>>,
    /// Unread changes, and when the last one was.
    seen: std::sync::Mutex<(Receiver<HistoryChange>, Instant)>,
    coverage: Mutex<Option<(Instant, Arc<Coverage>)>>,
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
    /// The token cannot be read.
    pub fn new(history: &History, runner: &Runner, shown: &PageSettings<'_>) -> Result<Self, Failure> {
        Ok(Self(Arc::new(Inner {
            history: history.clone(),
            look: FleetView::new(runner),
            runner: runner.clone(),
            token: shown.token_file.map(actions::read).transpose()?,
            home: shown.home.clone().map(home).transpose()?,
            heavy: Arc::new(Semaphore::new(HEAVY)),
            pictures: shown.pictures,
            overview: std::sync::Mutex::default(),
            making: Arc::default(),
            seen: std::sync::Mutex::new((history.changes(), Instant::now())),
            coverage: Mutex::default(),
        })))
    }

    /// Runs a large query on a blocking thread, two at a time: each may need memory for a whole run.
    pub(super) async fn heavy<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Db) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, NoPage> {
        let _one = self.0.heavy.acquire().await.map_err(|error| NoPage::Bug(error.to_string()))?;
        Ok(self.0.history.read(ask).await?)
    }

    pub(super) fn history(&self) -> &History {
        &self.0.history
    }

    pub(super) fn changes(&self) -> Receiver<HistoryChange> {
        self.0.history.changes()
    }

    pub(super) fn runner(&self) -> &Runner {
        &self.0.runner
    }

    pub(super) fn state(&self) -> &Path {
        &self.0.runner.state
    }

    pub(super) fn look(&self) -> &FleetView {
        &self.0.look
    }

    pub(super) fn token(&self) -> Option<&RequiredToken> {
        self.0.token.as_ref()
    }

    pub(super) fn pictures(&self) -> bool {
        self.0.pictures
    }

    /// The pages' public address, if configured.
    pub(super) fn home(&self) -> Option<&Url> {
        self.0.home.as_ref()
    }

    /// The first page, which most readers request: it is made again when something has changed. If only its relative
    /// times are old, readers get it without waiting for the new one.
    pub(super) async fn overview(
        &self,
        make: impl Future<Output = Result<String, NoPage>> + Send + 'static,
    ) -> Result<Bytes, NoPage> {
        let changed = self.changed();
        if let Some((begun, page)) = self.true_overview(changed) {
            if begun.elapsed() > AGED
                && let Ok(making) = self.0.making.clone().try_lock_owned()
            {
                let site = self.clone();
                tokio::spawn(async move { site.make_overview(making, make).await });
            }
            return Ok(page);
        }
        let making = self.0.making.clone().lock_owned().await;
        match self.true_overview(changed) {
            Some((_, page)) => Ok(page),
            None => self.make_overview(making, make).await,
        }
    }

    /// The first page, if it was begun after the last change, or just now.
    fn true_overview(&self, changed: Instant) -> Option<(Instant, Bytes)> {
        let kept = self.0.overview.lock().unwrap_or_else(PoisonError::into_inner).clone();
        kept.filter(|(begun, _)| *begun > changed || begun.elapsed() < FRESH)
    }

    async fn make_overview(
        &self,
        _making: OwnedMutexGuard<()>,
        make: impl Future<Output = Result<String, NoPage>>,
    ) -> Result<Bytes, NoPage> {
        // As old as its data.
        let begun = Instant::now();
        let page = Bytes::from(make.await?);
        *self.0.overview.lock().unwrap_or_else(PoisonError::into_inner) = Some((begun, page.clone()));
        Ok(page)
    }

    /// The time of the history's last known change.
    fn changed(&self) -> Instant {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(_) | Err(TryRecvError::Lagged(_)) = seen.0.try_recv() {
            seen.1 = Instant::now();
        }
        seen.1
    }

    /// The stored nightly sweeps, newest first.
    pub(super) async fn sweeps(&self) -> Result<Vec<Sweep>, NoPage> {
        let shelf = Shelf::below(self.state());
        tokio::task::spawn_blocking(move || shelf.sweeps()).await.map_err(|error| NoPage::Bug(error.to_string()))
    }

    /// The coverage, at most a minute old: every journal is read for it.
    pub(super) async fn coverage(&self) -> Result<Arc<Coverage>, NoPage> {
        let mut kept = self.0.coverage.lock().await;
        if let Some((at, coverage)) = &*kept
            && at.elapsed() < COVERAGE_FRESH
        {
            return Ok(coverage.clone());
        }
        let settings = self.0.runner.settings.clone();
        let runs = self.0.history.read(evidence).await?;
        let gathered = tokio::task::spawn_blocking(move || {
            let names = all_and_maintained(&settings)?;
            gather(&settings, &names, (&runs, Vec::new()), false, Timestamp::now())
        });
        let gathered = gathered.await.map_err(|error| NoPage::Bug(error.to_string()))?;
        let coverage = Arc::new(gathered.map_err(|failure| {
            let what = "The recipes' folders cannot be read: the operator of this cc-ci has to set CCCI_RECIPES.";
            NoPage::Unset(what, failure.to_string())
        })?);
        *kept = Some((Instant::now(), coverage.clone()));
        Ok(coverage)
    }
}

/// The evidence of each recipe's newest runs, newest first.
fn evidence(db: &Db) -> Result<Vec<Evidence>, HistoryError> {
    let mut found = Vec::new();
    for known in db.overview()? {
        let filter = Filter { recipe: Some(known.recipe), ..Filter::default() };
        for run in db.list(&filter, None, EVIDENCE)?.runs {
            found.extend(db.told(&run.run)?.as_ref().map(|told| Evidence::from(&told.view)));
        }
    }
    Ok(found)
}

/// Checks an address for links.
fn home(url: Url) -> Result<Url, Failure> {
    plain(&url, "the pages", "--public-url (CCCI_PUBLIC_URL)").map(|()| url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_would_be_a_script_stands_in_no_link() {
        for odd in ["javascript:alert(1)", "https://ada:hunter2@ci.example.org", "file:///etc"] {
            let failure = home(odd.parse().unwrap()).unwrap_err();
            assert!(!failure.what.contains("hunter2") && failure.look_at.contains("CCCI_PUBLIC_URL"), "{failure}");
        }
        assert!(home("https://ci.example.org/results".parse().unwrap()).is_ok());
    }
}
