//! `cc-ci serve`: what a server does all the time. All of its loops are listed here.
//!
//! Before anything else, everything that dead runs left is removed: after a reboot, that is all of it. Then the
//! janitor looks once a minute and whenever a run of this machine dies, where a forge is set its comments are answered, and
//! where an hour is set every recipe is tested then. What runs tell is imported into
//! the history from the beginning on, and shown; webhooks and runs elsewhere come to the same address ([`listen`]).

mod answering;
mod card;
mod deaths;
mod keeping;
mod kept_apps;
mod listen;
mod nightly;
mod notify;
mod settings;
mod sweeping;
mod unit;

use base::failure::Failure;
use host::say;
use swarm::Swarm;
use tokio_util::sync::CancellationToken;

use self::answering::Answering;
use self::listen::{Listening, Part};
use history::History;
use host::queue::{Runner, caps, slots_of};
use relay as reported;
pub use settings::ServeSettings;
pub use unit::UNIT;
use web::{Readers, Site};

/// Serves until it is told to stop.
///
/// # Errors
/// What keeps it from serving at all. An engine that is away is waited for, and so is a forge.
pub async fn serve(runner: &Runner, settings: &ServeSettings, stop: &CancellationToken) -> Result<(), Failure> {
    let mut answering = Answering::new(settings, runner)?;
    let nightly = nightly::sweeper(settings, runner)?;
    let mut parts: Vec<Part> = answering.as_mut().and_then(Answering::hook).into_iter().collect();
    if let Some(token) = settings.report_token()? {
        parts.push(Part { what: "runs that report", router: reported::router(runner.state.clone(), token) });
    }
    parts.push(Part { what: "the card's template", router: card::router() });
    let history = keeping::open(&runner.state).await;
    let readers = Readers::default();
    match &history {
        Some(history) => readers.show(Site::new(history, runner, &settings.shown())?),
        None => say!("readers are told that there is no history"),
    }
    parts.push(Part { what: "readers", router: readers.router() });
    // Results are shown while what is left of dead runs goes.
    let listening = Listening::open(settings.listen, parts).await?.map(|open| tokio::spawn(open.serve(stop.clone())));
    let keeping = tokio::spawn(keep(history, readers, runner.clone(), settings.clone(), stop.clone()));
    let mut manager = notify::Manager::of_process();
    let mut sweeping = sweeping::Sweeping::new(runner.clone());
    // New work starts only when what is left of the old is gone, or an hour has shown that it stays.
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        () = sweeping.first(&mut manager) => {}
    }
    set_caps(runner).await;
    manager.ready();
    let sweeps = stop.child_token();
    let answers = async {
        let ended = match answering {
            Some(answering) => answering.answer(stop).await,
            None => {
                stop.cancelled().await;
                Ok(())
            }
        };
        // Where nobody is answered any more cc-ci ends.
        sweeps.cancel();
        ended
    };
    let nights = async {
        if let Some(nightly) = nightly {
            nightly.go_on(&sweeps).await;
        }
    };
    let work = async { tokio::join!(answers, nights).0 };
    // The manager hears that the service lives while its runs tear down, too.
    let ended = tokio::select! {
        ended = work => ended,
        () = sweeping.go_on(&mut manager) => Ok(()),
    };
    manager.stopping();
    if let Some(listening) = listening {
        listening.abort();
    }
    // It ends with this service, which an error may do before anybody stops it.
    keeping.abort();
    ended
}

/// The caps that this server's settings name hold for the swarm from now on.
async fn set_caps(runner: &Runner) {
    let settings = &runner.settings;
    if settings.max_tests.is_none() && settings.max_apps.is_none() && settings.max_memory.is_none() {
        return;
    }
    let set = async {
        let swarm = Swarm::connect().await?;
        let wish = caps(&swarm, settings).await?;
        slots_of(&swarm, settings).set_caps(wish).await
    };
    match set.await {
        Ok(now) => say!("at most {} runs, {} apps and {} MiB at once", now.tests, now.apps, now.mib),
        Err(failure) => tracing::warn!("the caps cannot be set, those on the swarm hold: {failure}"),
    }
}

/// Keeps the results, and shows them, also where the history can be opened only later.
async fn keep(
    history: Option<History>,
    readers: Readers,
    runner: Runner,
    settings: ServeSettings,
    stop: CancellationToken,
) {
    let history = match history {
        Some(history) => history,
        None => {
            let show = |history: &History| {
                readers.show(Site::new(history, &runner, &settings.shown())?);
                Ok(())
            };
            tokio::select! {
                () = stop.cancelled() => return,
                history = keeping::opened(&runner.state, keeping::AGAIN, show) => history,
            }
        }
    };
    keeping::keep(history, settings.keep, keeping::AGAIN, stop).await;
}
