//! `cc-ci serve`: what a server does all the time. All of its loops are listed here.
//!
//! Before anything else, everything that dead runs left is removed: after a reboot, that is all of it. Then the
//! janitor looks once a minute, and where a forge is set its comments are answered. What runs tell is imported into
//! the history from the beginning on.

mod answering;
mod keeping;
mod notify;
mod settings;
mod sweeping;
mod unit;

use harness::failure::Failure;
use tokio_util::sync::CancellationToken;

use crate::slot::Runner;
pub use settings::ServeSettings;
pub use unit::UNIT;

/// Serves until it is told to stop.
///
/// # Errors
/// What keeps it from serving at all. An engine that is away is waited for, and so is a forge.
pub async fn serve(runner: &Runner, settings: &ServeSettings, stop: &CancellationToken) -> Result<(), Failure> {
    let answering = answering::Answering::new(settings, runner).await?;
    let history = keeping::open(&runner.state).await;
    let keeping = tokio::spawn(keeping::keep(history, settings.keep, stop.clone()));
    let mut manager = notify::Manager::of_process();
    let mut sweeping = sweeping::Sweeping::new(runner.clone());
    // New work starts only when what is left of the old is gone, or an hour has shown that it stays.
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        () = sweeping.first(&mut manager) => {}
    }
    manager.ready();
    let answers = async {
        match answering {
            Some(answering) => answering.answer(stop).await,
            None => {
                stop.cancelled().await;
                Ok(())
            }
        }
    };
    // The manager hears that the service lives while its runs tear down, too.
    let ended = tokio::select! {
        ended = answers => ended,
        () = sweeping.go_on(&mut manager) => Ok(()),
    };
    manager.stopping();
    // It ends with this service, which an error may do before anybody stops it.
    keeping.abort();
    ended
}
