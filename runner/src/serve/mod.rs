//! `cc-ci serve`: what a server does all the time. All of its loops are listed here.
//!
//! Before anything else, everything that dead runs left is removed: after a reboot, that is all of it.

mod notify;
mod sweeping;
mod unit;

use harness::failure::Failure;
use tokio_util::sync::CancellationToken;

use crate::slot::Runner;
pub use unit::UNIT;

/// Serves until it is told to stop.
///
/// # Errors
/// What keeps it from serving at all. An engine that is away is waited for.
pub async fn serve(runner: &Runner, stop: &CancellationToken) -> Result<(), Failure> {
    let mut manager = notify::Manager::of_process();
    let mut sweeping = sweeping::Sweeping::new(runner.clone());
    // New work starts only when what is left of the old is gone, or an hour has shown that it stays.
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        () = sweeping.first(&mut manager) => {}
    }
    manager.ready();
    tokio::select! {
        () = stop.cancelled() => {}
        () = sweeping.go_on(&mut manager) => {}
    }
    manager.stopping();
    Ok(())
}
