//! Watches a forge and answers.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use harness::failure::{Failure, Kind};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use trigger::forge::{Comment, Gitea};
use trigger::hook::{self, HookSecret};
use trigger::watch::{Pace, Store, WatchError, Watcher, keep};

use super::settings::ServeSettings;
use crate::answer::{AnswerDesk, Book, Came, Children, Pauses, Told, Worker, Workshop};
use crate::forge::git_trust::{self, Environment};
use crate::forge::{Named, wrong};
use crate::slot::Runner;

/// Runs that are processes at once. Most of them wait for a slot, with some 40 MB each.
const AT_ONCE: usize = 16;
/// Comments of webhooks that wait; more of them are found by the next look.
const HOOKS: usize = 256;
/// Where webhooks come.
const PATH: &str = "/hook";

/// All that is needed to answer; nothing has been asked yet.
pub(super) struct Answering {
    forge: Gitea,
    about: String,
    pace: Pace,
    path: PathBuf,
    store: Store,
    worker: Worker<Gitea, Children>,
    desk: AnswerDesk,
    came: mpsc::UnboundedReceiver<Came>,
    told: mpsc::UnboundedReceiver<Told>,
    hooks: Option<(TcpListener, HookSecret)>,
}

impl Answering {
    /// As the settings say; none where they name no forge. What is wrong on this machine shows here.
    ///
    /// # Errors
    /// When a setting is wrong, or the state folder or the address to listen at cannot be used.
    pub(super) async fn new(settings: &ServeSettings, runner: &Runner) -> Result<Option<Self>, Failure> {
        let Some(Named { forge, url, owner, ca_file, .. }) = settings.forge.named()? else { return Ok(None) };
        let about = format!("{url} {owner}");
        let path = runner.state.join("watch.json");
        let store = Store::hold(&path).map_err(|error| unusable(&error))?;
        let book = Book::below(&runner.state).map_err(|error| unusable(&error))?;
        let (send, came) = mpsc::unbounded_channel();
        let git = ca_file.map(|file| git_trust::variables(&url, &file, &Environment::of_process())).unwrap_or_default();
        let shop = Workshop {
            forge: Arc::new(forge.clone()),
            runs: Children::new(&runner.settings).map_err(|error| unusable(&error))?.telling_git(git),
            book: book.clone(),
            state: runner.state.clone(),
            recipes: runner.settings.recipes.clone(),
            public_url: settings.public_url.clone(),
            pauses: Pauses::default(),
            at_once: AT_ONCE,
        };
        let (worker, told) = Worker::new(shop, send.clone()).map_err(|error| unusable(&error))?;
        let hooks = match settings.secret()? {
            None => None,
            Some(secret) => {
                let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
                    wrong(format!("{} cannot be listened at: {error}", settings.listen), "--listen (CCCI_LISTEN)")
                })?;
                if let Ok(address) = listener.local_addr() {
                    println!("cc-ci listens for webhooks at http://{address}{PATH}");
                }
                Some((listener, secret))
            }
        };
        let pace = settings.pace();
        let desk = AnswerDesk::new(book, send);
        Ok(Some(Self { forge, about, pace, path, store, worker, desk, came, told, hooks }))
    }

    /// Answers until it is told to stop and all runs have torn down.
    ///
    /// # Errors
    /// When the watcher's file cannot be used. A forge that is down is waited for.
    pub(super) async fn answer(self, stop: &CancellationToken) -> Result<(), Failure> {
        let Self { forge, about, pace, path, store, worker, mut desk, came, told, hooks } = self;
        let (send, comments) = mpsc::channel(HOOKS);
        let listening = hooks.map(|(listener, secret)| tokio::spawn(listen(listener, secret, send, stop.clone())));
        let stop = stop.child_token();
        let working = worker.work(came, told, &stop);
        let watching = async {
            let watched = watch((forge, path, about, pace), store, comments, &mut desk, &stop).await;
            // Without a watcher nothing more is taken on, and cc-ci ends.
            stop.cancel();
            watched
        };
        let ((), watched) = tokio::join!(working, watching);
        if let Some(listening) = listening {
            listening.abort();
        }
        watched
    }
}

/// Watches until it is told to stop. A forge that is down at the start is waited for.
async fn watch(
    answering: (Gitea, PathBuf, String, Pace),
    first: Store,
    hooks: mpsc::Receiver<Comment>,
    desk: &mut AnswerDesk,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let (forge, path, about, pace) = answering;
    let (mut held, mut failures) = (Some(first), 0_u32);
    let mut watcher = loop {
        let store = held.take().map_or_else(|| Store::hold(&path), Ok).map_err(|error| unusable(&error))?;
        let opened = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            opened = Watcher::open(forge.clone(), store, &about) => opened,
        };
        match opened {
            Ok(watcher) => break watcher,
            Err(WatchError::Forge(error)) => {
                failures = failures.saturating_add(1);
                println!("the forge cannot be watched yet: {error}");
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(pace.after(failures, rand::random())) => {}
                }
            }
            Err(error) => return Err(unusable(&error)),
        }
    };
    println!("cc-ci answers on {about} as {}", watcher.me().login);
    keep(&mut watcher, hooks, desk, pace, stop).await;
    Ok(())
}

fn unusable(error: &dyn std::error::Error) -> Failure {
    Failure::new(Kind::StateUnusable, error.to_string(), "the state folder (CCCI_STATE)")
}

async fn listen(listener: TcpListener, secret: HookSecret, comments: mpsc::Sender<Comment>, stop: CancellationToken) {
    let router: Router = hook::router(PATH, secret, comments);
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!("webhooks are not listened for any more, polling goes on: {error}");
    }
}
