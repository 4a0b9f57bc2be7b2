//! `--keep`: the app stays for a look after the run, and goes by itself. Its claim says until when, so
//! that no janitor takes it before, and a process of its own ends it then; where that one is killed,
//! the next `cc-ci reap` does.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use base::failure::{Failure, Kind};
use base::names::RunId;
use jiff::Timestamp;

use crate::stage_run::StageRun;
use crate::warm;
use host::queue;

/// What becomes of the app when the stages are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// It is torn down.
    No,
    /// It stays this long.
    For(Duration),
    /// Another run keeps it, and this one only looks at it.
    ByRun(RunId),
}

/// Lets the app stay, and gives the line that says until when.
///
/// # Errors
/// When the claim cannot be told, or nothing could end the app: then it must be torn down now.
pub async fn keep(cx: &StageRun, time: Duration) -> Result<String, Failure> {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let until = queue::now(&cx.run.swarm, &cx.run.runner.settings).await?.saturating_add(seconds);
    // The tested app last: as long as its claim says nothing, the run ends as any other.
    for claim in cx.holdings.claims_to_end().iter().rev() {
        cx.run.swarm.keep_claim(&claim.stack, until).await?;
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

/// Starts a process of its own that ends what a run keeps, when its time is over.
///
/// # Errors
/// When none can be started.
pub fn end_later(cx: &StageRun, run: &RunId) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Kind::Bug, format!("nothing can be started that ends the app later: {error}"), "please report it")
    };
    // What flags said to this process, that one must know too: a realm is removed over HTTPS.
    let base = cx.app.spec.domain.as_str().split_once('.').map_or("", |(_, base)| base);
    let address = cx.run.fixed_address.map(|address| ("CCCI_ADDRESS", address.to_string()));
    Command::new(std::env::current_exe().map_err(failed)?)
        .args(["reap", "--run", run.as_str(), "--when-due"])
        .env("CCCI_STATE", cx.app.dir.state())
        .env("CCCI_BASE_DOMAIN", base)
        .env("CCCI_HTTPS_PORT", cx.run.https_port.to_string())
        .envs(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Out of the terminal's group: Ctrl-C there ends other things.
        .process_group(0)
        .spawn()
        .map(drop)
        .map_err(failed)
}

/// A time of day for people, from Unix seconds.
#[must_use]
pub fn clock(second: i64) -> String {
    Timestamp::from_second(second).map(|at| at.strftime("%H:%M:%S UTC").to_string()).unwrap_or_default()
}
