//! Watches a forge and answers.

use host::say;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::failure::{Failure, Kind};
use forge::api::{Comment, Gitea};
use forge::hook;
use forge::watch::{Backoff, Store, WatchError, Watcher, keep};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::kept_apps::OnSwarm;
use super::listen::Part;
use super::settings::ServeSettings;
use bot::settings::forge::NamedForge;
use bot::settings::forge::standing::{self, Degree};
use bot::{Children, Debounce, Delivered, JobQueue, JobStore, Runs, Worker, WorkerConfig, WorkerMessage};
use host::queue::Runner;
use source::git_trust::{self, Environment};

/// Runs that are processes at once. Most of them wait for a slot, with some 40 MB each.
const AT_ONCE: usize = 16;
/// Runs that are builds at once: Drone has a queue of its own, and runners on many machines.
const BUILDS_AT_ONCE: usize = 128;
/// Comments of webhooks that wait; more of them are found by the next look.
const HOOKS: usize = 256;
/// A build that was restarted in Drone is seen within this time.
const RESTARTS: Duration = Duration::from_secs(15);
/// Where webhooks come.
const PATH: &str = "/hook";

/// All that is needed to answer; nothing has been asked yet.
pub(super) struct Answering {
    forge: Gitea,
    about: String,
    pace: Backoff,
    path: PathBuf,
    store: Store,
    worker: Worker<Gitea, Box<dyn Runs>>,
    desk: JobQueue,
    came: mpsc::UnboundedReceiver<WorkerMessage>,
    told: mpsc::UnboundedReceiver<Delivered>,
    comments: mpsc::Receiver<Comment>,
    hook: Option<Part>,
}

impl Answering {
    /// As the settings say; none where they name no forge. What is wrong on this machine shows here.
    ///
    /// # Errors
    /// When a setting is wrong, or the state folder cannot be used.
    pub(super) fn new(settings: &ServeSettings, runner: &Runner) -> Result<Option<Self>, Failure> {
        let Some(named) = settings.forge.named()? else { return Ok(None) };
        let (forge, about) = (named.forge.clone(), format!("{} {}", named.url, named.owner));
        let path = runner.state.join("watch.json");
        let store = Store::hold(&path).map_err(|error| unusable(&error))?;
        let book = JobStore::below(&runner.state).map_err(|error| unusable(&error))?;
        let (send, came) = mpsc::unbounded_channel();
        let (runs, at_once): (Box<dyn Runs>, usize) = match settings.drone.builds(&runner.settings, &runner.state)? {
            Some(builds) => (Box::new(builds), BUILDS_AT_ONCE),
            None => (Box::new(children(runner, Some(&named))?), AT_ONCE),
        };
        let shop = WorkerConfig {
            forge: Arc::new(forge.clone()),
            runs,
            kept: Arc::new(OnSwarm(runner.clone())),
            book: book.clone(),
            state: runner.state.clone(),
            recipes: runner.settings.recipes.clone(),
            public_url: settings.public_url.clone(),
            pauses: Debounce::default(),
            restarts: RESTARTS,
            at_once,
        };
        let (worker, told) = Worker::new(shop, send.clone()).map_err(|error| unusable(&error))?;
        let (hooks, comments) = mpsc::channel(HOOKS);
        let hook = settings
            .secret()?
            .map(|secret| Part { what: "webhooks", router: hook::router(PATH, secret, hooks.clone()) });
        let pace = settings.pace();
        let desk = JobQueue::new(book, send);
        Ok(Some(Self { forge, about, pace, path, store, worker, desk, came, told, comments, hook }))
    }

    /// Where webhooks come, if they may; it is given once.
    pub(super) fn hook(&mut self) -> Option<Part> {
        self.hook.take()
    }

    /// Answers until it is told to stop and all runs have torn down.
    ///
    /// # Errors
    /// When the watcher's file cannot be used. A forge that is down is waited for.
    pub(super) async fn answer(self, stop: &CancellationToken) -> Result<(), Failure> {
        let Self { forge, about, pace, path, store, worker, mut desk, came, told, comments, .. } = self;
        let stop = stop.child_token();
        let working = worker.work(came, told, &stop);
        let watching = async {
            let watched = watch((forge, path, about, pace), store, comments, &mut desk, &stop).await;
            // Without a watcher nothing more is taken on, and cc-ci ends.
            stop.cancel();
            watched
        };
        let ((), watched) = tokio::join!(working, watching);
        watched
    }
}

/// Watches until it is told to stop. A forge that is down at the start is waited for.
async fn watch(
    answering: (Gitea, PathBuf, String, Backoff),
    first: Store,
    hooks: mpsc::Receiver<Comment>,
    desk: &mut JobQueue,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let (forge, path, about, pace) = answering;
    let (mut held, mut failures, mut is_told) = (Some(first), 0_u32, false);
    let mut watcher = loop {
        // First, since it says why the rest may fail.
        if !is_told && let Ok(version) = standing::version(&forge).await {
            say!("the forge is {}", version.what);
            is_told = true;
        }
        let store = held.take().map_or_else(|| Store::hold(&path), Ok).map_err(|error| unusable(&error))?;
        let opened = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            opened = Watcher::open(forge.clone(), store, &about) => opened,
        };
        match opened {
            Ok(watcher) => break watcher,
            Err(WatchError::Forge(error)) => {
                failures = failures.saturating_add(1);
                say!("the forge cannot be watched yet: {error}");
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(pace.after(failures, rand::random())) => {}
                }
            }
            Err(error) => return Err(unusable(&error)),
        }
    };
    say!("cc-ci answers on {about} as {}", watcher.me().login);
    match standing::token(&forge).await {
        Ok(token) if token.degree == Degree::Fine => {}
        Ok(token) => say!("{}; better: {}", token.what, token.mend),
        Err(error) => tracing::warn!("whose account the token is cannot be told: {error}"),
    }
    keep(&mut watcher, hooks, desk, pace, stop).await;
    Ok(())
}

/// Runs as processes of this machine. Mirrors may be private: their clones have the bot's login, for its forge alone.
pub(super) fn children(runner: &Runner, forge: Option<&NamedForge>) -> Result<Children, Failure> {
    let mut settings = runner.settings.clone();
    let mut git = Vec::new();
    if let Some(named) = forge {
        if settings.clone_forge.is_none() {
            settings.clone_forge = Some(named.url.clone());
            settings.clone_token_file = Some(named.token_file.clone());
        }
        let trust = |file: &PathBuf| git_trust::variables(&named.url, file, &Environment::of_process());
        git = named.ca_file.as_ref().map(trust).unwrap_or_default();
    }
    Ok(Children::new(&settings).map_err(|error| unusable(&error))?.telling_git(git))
}

fn unusable(error: &dyn std::error::Error) -> Failure {
    Failure::new(Kind::StateUnusable, error.to_string(), "the state folder (CCCI_STATE)")
}
