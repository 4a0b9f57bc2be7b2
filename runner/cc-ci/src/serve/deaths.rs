//! Notices at once that a run of this machine died: its lock is free, and its teardown is not done. A thread waits for
//! each lock, in the kernel.

use host::say;
use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base::names::RunId;
use futures_util::StreamExt as _;
use inotify::{Inotify, WatchMask};
use tokio::sync::mpsc;

use journal::run_dir::RunDir;

/// The runs of this machine that die, as they do.
pub(super) struct Deaths {
    died: mpsc::UnboundedReceiver<RunId>,
    /// Held, so that the receiver never ends.
    _sender: mpsc::UnboundedSender<RunId>,
}

impl Deaths {
    /// Watches the runs below a state folder. Where they cannot be watched, that is told, and the janitor's timer is
    /// all there is.
    pub(super) fn watch(state: &Path) -> Self {
        let (sender, died) = mpsc::unbounded_channel();
        let watch = Watch { state: state.to_owned(), waited_for: Arc::default(), died: sender.clone() };
        tokio::spawn(async move {
            if let Err(error) = watch.go_on().await {
                say!(
                    "reap: runs that die are seen once a minute only, since the state folder cannot be watched: {error}"
                );
            }
        });
        Self { died, _sender: sender }
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Option<RunId> {
        self.died.recv().await
    }
}

struct Watch {
    state: PathBuf,
    waited_for: Arc<Mutex<BTreeSet<RunId>>>,
    died: mpsc::UnboundedSender<RunId>,
}

impl Watch {
    async fn go_on(self) -> io::Result<()> {
        let runs = self.state.join("runs");
        DirBuilder::new().recursive(true).mode(0o700).create(&runs)?;
        let inotify = Inotify::init()?;
        // A run's folder gets its name when its lock is taken.
        inotify.watches().add(&runs, WatchMask::MOVED_TO | WatchMask::ONLYDIR)?;
        let mut events = inotify.into_event_stream([0; 4096])?;
        self.look()?;
        while let Some(event) = events.next().await {
            event?;
            if let Err(error) = self.look() {
                tracing::warn!("runs that begin cannot be watched: {error}");
            }
        }
        Ok(())
    }

    /// Begins to wait for every run that lives.
    fn look(&self) -> io::Result<()> {
        for (run, dir) in RunDir::all(&self.state)? {
            if !dir.has_private() || !lock(&self.waited_for).insert(run.clone()) {
                continue;
            }
            let (died, waited_for) = (self.died.clone(), Arc::clone(&self.waited_for));
            // A thread of its own: the runtime waits for its blocking ones when it ends, and this one may wait for hours.
            std::thread::Builder::new().name(format!("waits-{run}")).spawn(move || {
                if dir.wait_for_owner_here().is_ok() && dir.has_private() {
                    // Told once: what the janitor cannot remove is its timer's affair.
                    let _ = died.send(run);
                } else {
                    lock(&waited_for).remove(&run);
                }
            })?;
        }
        Ok(())
    }
}

fn lock(waited_for: &Mutex<BTreeSet<RunId>>) -> std::sync::MutexGuard<'_, BTreeSet<RunId>> {
    waited_for.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_run_that_dies_is_told_of_and_one_that_ends_is_not() {
        let state = tempfile::tempdir().unwrap();
        let dir = |run: &str| RunDir::of(state.path(), &run.parse().unwrap());
        let before = dir("20261121-a").create().unwrap();
        let mut deaths = Deaths::watch(state.path());
        drop(before);
        assert_eq!(timeout(LONG, deaths.next()).await.unwrap().unwrap().as_str(), "20261121-a");
        // One that began later, and one that tears everything down before it ends.
        let (ends, dies) = (dir("20261121-b"), dir("20261121-c"));
        let (of_ends, of_dies) = (ends.create().unwrap(), dies.create().unwrap());
        ends.remove_private().unwrap();
        drop(of_ends);
        drop(of_dies);
        assert_eq!(timeout(LONG, deaths.next()).await.unwrap().unwrap().as_str(), "20261121-c");
    }
}
