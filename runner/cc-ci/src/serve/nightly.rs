//! The nightly sweep of a server, as its settings say.

use base::failure::Failure;
use jiff::Timestamp;

use super::answering::children;
use super::settings::ServeSettings;
use bot::Children;
use host::queue::Runner;
use host::settings::wrong;
use nightly::{Enrolled, Sweeper};

/// The one who makes sweeps; none where no hour is set. Nothing has been asked yet.
///
/// # Errors
/// When a setting is wrong.
pub(super) fn sweeper(
    settings: &ServeSettings,
    runner: &Runner,
) -> Result<Option<Sweeper<Enrolled, Children>>, Failure> {
    let args = &settings.nightly;
    let Some(hour) = args.nightly.clone() else { return Ok(None) };
    if settings.drone.drone_url.is_some() {
        let what = "a nightly sweep is processes of this machine, and runs are builds of Drone here";
        let look_at = "leave --nightly (CCCI_NIGHTLY) out, and let Drone's own cron start builds: docs/drone.md";
        return Err(wrong(what.to_owned(), look_at));
    }
    let forge = settings.forge.named()?;
    Ok(Some(Sweeper {
        hour,
        only_changed: args.nightly_changed,
        runs: children(runner, forge.as_ref())?,
        sources: Enrolled::new(runner.settings.clone(), forge),
        state: runner.state.clone(),
        hook: args.hook()?,
        pages: settings.public_url.clone(),
        now: Timestamp::now,
    }))
}
