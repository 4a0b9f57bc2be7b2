//! Imports changes of the state folder, notified by inotify without polling.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use base::names::RunId;
use futures_util::StreamExt as _;
use inotify::{EventMask, EventStream, Inotify, WatchDescriptor, WatchMask};
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::change::HistoryChange;
use super::error::HistoryError;
use super::store::History;
use journal::run_dir::RunDir;

/// Initial and maximum pause before retries if the database is busy or the disk full; it doubles.
const AGAIN: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Imports the runs of a state folder into its history as they grow.
pub struct Follower {
    history: History,
    events: EventStream<[u8; 4096]>,
    runs: WatchDescriptor,
    /// Folders of runs that may grow.
    watched: HashMap<WatchDescriptor, RunId>,
    /// Runs whose end is awaited.
    awaited: BTreeSet<RunId>,
    /// Runs that may have changed.
    dirty: BTreeSet<RunId>,
    /// Runs that existed at the start, newest last.
    backlog: VecDeque<RunId>,
    /// Runs whose import failed temporarily.
    again: BTreeSet<RunId>,
    /// The time of the next retry, and the last pause.
    retry: Option<Instant>,
    pause: Duration,
    changes: broadcast::Receiver<HistoryChange>,
    ended: (mpsc::UnboundedSender<RunId>, mpsc::UnboundedReceiver<RunId>),
}

