//! `--keep`: the app stays for a look after the run, and goes by itself. Its claim says until when, so
//! that no janitor takes it before, and a process of its own ends it then; where that one is killed,
//! the next `cc-ci reap` does.

use slots::Claims;
use std::time::Duration;

use base::failure::Failure;
use jiff::Timestamp;

use crate::context::StageRun;
use crate::end_later::end_later;
use crate::warm;
use host::queue;

/// Lets the app stay, and gives the line that says until when.
///
/// # Errors
/// When the claim cannot be told, or nothing could end the app: then it must be torn down now.
pub async fn keep(cx: &StageRun, time: Duration) -> Result<String, Failure> {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let until = queue::now(&cx.run.swarm, &cx.run.runner.settings).await?.saturating_add(seconds);
    // The tested app last: as long as its claim says nothing, the run ends as any other.
    for claim in cx.holdings.claims_to_end().iter().rev() {
        Claims(&cx.run.swarm).keep(&claim.stack, until).await?;
    }
    warm::stay(cx, until).await?;
    end_later(cx, &cx.app.spec.run)?;
    Ok(format!(
        "the app stays at {} until {}; cc-ci reap --run {} ends it now",
        cx.url(),
        clock(until),
        cx.app.spec.run
    ))
}

/// A time of day for people, from Unix seconds.
pub fn clock(second: i64) -> String {
    Timestamp::from_second(second).map(|at| at.strftime("%H:%M:%S UTC").to_string()).unwrap_or_default()
}
