//! The history of a server: opened, followed, and kept small. Nothing else waits for it.

use host::say;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use base::failure::Failure;
use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use history::{Follower, History, HistoryError, Keep};

/// Between two looks at what is not kept any more.
const EVERY: Duration = Duration::from_secs(3600);

/// Until what did not work is tried again.
pub(super) const AGAIN: Duration = Duration::from_secs(60);

/// Opens the history of the state folder; none where it cannot be, which is said: runs are started and told all the
/// same, and their journals stay in their folders until a history can be opened.
pub(super) async fn open(state: &Path) -> Option<History> {
    let state = state.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        // A server may be the first here.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&state);
        made.map_err(|error| HistoryError::io(&state, &error))?;
        History::open(&state)
    })
    .await;
    match opened.unwrap_or_else(|error| Err(HistoryError::Bug(error.to_string()))) {
        Ok(history) => {
            for aside in history.set_aside() {
                say!("history: it {aside}, and is made again");
            }
            Some(history)
        }
        Err(error) => {
            say!("history: NO RESULTS ARE KEPT OR SHOWN for now, it is tried again every minute: {error}");
            None
        }
    }
}

/// Waits until the history can be opened and shown.
pub(super) async fn opened(
    state: &Path,
    again: Duration,
    show: impl Fn(&History) -> Result<(), Failure> + Send,
) -> History {
    loop {
        sleep(again).await;
        let Some(history) = open(state).await else { continue };
        match show(&history) {
            Ok(()) => {
                say!("history: it is open, results are kept and shown from now on");
                return history;
            }
            Err(failure) => say!("history: NO RESULTS ARE KEPT OR SHOWN for now: {}", failure.what),
        }
    }
}

/// Follows the runs, and drops what is not kept, until it is told to stop. What keeps it from following is told, and
/// tried again after a while.
pub(super) async fn keep(history: History, keep: Keep, again: Duration, stop: CancellationToken) {
    let following = async {
        while let Err(error) = follow(&history, &stop).await {
            say!("history: NO MORE RESULTS ARE KEPT for now, it is tried again every minute: {error}");
            sleep(again).await;
        }
    };
    tokio::select! {
        () = following => {}
        () = stop.cancelled() => {}
        () = retain(&history, keep) => {}
    }
}

async fn follow(history: &History, stop: &CancellationToken) -> Result<(), HistoryError> {
    Follower::new(history)?.follow(stop).await
}

/// Goes on for ever.
async fn retain(history: &History, keep: Keep) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let history = history.clone();
        let done = tokio::task::spawn_blocking(move || history.retain(&keep, Timestamp::now())).await;
        match done.unwrap_or_else(|error| Err(HistoryError::Bug(error.to_string()))) {
            Ok(done) if done.runs.is_empty() && done.folders.is_empty() => {}
            Ok(done) => {
                say!("history: {} runs and {} folders are not kept any more", done.runs.len(), done.folders.len())
            }
            Err(error) => say!("history: what is not kept cannot be dropped: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal_fixtures as fixtures;

    use journal::run_dir::RunDir;

    const KEEP: Keep = Keep { keep_runs: 9, keep_days: 9, keep_folders: 9 };
    const SOON: Duration = Duration::from_millis(5);

    /// A state folder with one run in it.
    fn state() -> tempfile::TempDir {
        let state = tempfile::tempdir().unwrap();
        let dir = RunDir::of(state.path(), &"20261121-a".parse().unwrap());
        drop(dir.create().unwrap());
        dir.remove_private().unwrap();
        let bytes: Vec<u8> = fixtures::passed().iter().flat_map(|record| journal::line(record).unwrap()).collect();
        std::fs::write(dir.journal(), bytes).unwrap();
        state
    }

    /// Keeps until the run has been imported.
    async fn imported(history: History) {
        let mut changes = history.changes();
        let stop = CancellationToken::new();
        let keeping = tokio::spawn(keep(history, KEEP, SOON, stop.clone()));
        changes.recv().await.unwrap();
        stop.cancel();
        keeping.await.unwrap();
    }

    #[tokio::test]
    async fn runs_are_imported_and_old_ones_go() {
        let state = state();
        imported(open(state.path()).await.unwrap()).await;
    }

    #[tokio::test]
    async fn a_history_that_cannot_be_opened_is_opened_when_it_can() {
        let state = state();
        let file = state.path().join("history.sqlite");
        std::fs::create_dir(&file).unwrap();
        assert!(open(state.path()).await.is_none());
        // The third look finds it mended, and the first of those who show it cannot.
        let shown = std::sync::atomic::AtomicU32::new(0);
        let show = |_: &History| match shown.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Err(host::settings::wrong("no token".to_owned(), "")),
            _ => Ok(()),
        };
        let mend = async {
            tokio::task::yield_now().await;
            std::fs::remove_dir(&file).unwrap();
        };
        let (history, ()) = tokio::join!(opened(state.path(), SOON, show), mend);
        assert_eq!(shown.into_inner(), 2);
        imported(history).await;
    }

    #[tokio::test]
    async fn what_cannot_be_followed_is_followed_when_it_can() {
        let state = state();
        let (runs, away) = (state.path().join("runs"), state.path().join("away"));
        let history = open(state.path()).await.unwrap();
        std::fs::rename(&runs, &away).unwrap();
        std::fs::write(&runs, "no folder").unwrap();
        assert!(follow(&history, &CancellationToken::new()).await.is_err());
        let mend = async {
            tokio::task::yield_now().await;
            std::fs::remove_file(&runs).unwrap();
            std::fs::rename(&away, &runs).unwrap();
        };
        tokio::join!(imported(history), mend);
    }
}