impl Follower {
    /// Starts to watch. Nothing is imported before [`Follower::follow`].
    ///
    /// # Errors
    /// The folder cannot be watched.
    pub fn new(history: &History) -> Result<Self, HistoryError> {
        let runs = history.state().join("runs");
        let io = |error: std::io::Error| HistoryError::io(&runs, &error);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&runs).map_err(io)?;
        let inotify = Inotify::init().map_err(io)?;
        // A run's folder is renamed to its final name after it is locked.
        let mask = WatchMask::CREATE | WatchMask::MOVED_TO | WatchMask::ONLYDIR;
        let descriptor = inotify.watches().add(&runs, mask).map_err(io)?;
        Ok(Self {
            events: inotify.into_event_stream([0; 4096]).map_err(io)?,
            runs: descriptor,
            watched: HashMap::new(),
            awaited: BTreeSet::new(),
            dirty: BTreeSet::new(),
            backlog: VecDeque::new(),
            again: BTreeSet::new(),
            retry: None,
            pause: AGAIN,
            changes: history.changes(),
            ended: mpsc::unbounded_channel(),
            history: history.clone(),
        })
    }

    /// Imports until it is cancelled: first changes, then earlier runs, newest first, then the readable parts of
    /// damaged databases.
    ///
    /// # Errors
    /// The kernel no longer reports file changes.
    pub async fn follow(mut self, stop: &CancellationToken) -> Result<(), HistoryError> {
        self.look_at_all();
        let history = self.history.clone();
        let ended = tokio::task::spawn_blocking(move || history.end_killed()).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!("runs without a folder cannot be checked: {error}");
        }
        let mut salvaged = self.history.nothing_to_salvage();
        loop {
            let idle = self.dirty.is_empty() && self.backlog.is_empty() && salvaged;
            let retry = self.retry;
            let history = self.history.clone();
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                event = self.events.next() => {
                    let event = event.unwrap_or_else(|| Err(std::io::Error::other("the kernel no longer reports file changes")));
                    let event = event.map_err(|error| HistoryError::io(&self.history.state().join("runs"), &error))?;
                    let name = event.name.map(|name| name.to_string_lossy().into_owned());
                    self.heard(&event.wd, event.mask, name.as_deref());
                }
                Some(run) = self.ended.1.recv() => {
                    self.awaited.remove(&run);
                    self.dirty.insert(run);
                }
                change = self.changes.recv() => {
                    // A new database lacks everything that is in folders.
                    if matches!(change, Ok(HistoryChange::SetAside(_)) | Err(broadcast::error::RecvError::Lagged(_))) {
                        self.look_at_all();
                        salvaged = false;
                    }
                }
                mended = history.mend() => {
                    if let Err(error) = mended {
                        tracing::error!("{error}");
                    }
                }
                () = tokio::time::sleep_until(retry.unwrap_or_else(Instant::now)), if retry.is_some() => {
                    self.retry = None;
                    self.dirty.append(&mut self.again);
                }
                () = std::future::ready(()), if !idle => {
                    match self.dirty.pop_last().or_else(|| self.backlog.pop_back()) {
                        Some(run) => self.import(run).await,
                        None => salvaged = self.salvage().await,
                    }
                }
            }
        }
    }

    /// Marks every run as possibly changed.
    fn look_at_all(&mut self) {
        match RunDir::all(self.history.state()) {
            Ok(runs) => self.backlog = runs.into_iter().map(|(run, _)| run).collect(),
            Err(error) => tracing::error!("the runs cannot be listed: {error}"),
        }
    }

    fn heard(&mut self, what: &WatchDescriptor, mask: EventMask, name: Option<&str>) {
        if mask.contains(EventMask::Q_OVERFLOW) {
            self.look_at_all();
        } else if *what == self.runs {
            self.dirty.extend(name.and_then(|name| name.parse::<RunId>().ok()));
        } else if mask.contains(EventMask::IGNORED) {
            self.watched.remove(what);
        } else if let Some(run) =
            self.watched.get(what).filter(|_| matches!(name, Some("journal.jsonl" | "report.html")))
        {
            self.dirty.insert(run.clone());
        }
    }

    async fn import(&mut self, run: RunId) {
        let dir = RunDir::of(self.history.state(), &run);
        // Checked first and once, so that every write after the import is reported, and the end of a live run is
        // awaited.
        let lives = dir.may_grow();
        if lives {
            self.watch(&run, &dir);
        }
        let history = self.history.clone();
        let imported = tokio::task::spawn_blocking(move || history.import_when(&dir, !lives)).await;
        if !lives {
            self.unwatch(&run);
        }
        match imported.unwrap_or_else(|error| Err(HistoryError::Bug(error.to_string()))) {
            Ok(_) => self.pause = AGAIN,
            Err(error) if error.passes() => {
                tracing::warn!("run {run} waits to be imported: {error}");
                self.again.insert(run);
                if self.retry.is_none() {
                    self.retry = Some(Instant::now() + self.pause);
                    self.pause = (self.pause * 2).min(LONGEST);
                }
            }
            Err(error) => tracing::warn!("{error}"),
        }
    }

    /// Watches a run's folder for writes, and its process for its end.
    fn watch(&mut self, run: &RunId, dir: &RunDir) {
        if self.awaited.contains(run) {
            return;
        }
        let mask = WatchMask::CREATE | WatchMask::MODIFY | WatchMask::ONLYDIR;
        match self.events.watches().add(dir.path(), mask) {
            Ok(watch) => drop(self.watched.insert(watch, run.clone())),
            Err(error) => return tracing::error!("run {run} cannot be watched: {error}"),
        }
        self.awaited.insert(run.clone());
        let (ended, dir, run) = (self.ended.0.clone(), dir.clone(), run.clone());
        tokio::spawn(async move {
            // A lock file that is gone has no owner either.
            let _ = dir.wait_for_owner().await;
            while let Some(left) = dir.silent_in() {
                tokio::time::sleep(left).await;
            }
            let _ = ended.send(run);
        });
    }

    fn unwatch(&mut self, run: &RunId) {
        let done: Vec<_> = self.watched.iter().filter(|(_, of)| *of == run).map(|(watch, _)| watch.clone()).collect();
        for watch in done {
            self.watched.remove(&watch);
            // The kernel may have removed the watch with the folder.
            let _ = self.events.watches().remove(watch);
        }
    }

    /// Whether there is nothing left to salvage from damaged databases.
    async fn salvage(&mut self) -> bool {
        let history = self.history.clone();
        let saved = tokio::task::spawn_blocking(move || history.salvage()).await;
        match saved.unwrap_or_else(|error| Err(HistoryError::Bug(error.to_string()))) {
            Ok(_) => {}
            // It is retried at the next start.
            Err(error) => tracing::error!("what was set aside cannot be saved: {error}"),
        }
        true
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follower of {}", self.history.state().display())
    }
}

/// Imports everything that is in run folders and not in the history, newest first; failed journals are in
/// [`History::waiting`]. For a program that does not follow. Blocking.
///
/// # Errors
/// The state folder cannot be read.
pub fn catch_up(history: &History) -> Result<(), HistoryError> {
    let state: &Path = history.state();
    let runs = RunDir::all(state).map_err(|error| HistoryError::io(state, &error))?;
    for (_, dir) in runs.iter().rev() {
        if let Err(error) = history.import(dir) {
            tracing::warn!("{error}");
        }
    }
    history.end_killed()?;
    history.salvage().map(drop)
}
