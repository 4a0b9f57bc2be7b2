//! The history of a server: opened, followed, and kept small. Nothing else waits for it.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::history::{Follower, History, HistoryError, Keep};

/// Between two looks at what is not kept any more.
const EVERY: Duration = Duration::from_secs(3600);

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
                say!(
                    "history: it was damaged ({}) and is made again; the old one is {}",
                    aside.why,
                    aside.path.display()
                );
            }
            Some(history)
        }
        Err(error) => {
            say!("history: NO RESULTS ARE KEPT OR SHOWN until cc-ci serve is started again: {error}");
            None
        }
    }
}

/// Follows the runs, and drops what is not kept, until it is told to stop.
pub(super) async fn keep(history: Option<History>, keep: Keep, stop: CancellationToken) {
    let Some(history) = history else { return };
    let following = async {
        match Follower::new(&history) {
            Ok(follower) => follower.follow(&stop).await,
            Err(error) => Err(error),
        }
    };
    tokio::select! {
        ended = following => {
            if let Err(error) = ended {
                say!("history: NO MORE RESULTS ARE KEPT until cc-ci serve is started again: {error}");
            }
        }
        () = retain(&history, keep) => {}
    }
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
    use crate::report::{fixtures, journal};
    use crate::run_dir::RunDir;

    #[tokio::test]
    async fn a_history_that_cannot_be_opened_is_none() {
        let state = tempfile::tempdir().unwrap();
        std::fs::create_dir(state.path().join("history.sqlite")).unwrap();
        assert!(open(state.path()).await.is_none());
        keep(None, Keep { keep_runs: 1, keep_days: 1, keep_folders: 1 }, CancellationToken::new()).await;
    }

    #[tokio::test]
    async fn runs_are_imported_and_old_ones_go() {
        let state = tempfile::tempdir().unwrap();
        let dir = RunDir::of(state.path(), &"20261121-a".parse().unwrap());
        drop(dir.create().unwrap());
        dir.remove_private().unwrap();
        let bytes: Vec<u8> = fixtures::passed().iter().flat_map(|record| journal::line(record).unwrap()).collect();
        std::fs::write(dir.journal(), bytes).unwrap();
        let history = open(state.path()).await.unwrap();
        let mut changes = history.changes();
        let stop = CancellationToken::new();
        let keeping =
            tokio::spawn(keep(Some(history), Keep { keep_runs: 9, keep_days: 9, keep_folders: 9 }, stop.clone()));
        changes.recv().await.unwrap();
        stop.cancel();
        keeping.await.unwrap();
    }
}
